/// How much is read of a file at most: no file, pipe or device can use up the memory, whatever it holds.
///
/// These are all the limits there are; docs/scenarios.md lists them.
package struct ReadLimit: Hashable, Sendable {
  /// Of the text, unpacked where it is gzipped; no more bytes than this are read either.
  package let bytes: Int
  /// Of one line; nil: a line may be as long as the file.
  package let line: Int?
  /// What to do about a larger one.
  let advice: String

  /// A scenario file.
  package static let scenario = ReadLimit(bytes: 1 << 20, line: nil, advice: "a scenario is a small file")
  /// A file of lengths of time, such as `empirical(FILE)` names.
  package static let values = ReadLimit(bytes: 64 << 20, line: 1 << 20, advice: "keep a sample of its values")
  /// A trace file.
  package static let trace = ReadLimit(
    bytes: 256 << 20, line: 16 << 20, advice: "split it, or keep the columns that are needed")
  /// The rows that a driver writes.
  package static let rows = ReadLimit(
    bytes: 512 << 20, line: 1 << 20, advice: "replay a shorter tape, or write one row for each attempt")
  /// A stored result, a baseline or a noise floor.
  package static let result = ReadLimit(bytes: 64 << 20, line: nil, advice: "name a file that Tailrace wrote")
  /// System files such as `/proc/stat`.
  package static let system = ReadLimit(bytes: 4 << 20, line: nil, advice: "check the system")

  /// `256 MiB`.
  static func words(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }
}
