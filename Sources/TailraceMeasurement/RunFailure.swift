/// A replay that came to nothing: its system failed, or could not be prepared.
package struct RunFailure: Sendable, Hashable, Codable {
  /// `live`, `exec:./driver`, …
  package var system: String
  /// Why, for a reader, line by line: each text of a result is one line, so that none can end a line of a document.
  package var lines: [String]
  /// Whether it is the run that its scenario's targets are about.
  package var isPrimary: Bool

  /// - Parameter words: why; they may have several lines, of which empty ones are left out.
  package init(system: String, words: String, isPrimary: Bool) {
    self.system = system
    lines = Self.lines(of: words)
    self.isPrimary = isPrimary
  }

  private static func lines(of words: String) -> [String] {
    words.split(whereSeparator: \.isNewline).map { String($0).replacing("\t", with: "    ") }
  }

  /// With the scenario's name in front, a line each; a driver's words begin with the system's.
  package func lines(in scenario: String) -> [String] {
    let first = lines.first ?? ""
    let head = first.hasPrefix("\(system) ") ? "\(scenario): \(first)" : "\(scenario) on \(system): \(first)"
    return [head] + lines.dropFirst()
  }

  /// The same as one text.
  package func words(in scenario: String) -> String { lines(in: scenario).joined(separator: "\n") }

  /// The same on one line.
  package func line(in scenario: String) -> String { Self.line(lines(in: scenario)) }

  /// Why, on one line.
  package var line: String { Self.line(lines) }

  /// The first of some lines, one after another.
  private static func line(_ lines: [String]) -> String {
    let more = lines.count > 4 ? "; and \(lines.count - 4) more" : ""
    return lines.prefix(4).reduce("") { $0.isEmpty ? $1 : $0 + ($0.hasSuffix(":") ? " " : "; ") + $1 } + more
  }

  // MARK: - Results of versions that kept one text

  private enum FormerKeys: String, CodingKey { case words }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    system = try container.decode(String.self, forKey: .system)
    isPrimary = try container.decode(Bool.self, forKey: .isPrimary)
    if let lines = try container.decodeIfPresent([String].self, forKey: .lines) {
      self.lines = lines
    } else {
      let words = try decoder.container(keyedBy: FormerKeys.self).decode(String.self, forKey: .words)
      // As a line feed stands in a text that was stored.
      lines = Self.lines(of: words.replacing(#"\u{a}"#, with: "\n"))
    }
  }
}
