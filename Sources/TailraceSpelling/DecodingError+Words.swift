extension DecodingError {
  /// What is wrong with a JSON document, in words.
  package var words: String {
    switch self {
    case .keyNotFound(let key, let context): return "it has no '\(Self.place(context.codingPath + [key]))'"
    case .valueNotFound(_, let context): return "'\(Self.place(context.codingPath))' has no value"
    case .typeMismatch(_, let context):
      return context.codingPath.isEmpty
        ? "it is not an object" : "'\(Self.place(context.codingPath))' is of another kind than it should be"
    case .dataCorrupted(let context):
      return context.codingPath.isEmpty
        ? "it is not valid JSON" : "'\(Self.place(context.codingPath))' has a value that is not allowed"
    @unknown default: return "it is not as it should be"
    }
  }

  /// A path such as `scenarios[0].runs`.
  private static func place(_ path: [any CodingKey]) -> String {
    path.reduce("") { text, key in
      if let index = key.intValue { return "\(text)[\(index)]" }
      return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
    }
  }
}
