import Subprocess
import TailraceHost
#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// Real child processes.
package enum ChildProcess {
  /// Runs a program to its end, without input, its output thrown away. A name without a slash is looked up on PATH.
  ///
  /// Cancelling the task kills the child and its children (``ProcessGroup``); by the time the call returns the child is
  /// gone. What its children leave running when it has ended by itself is killed too: a job's processes end with it.
  ///
  /// - Parameter family: ends what has left the child's group; the caller ends it.
  /// - Throws: ``WorkError/refused(_:)``, ``WorkError/childNotStarted(command:reason:)``,
  ///   ``WorkError/childFailed(command:status:)``, or `CancellationError`.
  package static func run(_ command: [String], in family: ProcessFamily) async throws {
    guard let program = command.first, !program.isEmpty else {
      throw WorkError.childNotStarted(command: "", reason: "the command is empty")
    }
    let line = command.joined(separator: " ")
    let executable: Executable = program.contains("/") ? .path(FilePath(program)) : .name(program)
    let status: TerminationStatus
    do {
      status = try await family.run(
        executable, Array(command.dropFirst()), grace: nil, output: .discarded, error: .discarded
      ).terminationStatus
    } catch {
      try Task.checkCancellation()
      let refusal = error as? SystemRefusal ?? (error as? SubprocessError).flatMap { SystemRefusal($0) }
      if let refusal { throw WorkError.refused(refusal) }
      throw WorkError.childNotStarted(command: line, reason: ErrorWords.of(error))
    }
    try Task.checkCancellation()
    switch status {
    case .exited(0): return
    case .exited(let code): throw WorkError.childFailed(command: line, status: "exited with status \(code)")
    case .signaled(let signal): throw WorkError.childFailed(command: line, status: "was ended by signal \(signal)")
    }
  }
}
