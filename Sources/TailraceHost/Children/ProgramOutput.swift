import Glibc
import Subprocess
import TailraceCore
import TailracePlatform

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A child program that has ended, and what it printed.
package struct ProgramOutput: Sendable {
  /// The exit status; minus the signal's number where a signal ended it.
  package var status: Int32
  package var output: [UInt8]
  package var error: String
  /// Whether it was ended since this program was interrupted.
  package var wasInterrupted = false

  /// Runs a program to its end. What it leaves running ends with it.
  ///
  /// - Parameters:
  ///   - program: a path, or a name that is looked up on PATH.
  ///   - environment: what is added to this process's environment.
  ///   - folder: the working directory; nil: this program's.
  ///   - limit: the most that it may print, in bytes, to each of standard output and standard error.
  ///   - grace: How long the program may run after it has been asked to end.
  ///   - interruption: Set it to ask the program to end.
  /// - Throws: ``ProgramOutputProblem``, ``SystemRefusal``, or what `Subprocess.run` throws, if it was not interrupted.
  package static func of(
    _ program: String, _ arguments: [String], environment: [(name: String, value: String)] = [],
    in folder: String? = nil, limit: Int = 512 << 20, grace: Nanoseconds, interruption: StopFlag
  ) async throws -> ProgramOutput {
    var variables: [Environment.Key: String?] = [:]
    for (name, value) in environment { variables.updateValue(value, forKey: Environment.Key(stringLiteral: name)) }
    // Not pipes: a collected pipe reserves its whole limit of memory, and one that a descendant has open never ends.
    let output = try MemoryFile("tailrace-output")
    let error = try MemoryFile("tailrace-error")
    let family = ProcessFamily()
    defer { family.end() }
    let child = Task { [variables] in
      try await family.run(
        program.contains("/") ? .path(FilePath(program)) : .name(program), arguments, environment: variables,
        in: folder, grace: grace.duration,
        output: .fileDescriptor(output.descriptor, closeAfterSpawningProcess: false),
        error: .fileDescriptor(error.descriptor, closeAfterSpawningProcess: false)
      ).terminationStatus
    }
    @Sendable func isTooLong() -> Bool { max(output.size, error.size) > limit }
    let watcher = Task {
      while !interruption.isSet, !isTooLong() { try await Task.sleep(for: .milliseconds(20)) }
      child.cancel()
    }
    defer { watcher.cancel() }
    let status: TerminationStatus
    do {
      status = try await child.value
    } catch {
      if interruption.isSet { return ProgramOutput(status: -SIGTERM, output: [], error: "", wasInterrupted: true) }
      if isTooLong() { throw tooLong(program, limit) }
      throw error
    }
    family.end()
    if isTooLong(), !interruption.isSet { throw tooLong(program, limit) }
    return ProgramOutput(
      status: number(status), output: try output.bytes(), error: String(decoding: try error.bytes(), as: UTF8.self),
      wasInterrupted: interruption.isSet)
  }

  private static func tooLong(_ program: String, _ limit: Int) -> ProgramOutputProblem {
    ProgramOutputProblem(description: "'\(program)' printed more than \(limit >> 20) MiB, and was ended")
  }

  private static func number(_ status: TerminationStatus) -> Int32 {
    switch status {
    case .exited(let code): code
    case .signaled(let signal): -signal
    }
  }
}

/// A program that printed more than is read.
package struct ProgramOutputProblem: Error, CustomStringConvertible {
  package let description: String
}
