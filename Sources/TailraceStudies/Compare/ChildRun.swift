import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReport

/// A run in a process of its own, so that nothing of one run (a warm allocator, a grown heap) is left for the next.
package enum ChildRun {
  /// Why a run gave no result.
  package struct Problem: Error, CustomStringConvertible {
    package var command: String
    /// The child's exit status; minus the signal's number where a signal ended it.
    package var status: Int32
    /// What it said of it.
    package var words: String
    /// Whether it ends rounds of which so many count, rather than refusing them: what cannot be done is refused before
    /// anything was measured.
    func leavesRounds(_ counted: Int) -> Bool { counted > 0 || status != 64 }
    /// On one line, as the reason why rounds ended.
    package var line: String {
      let lines = words.split(separator: "\n")
      return lines.isEmpty ? "it ended with status \(status) and said nothing" : lines.joined(separator: "; ")
    }
    package var description: String {
      let said = words.isEmpty ? "it said nothing" : words
      return "'\(command)' ended with status \(status) and gave no result: \(said)"
    }
  }

  /// Runs a program that prints a result.
  ///
  /// - Parameters:
  ///   - program: the path of a tailrace executable; of this or of another version.
  ///   - arguments: of its `run` command; what makes it print its result is added.
  ///   - interruption: once it is set, the child is ended.
  /// - Returns: nil where it was interrupted.
  /// - Throws: ``Problem``.
  package static func result(
    of program: String, _ arguments: [String], interruption: StopFlag
  ) async throws -> SuiteResult? {
    let all = ["run"] + arguments + ["--emit-result"]
    let command = ([program] + all).joined(separator: " ")
    let run: ProgramOutput
    do {
      // Nobody waits for what an interrupted run may still find.
      run = try await ProgramOutput.of(program, all, grace: .seconds(1), interruption: interruption)
    } catch {
      throw Problem(command: command, status: 1, words: ErrorWords.of(error))
    }
    if run.wasInterrupted { return nil }
    guard run.status == 0 else {
      throw Problem(command: command, status: run.status, words: trimmed(run.error))
    }
    let result: SuiteResult
    do {
      result = try ReportFiles.decode(run.output)
    } catch {
      throw Problem(command: command, status: 0, words: "what it printed is no result: \(error.description)")
    }
    let failures = result.failureLines
    guard failures.isEmpty else {
      throw Problem(command: command, status: Verdict.invalid.exitStatus, words: failures.joined(separator: "; "))
    }
    return result
  }

  private static func trimmed(_ words: String) -> String {
    words.split(separator: "\n").suffix(12).joined(separator: "\n")
  }
}
