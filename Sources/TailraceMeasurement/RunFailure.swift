/// A replay that came to nothing: its system failed, or could not be prepared.
package struct RunFailure: Sendable, Hashable, Codable {
  /// `live`, `exec:./driver`, …
  package var system: String
  /// Why, for a reader; it may have several lines.
  package var words: String
  /// Whether it is the run that its scenario's targets are about.
  package var isPrimary: Bool

  package init(system: String, words: String, isPrimary: Bool) {
    self.system = system
    self.words = words
    self.isPrimary = isPrimary
  }

  /// With the scenario's name in front; a driver's words begin with the system's.
  package func words(in scenario: String) -> String {
    words.hasPrefix("\(system) ") ? "\(scenario): \(words)" : "\(scenario) on \(system): \(words)"
  }

  /// The same on one line.
  package func line(in scenario: String) -> String {
    let lines = words(in: scenario).split(separator: "\n")
    let more = lines.count > 4 ? "; and \(lines.count - 4) more" : ""
    return lines.prefix(4).joined(separator: "; ") + more
  }
}
