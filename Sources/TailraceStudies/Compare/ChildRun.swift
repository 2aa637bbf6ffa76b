import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReport

/// A run in a new process, so that one run's state (a warm allocator, a grown heap) does not affect the next.
package enum ChildRun {
  /// Runs a program that prints a result.
  ///
  /// - Parameters:
  ///   - program: The path of a tailrace executable, of this or another version.
  ///   - arguments: Arguments of `run`. The flag that prints the result is added.
  ///   - interruption: Set it to end the child.
  /// - Returns: nil if it was interrupted.
  /// - Throws: ``ChildRunProblem``.
  package static func result(
    of program: String, _ arguments: [String], interruption: StopFlag
  ) async throws -> SuiteResult? {
    let all = ["run"] + arguments + ["--emit-result"]
    let command = ([program] + all).joined(separator: " ")
    let run: ProgramOutput
    do {
      // The result of an interrupted run is not needed.
      run = try await ProgramOutput.of(program, all, grace: .seconds(1), interruption: interruption)
    } catch {
      throw ChildRunProblem(command: command, status: 1, words: ErrorWords.of(error))
    }
    if run.wasInterrupted { return nil }
    guard run.status == 0 else {
      throw ChildRunProblem(command: command, status: run.status, words: trimmed(run.error))
    }
    let result: SuiteResult
    do {
      result = try ReportFiles.decode(run.output)
    } catch {
      throw ChildRunProblem(command: command, status: 0, words: "its output is not a result: \(error.description)")
    }
    let failures = result.failureLines
    guard failures.isEmpty else {
      throw ChildRunProblem(
        command: command, status: Verdict.invalid.exitStatus, words: failures.joined(separator: "; "))
    }
    return result
  }

  private static func trimmed(_ words: String) -> String {
    words.split(separator: "\n").suffix(12).joined(separator: "\n")
  }
}

/// Why a run returned no result.
package struct ChildRunProblem: Error, CustomStringConvertible {
  package var command: String
  /// The child's exit status, or minus the signal's number if a signal ended it.
  package var status: Int32
  /// The child's error output.
  package var words: String
  /// Whether the problem ends the rounds and keeps the counted ones, rather than rejecting the comparison, which
  /// happens before anything has been measured.
  func leavesRounds(_ counted: Int) -> Bool { counted > 0 || status != 64 }
  /// The reason on one line.
  package var line: String {
    let lines = words.split(separator: "\n")
    return lines.isEmpty ? "it ended with status \(status) and printed nothing" : lines.joined(separator: "; ")
  }
  package var description: String {
    let said = words.isEmpty ? "it printed nothing" : words
    return "'\(command)' ended with status \(status) and returned no result: \(said)"
  }
}
