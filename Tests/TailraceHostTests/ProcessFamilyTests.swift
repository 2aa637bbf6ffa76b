// Goal: a family ends with all that its children have started, and no other family's processes with it.

import CPlatform
import Foundation
import Subprocess
import Testing
@testable import TailraceHost

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

struct ProcessFamilyTests {
  private static func lives(_ process: Int32) -> Bool { cplatform_process_start(process) != 0 }

  /// Runs a shell that leaves a daemon behind. Returns that.
  private func daemon(of family: ProcessFamily) async throws -> Int32 {
    let script = "setsid sleep 3600 </dev/null >/dev/null 2>&1 & echo $!"
    let result = try await family.run(
      .path("/bin/sh"), ["-c", script], grace: nil, output: .string(limit: 100), error: .discarded)
    #expect(result.terminationStatus == .exited(0))
    let process = try #require(
      Int32(result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)), "\(result.standardOutput)")
    // It may be killed with the group before it has left that.
    return process
  }

  /// A daemon that has left its group in time.
  private func livingDaemon(of family: ProcessFamily) async throws -> Int32 {
    for _ in 0..<100 {
      let process = try await daemon(of: family)
      try await Task.sleep(for: .milliseconds(20))
      if Self.lives(process) { return process }
    }
    throw Failure()
  }

  private struct Failure: Error {}

  @Test func aFamilyEndsAlone() async throws {
    let (first, second) = (ProcessFamily(), ProcessFamily())
    let one = try await livingDaemon(of: first)
    let other = try await livingDaemon(of: second)
    first.end()
    #expect(!Self.lives(one) && Self.lives(other))
    second.end()
    #expect(!Self.lives(other))
    // A family may go on after its end.
    let late = try await livingDaemon(of: first)
    first.end()
    #expect(!Self.lives(late))
  }

  @Test func childrenCarryTheMark() async throws {
    let result = try await ProcessFamily().run(
      .path("/bin/sh"), ["-c", "echo $TAILRACE_FAMILY"], environment: ["TAILRACE_FAMILY": "mine"], grace: nil,
      output: .string(limit: 1_000), error: .discarded)
    let mark = result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(mark.contains(":\(getpid()).") && mark.hasSuffix(":"), "\(mark)")
  }
}
