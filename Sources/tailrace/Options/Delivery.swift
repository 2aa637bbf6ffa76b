import ArgumentParser
import Foundation
import TailraceHarness
import TailraceHost
import TailraceStudies
import TailraceText
import TailraceWorkload

/// Delivers a command's results: first prints the verdict, then writes the files.
///
/// A file that cannot be written never hides the verdict. The error is printed at the end; the exit status stays the
/// verdict's, or becomes 1 if that would have been success. A report that cannot be written goes to another place; if
/// there is none, its result is printed to standard output, so that no measurement is lost.
struct Delivery {
  private let status: Int32
  private let isQuiet: Bool
  private var problems: [String] = []

  /// - Parameters:
  ///   - status: The verdict's exit status.
  ///   - isQuiet: Whether to print errors only.
  init(status: Int32, isQuiet: Bool) {
    // The results are complete: from now on a signal no longer prevents their delivery.
    Interruption.deliver()
    self.status = status
    self.isQuiet = isQuiet
  }

  /// Prints to standard output.
  func say(_ text: String) {
    if !isQuiet { Terminal.output.write(text) }
  }

  /// Prints failures to standard error, even with `--quiet`.
  func tell(_ failures: [String]) {
    for words in failures { Terminal.error.write("Error: \(words)\n") }
  }

  /// Writes a report's directory and prints its path.
  ///
  /// - Parameters:
  ///   - parent: The directory in which to create the report.
  ///   - result: The bytes from which the whole report can be recreated.
  ///   - write: Writes the report in a directory.
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

  /// Stores a file and prints a message.
  ///
  /// - Parameters:
  ///   - name: The name of the fallback file, used if the intended place cannot be written.
  ///   - bytes: The file's contents.
  mutating func store(_ words: String, as name: String, _ bytes: () throws -> [UInt8], _ write: () throws -> Void) {
    do {
      try write()
      say(words)
    } catch {
      problems.append(ErrorWords.of(error))
      rescue(name, bytes)
    }
  }

  /// Writes a single file to any writable place, or prints it if there is none.
  private mutating func rescue(_ name: String, _ bytes: () throws -> [UInt8]) {
    do {
      let bytes = try bytes()
      let path = SparePlace.fill { folder in
        let path = "\(folder)/\(name)"
        try OutputFile.write(bytes, to: path)
        return path
      }
      if let path {
        problems.append("the results are in '\(path)' instead; copy them from there")
      } else if Terminal.output.isTerminal {
        problems.append(
          "no other place could be written either; free some space and run it again, or print the result with "
            + "'tailrace run … --emit-result | …', which writes no file")
      } else {
        problems.append("no other place could be written either, so the last line of standard output is \(name)")
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

  /// Appends to a file that other programs also write to.
  mutating func append(_ text: @autoclosure () throws -> String, to path: String) {
    do { try OutputFile.append(Array(try text().utf8), to: path) } catch { problems.append(ErrorWords.of(error)) }
  }

  /// Reports files that could not be written, and ends the command.
  ///
  /// - Throws: an exit code, unless the status is 0.
  func end() throws {
    for problem in problems { Terminal.error.write("Error: \(problem)\n") }
    let status = status == 0 && !problems.isEmpty ? 1 : status
    if status != 0 { throw ExitCode(status) }
  }
}

/// The places that a command will write to, all checked before anything runs.
struct OutputPlaces {
  private var problems: [String] = []
  private var files: [String: String] = [:]
  /// Places where killed runs may have left files.
  private var folders = [TemporaryPlace.directory]

  /// The directory for reports.
  mutating func reports(_ directory: String) {
    folders.append(directory)
    guard let problem = OutputFile.obstacle(toFilling: directory) else { return }
    let reason =
      problem.code == ENOTDIR ? "is not a directory" : "cannot be written to (\(FileProblem.reason(problem.code)))"
    problems.append("--output \(directory): '\(problem.path)' \(reason); name another place")
  }

  /// A file named by a flag or an environment variable; nil: none.
  ///
  /// - Parameter mark: A string near the start of every file that was written for this flag; only such files may be
  ///   replaced. nil: append to the file.
  mutating func file(_ path: String?, of flag: String, replacing mark: String?) {
    guard let path else { return }
    if let mark, Self.holdsOther(path, than: mark) {
      problems.append(
        "\(flag): '\(path)' was not written by tailrace, so it is not replaced; "
          + "move it away, or name another file")
    }
    if let problem = OutputFile.obstacle(toWriting: path) { problems.append("\(flag): \(problem)") }
    let full = URL(fileURLWithPath: path).standardizedFileURL.path
    if !path.hasPrefix("/dev/") { folders.append(URL(fileURLWithPath: full).deletingLastPathComponent().path) }
    if !path.hasPrefix("/dev/"), let other = files.updateValue(flag, forKey: full) {
      problems.append("\(flag) and \(other) name the same file, '\(path)'; name a different file for each")
    }
  }

  /// Whether a file is not empty and does not start with the mark.
  private static func holdsOther(_ path: String, than mark: String) -> Bool {
    let start = InputFile.start(of: path, count: 1_000)
    return !start.isEmpty && !String(decoding: start, as: UTF8.self).contains(mark)
  }

  /// Records whether another place can be written.
  mutating func place(_ problem: FileProblem?, of flag: String, _ store: BaselineStore) {
    folders += store.folders
    if let problem { problems.append("\(flag): \(problem)") }
  }

  /// Also removes what killed runs left in these places.
  ///
  /// - Throws: An exit code, after printing every problem.
  func check() throws {
    guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: \($0)" }) }
    // A file that cannot be removed does no harm; 'tailrace clean' reports why it cannot be removed.
    Leftovers(in: folders).remove()
  }
}
