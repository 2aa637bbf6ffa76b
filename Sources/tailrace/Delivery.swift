import ArgumentParser
import Foundation
import TailraceHarness

/// Hands over what a command found: its verdict in words first, then its files.
///
/// A file that cannot be written hides no verdict: it is told of at the end, and the status stays the verdict's, or is
/// 1 where that would have been a success.
struct Delivery {
  private let status: Int32
  private let isQuiet: Bool
  private var problems: [String] = []

  /// - Parameters:
  ///   - status: of the verdict.
  ///   - isQuiet: whether only what went wrong is said.
  init(status: Int32, isQuiet: Bool) {
    self.status = status
    self.isQuiet = isQuiet
  }

  /// Says something on standard output.
  func say(_ text: String) {
    if !isQuiet { Terminal.output.write(text) }
  }

  /// Writes a report's directory, and says where it is.
  mutating func report(_ write: () throws -> ReportDirectory.Written) {
    do {
      let written = try write()
      let path = PathText.short(written.directory)
      say("\nReport: \(path)/report.html\nAs text: \(path)/report.md\n")
      if let problem = written.linkProblem { problems.append(problem) }
    } catch {
      problems.append(ErrorWords.of(error))
    }
  }

  /// Keeps something, and says so.
  mutating func store(_ words: String, _ write: () throws -> Void) {
    do {
      try write()
      say(words)
    } catch {
      problems.append(ErrorWords.of(error))
    }
  }

  /// Writes a file beside the report.
  mutating func file(_ text: String, to path: String) {
    do { try OutputFile.write(Array(text.utf8), to: path) } catch { problems.append(error.description) }
  }

  /// Adds to a file that others write to as well.
  mutating func append(_ text: String, to path: String) {
    do { try OutputFile.append(Array(text.utf8), to: path) } catch { problems.append(error.description) }
  }

  /// Tells of files that could not be written, and ends the command.
  ///
  /// - Throws: an exit code, unless the status is 0.
  func end() throws {
    for problem in problems { Terminal.error.write("Error: \(problem)\n") }
    let status = status == 0 && !problems.isEmpty ? 1 : status
    if status != 0 { throw ExitCode(status) }
  }
}

/// The places that a command will write to, checked before anything runs.
struct OutputPlaces {
  private var problems: [String] = []
  private var files: [String: String] = [:]
  /// Where runs that were killed may have left something.
  private var folders = [TemporaryPlace.directory]

  /// The directory that is to hold reports.
  mutating func reports(_ directory: String) {
    folders.append(directory)
    guard let problem = OutputFile.obstacle(toFilling: directory) else { return }
    let reason =
      problem.code == ENOTDIR ? "is not a directory" : "cannot be written to (\(FileProblem.reason(problem.code)))"
    problems.append("--output \(directory): '\(problem.path)' \(reason); name another place")
  }

  /// A file that a flag or a variable names; nil: none was named.
  ///
  /// - Parameter mark: what a file has near its beginning that was written for this flag before, and may be replaced;
  ///   nil: the file is added to.
  mutating func file(_ path: String?, of flag: String, replacing mark: String?) {
    guard let path else { return }
    if let mark, Self.holdsOther(path, than: mark) {
      problems.append(
        "\(flag): '\(path)' holds something that tailrace did not write, so it is not replaced; "
          + "move it away, or name another file")
    }
    if let problem = OutputFile.obstacle(toWriting: path) { problems.append("\(flag): \(problem)") }
    let full = URL(fileURLWithPath: path).standardizedFileURL.path
    if !path.hasPrefix("/dev/") { folders.append(URL(fileURLWithPath: full).deletingLastPathComponent().path) }
    if !path.hasPrefix("/dev/"), let other = files.updateValue(flag, forKey: full) {
      problems.append("\(flag) and \(other) name the same file, '\(path)'; name one for each")
    }
  }

  /// Whether a file has bytes, and the mark is not among the first of them.
  private static func holdsOther(_ path: String, than mark: String) -> Bool {
    // A pipe would wait for its writer.
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let attributes = try? FileManager.default.attributesOfItem(atPath: target)
    guard attributes?[.type] as? FileAttributeType == .typeRegular,
      let handle = FileHandle(forReadingAtPath: path)
    else { return false }
    defer { try? handle.close() }
    guard let start = try? handle.read(upToCount: 1_000), !start.isEmpty else { return false }
    return !String(decoding: start, as: UTF8.self).contains(mark)
  }

  /// What is known of another place.
  mutating func place(_ problem: FileProblem?, of flag: String, _ store: BaselineStore) {
    folders += store.folders
    if let problem { problems.append("\(flag): \(problem)") }
  }

  /// Also removes there what runs that were killed have left.
  ///
  /// - Throws: an exit code, once every problem was said.
  func check() throws {
    guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: \($0)" }) }
    // What cannot be removed is in nobody's way; 'tailrace clean' says why it cannot.
    Leftovers(in: folders).remove()
  }
}
