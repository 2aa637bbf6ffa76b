import Glibc
import Subprocess
import TailraceCore
import TailracePlatform

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A running child program and its output.
package struct ProgramOutput: Sendable {
  /// The exit status; minus the signal's number where a signal ended it.
  package var status: Int32
  package var output: [UInt8]
  package var error: String
  /// Whether it was ended since this program was interrupted.
  package var wasInterrupted = false

  /// The most that a result may take.
  private static let limit = 512 << 20

  /// Runs a program to its end. What it leaves running ends with it.
  ///
  /// - Parameters:
  ///   - program: a path, or a name that is looked up on PATH.
  ///   - environment: what is added to this process's environment.
  ///   - folder: the working directory; nil: this program's.
  ///   - grace: How long the program may run after it has been asked to end.
  ///   - interruption: Set it to ask the program to end.
  /// - Throws: what `Subprocess.run` throws, where it was not interrupted.
  package static func of(
    _ program: String, _ arguments: [String], environment: [(name: String, value: String)] = [],
    in folder: String? = nil, grace: Nanoseconds, interruption: StopFlag
  ) async throws -> ProgramOutput {
    var variables: [Environment.Key: String?] = [:]
    for (name, value) in environment { variables.updateValue(value, forKey: Environment.Key(stringLiteral: name)) }
    let family = ProcessFamily()
    defer { family.end() }
    let child = Task { [variables] in
      let outcome = try await family.run(
        program.contains("/") ? .path(FilePath(program)) : .name(program), arguments, environment: variables,
        in: folder, grace: grace.duration, output: .bytes(limit: limit), error: .string(limit: 64 << 20),
        collects: true)
      return (outcome.terminationStatus, outcome.standardOutput, outcome.standardError)
    }
    let watcher = Task {
      while !interruption.isSet { try await Task.sleep(for: .milliseconds(20)) }
      child.cancel()
      // A descendant that has left the group and has the output open would keep it from ending.
      try await Task.sleep(for: grace.duration + .milliseconds(500))
      family.end()
    }
    defer { watcher.cancel() }
    do {
      let (status, output, error) = try await child.value
      return ProgramOutput(
        status: number(status), output: output, error: error, wasInterrupted: interruption.isSet)
    } catch {
      guard interruption.isSet else { throw error }
      return ProgramOutput(status: -SIGTERM, output: [], error: "", wasInterrupted: true)
    }
  }

  private static func number(_ status: TerminationStatus) -> Int32 {
    switch status {
    case .exited(let code): code
    case .signaled(let signal): -signal
    }
  }
}
