import Subprocess
import TailraceMeasurement
import TailraceReport
import TailraceRuntime

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A run in a process of its own, so that nothing of one run (a warm allocator, a grown heap) is left for the next.
package enum ChildRun {
  /// Why a run gave no result.
  package struct Problem: Error, CustomStringConvertible {
    package var command: String
    /// The child's exit status; minus the signal's number where a signal ended it.
    package var status: Int32
    /// What it said of it.
    package var words: String
    package var description: String {
      let said = words.isEmpty ? "it said nothing" : words
      return "'\(command)' ended with status \(status) and gave no result: \(said)"
    }
  }

  /// The most that a result may take.
  private static let limit = 512 << 20

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
    var platform = PlatformOptions()
    // The second signal has it end its own children at once, which a kill would leave.
    platform.teardownSequence = [
      .send(signal: .terminate, allowedDurationToNextStep: .seconds(5)),
      .send(signal: .terminate, allowedDurationToNextStep: .seconds(1)),
    ]
    let child = Task { [platform] in
      let outcome = try await Subprocess.run(
        .path(FilePath(program)), arguments: Arguments(all), platformOptions: platform, input: .none,
        output: .bytes(limit: limit), error: .string(limit: 1 << 20))
      return (outcome.terminationStatus, outcome.standardOutput, outcome.standardError)
    }
    let watcher = Task {
      while !interruption.isSet { try await Task.sleep(for: .milliseconds(50)) }
      child.cancel()
    }
    defer { watcher.cancel() }
    let command = ([program] + all).joined(separator: " ")
    let status: TerminationStatus
    let (output, words): ([UInt8], String)
    do {
      (status, output, words) = try await child.value
    } catch {
      if interruption.isSet { return nil }
      throw Problem(command: command, status: 1, words: ErrorWords.of(error))
    }
    if interruption.isSet { return nil }
    switch status {
    case .exited(0):
      do {
        return try ReportFiles.decode(output)
      } catch {
        throw Problem(command: command, status: 0, words: "what it printed is no result: \(error.description)")
      }
    case .exited(let code): throw Problem(command: command, status: code, words: trimmed(words))
    case .signaled(let signal): throw Problem(command: command, status: -signal, words: trimmed(words))
    }
  }

  private static func trimmed(_ words: String) -> String {
    words.split(separator: "\n").suffix(12).joined(separator: "\n")
  }
}
