/// A result that is stored as a JSON file of its own, with the version of the file's format.
package protocol ResultDocument: Codable {
  /// The format that this version writes. It reads this one and all earlier ones.
  static var currentFormat: Int { get }
  /// The version of the format.
  var format: Int { get set }
  /// Marks the value, and documents within it, as being of the current format, after reading an earlier one.
  mutating func upgrade()
}

extension ResultDocument {
  package mutating func upgrade() { format = Self.currentFormat }
}

extension GateFindings {
  package mutating func upgrade() {
    format = Self.currentFormat
    comparison.upgrade()
    confirmation?.upgrade()
  }
}

extension Baseline {
  package mutating func upgrade() {
    format = Self.currentFormat
    for round in rounds.indices { rounds[round].upgrade() }
  }
}
