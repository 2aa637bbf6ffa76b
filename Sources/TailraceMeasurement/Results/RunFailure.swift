/// A replay without a result: its system failed or could not be prepared.
package struct RunFailure: Sendable, Hashable, Codable {
  /// `live`, `exec:./driver`, …
  package var system: String
  /// The reason, line by line, because texts in a result must not contain newlines.
  package var lines: [String]
  /// Whether the scenario's targets refer to this run.
  package var isPrimary: Bool

  /// - Parameter words: the reason; empty lines are dropped.
  package init(system: String, words: String, isPrimary: Bool) {
    self.system = system
    lines = Self.lines(of: words)
    self.isPrimary = isPrimary
  }

  private static func lines(of words: String) -> [String] {
    words.split(whereSeparator: \.isNewline).map { String($0).replacing("\t", with: "    ") }
  }

  /// The lines with the scenario's name. Messages of a driver already begin with the system's name.
  package func lines(in scenario: String) -> [String] {
    let first = lines.first ?? ""
    let head = first.hasPrefix("\(system) ") ? "\(scenario): \(first)" : "\(scenario) on \(system): \(first)"
    return [head] + lines.dropFirst()
  }

  /// The lines as one text.
  package func words(in scenario: String) -> String { lines(in: scenario).joined(separator: "\n") }

  /// The lines joined into one line.
  package func line(in scenario: String) -> String { Self.line(lines(in: scenario)) }

  /// The reason on one line.
  package var line: String { Self.line(lines) }

  /// Joins the first lines.
  private static func line(_ lines: [String]) -> String {
    let more = lines.count > 4 ? "; and \(lines.count - 4) more" : ""
    return lines.prefix(4).reduce("") { $0.isEmpty ? $1 : $0 + ($0.hasSuffix(":") ? " " : "; ") + $1 } + more
  }

  // MARK: - Results of versions with a single text

  private enum FormerKeys: String, CodingKey { case words }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    system = try container.decode(String.self, forKey: .system)
    isPrimary = try container.decode(Bool.self, forKey: .isPrimary)
    if let lines = try container.decodeIfPresent([String].self, forKey: .lines) {
      self.lines = lines
    } else {
      let words = try decoder.container(keyedBy: FormerKeys.self).decode(String.self, forKey: .words)
      // The escaped newline of a stored text.
      lines = Self.lines(of: words.replacing(#"\u{a}"#, with: "\n"))
    }
  }
}
