import ArgumentParser
import Foundation
import TailraceHarness
import TailraceHost
import TailraceStudies
import TailraceText
import TailraceWorkload

/// Hands over what a command found: its verdict in words first, then its files.
///
/// A file that cannot be written hides no verdict: it is told of at the end, and the status stays the verdict's, or is
/// 1 where that would have been a success. A report that cannot be written goes to another place, or else its result to
/// standard output: what was measured is not thrown away.
struct Delivery {
  private let status: Int32
  private let isQuiet: Bool
  private var problems: [String] = []

  /// - Parameters:
  ///   - status: of the verdict.
  ///   - isQuiet: whether only what went wrong is said.
  init(status: Int32, isQuiet: Bool) {
    // What was found is whole: from now on a signal lets it be handed over.
    Interruption.deliver()
    self.status = status
    self.isQuiet = isQuiet
  }

  /// Says something on standard output.
  func say(_ text: String) {
    if !isQuiet { Terminal.output.write(text) }
  }

  /// Says what failed, on standard error, also where nothing else is said.
  func tell(_ failures: [String]) {
    for words in failures { Terminal.error.write("Error: \(words)\n") }
  }

  /// Writes a report's directory, and says where it is.
  ///
  /// - Parameters:
  ///   - parent: the directory that is to hold the report.
  ///   - result: the bytes that the whole report can be made from again.
  ///   - write: writes the report in a directory.
  mutating func report(
    under parent: String, result: () throws -> [UInt8], _ write: (_ parent: String) throws -> ReportDirectory.Written
  ) {
    do {
      let written = try write(parent)
      announce(written)
      if let problem = written.linkProblem { problems.append(problem) }
    } catch {
      let words = ErrorWords.of(error)
      if let written = SparePlace.fill({ try write($0) }) {
        announce(written)
        problems.append("\(words). The report is in '\(written.directory)' instead; move it from there")
      } else {
        problems.append(words)
        rescue("result.json", result)
      }
    }
  }

  private func announce(_ written: ReportDirectory.Written) {
    let path = PathText.short(written.directory)
    say("\nReport: \(path)/report.html\nAs text: \(path)/report.md\n")
  }

  /// Keeps something, and says so.
  ///
  /// - Parameters:
  ///   - name: of the file that holds it where its own place cannot be written.
  ///   - bytes: what the file holds.
  mutating func store(_ words: String, as name: String, _ bytes: () throws -> [UInt8], _ write: () throws -> Void) {
    do {
      try write()
      say(words)
    } catch {
      problems.append(ErrorWords.of(error))
      rescue(name, bytes)
    }
  }

  /// Writes a single file somewhere, or prints it where no file can be written at all.
  private mutating func rescue(_ name: String, _ bytes: () throws -> [UInt8]) {
    do {
      let bytes = try bytes()
      let path = SparePlace.fill { folder in
        let path = "\(folder)/\(name)"
        try OutputFile.write(bytes, to: path)
        return path
      }
      if let path {
        problems.append("what was measured is in '\(path)' instead; copy it from there")
      } else if Terminal.output.isTerminal {
        problems.append(
          "no other place could be written to either; free some space and run it again, or print the result with "
            + "'tailrace run … --emit-result | …', which writes no file")
      } else {
        problems.append("no other place could be written to either, so the last line of standard output is \(name)")
        Terminal.output.write(bytes)
      }
    } catch {
      problems.append(ErrorWords.of(error))
    }
  }

  /// Writes a file beside the report.
  mutating func file(_ text: @autoclosure () throws -> String, to path: String) {
    do { try OutputFile.write(Array(try text().utf8), to: path) } catch { problems.append(ErrorWords.of(error)) }
  }

  /// Adds to a file that others write to as well.
  mutating func append(_ text: @autoclosure () throws -> String, to path: String) {
    do { try OutputFile.append(Array(try text().utf8), to: path) } catch { problems.append(ErrorWords.of(error)) }
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
    let start = InputFile.start(of: path, count: 1_000)
    return !start.isEmpty && !String(decoding: start, as: UTF8.self).contains(mark)
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
