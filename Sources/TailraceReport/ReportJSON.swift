import Foundation

/// The JSON from which a report's files are made: keys in order, one line, ended by a line feed, with a `format`.
package enum ReportJSON {
  /// - Throws: an encoding error when a number in the value is not finite.
  package static func encode(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value)) + [0x0a]
  }

  private struct Head: Decodable { var format: Int }

  /// - Parameters:
  ///   - file: its name, for what is said of it.
  ///   - current: the format that this version reads.
  /// - Throws: ``ReportProblem`` for another format, else a decoding error.
  package static func decode<Value: Decodable>(_ bytes: [UInt8], file: String, current: Int) throws -> Value {
    let data = Data(bytes)
    let format = try JSONDecoder().decode(Head.self, from: data).format
    guard format == current else { throw ReportProblem(file: file, format: format, current: current) }
    return try JSONDecoder().decode(Value.self, from: data)
  }
}
