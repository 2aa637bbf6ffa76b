import Foundation
import TailraceSpelling

/// The JSON from which a report's files are made: keys in order, one line, ended by a line feed, with a `format`.
package enum ReportJSON {
  /// - Throws: an encoding error when a number in the value is not finite.
  package static func encode(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value)) + [0x0a]
  }

  /// With the verdict, for machines that need no more of it; it follows from the value, so nobody reads it back.
  ///
  /// - Throws: an encoding error when a number in the value is not finite.
  package static func encode(_ value: some Encodable, verdict: String, exitStatus: Int32) throws -> [UInt8] {
    try encode(Judged(value: value, verdict: verdict, exitStatus: exitStatus))
  }

  private struct Judged<Value: Encodable>: Encodable {
    var value: Value
    var verdict: String
    var exitStatus: Int32

    enum CodingKeys: String, CodingKey { case verdict, exitStatus }

    func encode(to encoder: any Encoder) throws {
      try value.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(verdict, forKey: .verdict)
      try container.encode(exitStatus, forKey: .exitStatus)
    }
  }

  private struct Head: Decodable { var format: Int }

  /// - Parameters:
  ///   - file: its name, for what is said of it.
  ///   - current: the format that this version reads.
  /// - Throws: ``ReportProblem`` where the bytes are not such a file.
  package static func decode<Value: Decodable>(
    _ bytes: [UInt8], file: String, current: Int
  ) throws(ReportProblem) -> Value {
    // Whoever wrote the file: nothing in it may move a cursor or hide itself, wherever it is shown.
    let data = Data(JSONTexts.rewritten(bytes) { VisibleText.line($0) })
    do {
      let format = try JSONDecoder().decode(Head.self, from: data).format
      guard format == current else {
        throw ReportProblem(
          "\(file) has format \(format); this version reads format \(current). Use the version that wrote it")
      }
      return try JSONDecoder().decode(Value.self, from: data)
    } catch let problem as ReportProblem {
      throw problem
    } catch let error as DecodingError {
      throw ReportProblem("\(file) \(bytes.isEmpty ? "is empty" : "cannot be used: \(error.words)")")
    } catch {
      throw ReportProblem("\(file) cannot be used: it is not valid JSON")
    }
  }
}

/// A result file that cannot be read.
package struct ReportProblem: Error, Hashable, CustomStringConvertible {
  package var description: String
  init(_ description: String) { self.description = description }
}
