// Goal: what a child printed is read whole, whatever it leaves behind, and reading it takes no more memory than it has.

import Foundation
import TailraceCore
import TailracePlatform
import Testing

@testable import TailraceHost

struct ProgramOutputTests {
  private func shell(_ script: String, limit: Int = 512 << 20) async throws -> ProgramOutput {
    try await ProgramOutput.of(
      "/bin/sh", ["-c", script], limit: limit, grace: .milliseconds(100), interruption: StopFlag())
  }

  @Test func bothStreamsAreReadWhole() async throws {
    let run = try await shell("head -c 3000000 /dev/zero; echo words >&2; exit 3")
    #expect(run.status == 3 && run.output == [UInt8](repeating: 0, count: 3_000_000) && run.error == "words\n")
    let nothing = try await shell("kill -TERM $$")
    #expect(nothing.status == -SIGTERM && nothing.output.isEmpty && nothing.error.isEmpty)
  }

  @Test(.timeLimit(.minutes(1)))
  func aDescendantWithTheOutputOpenDoesNotDelayIt() async throws {
    let run = try await shell("setsid sleep 3600 & echo done")
    #expect(run.output == Array("done\n".utf8))
  }

  @Test(.timeLimit(.minutes(1)))
  func tooMuchOutputEndsTheProgram() async throws {
    await #expect(throws: ProgramOutputProblem.self) { _ = try await shell("yes", limit: 1 << 20) }
    await #expect(throws: ProgramOutputProblem.self) { _ = try await shell("yes >&2", limit: 1 << 20) }
    await #expect(throws: ProgramOutputProblem.self) {
      _ = try await shell("head -c 2000000 /dev/zero", limit: 1 << 20)
    }
  }

  @Test func memoryIsThatOfTheOutputAndNotOfTheLimit() async throws {
    // No machine has as much.
    let run = try await shell("echo done", limit: 1 << 50)
    #expect(run.output == Array("done\n".utf8))
  }
}
