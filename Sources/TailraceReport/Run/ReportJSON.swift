import Foundation
import TailraceMeasurement
import TailraceSpelling

/// The JSON from which a report's files are made: sorted keys, one line, a final line feed, and a `format` key.
package enum ReportJSON {
  /// - Throws: An encoding error if a number in the value is not finite.
  package static func encode(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .custom { ReportNames.inFile($0) }
    return Array(try encoder.encode(value)) + [0x0a]
  }

  /// Adds the verdict for other programs. It follows from the value and is not read back.
  ///
  /// - Throws: An encoding error if a number in the value is not finite.
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
  ///   - bytes: Of the current format or an earlier one.
  ///   - file: The file's name, for error messages.
  /// - Throws: ``ReportProblem`` if the bytes are not a valid file of this kind.
  package static func decode<Value: ResultDocument>(
    _ bytes: [UInt8], file: String
  ) throws(ReportProblem) -> Value {
    // The file is untrusted: escape control and invisible characters.
    let data = Data(JSONTexts.rewritten(bytes) { VisibleText.line($0) })
    do {
      let format = try JSONDecoder().decode(Head.self, from: data).format
      guard (1...Value.currentFormat).contains(format) else {
        throw ReportProblem(
          "\(file) has format \(format); this version reads formats 1 to \(Value.currentFormat). Use the version that "
            + "wrote it")
      }
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .custom { ReportNames.inType($0, format: format) }
      var value = try decoder.decode(Value.self, from: data)
      value.upgrade()
      return value
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
