// Goal: a thread runs what it was given once, is joined or detached, and lets go of what it kept.

import TailracePlatform
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StartedThreadTests {
  private final class Tally: @unchecked Sendable {
    private let lock = Lock()
    private var runs = 0
    func add() { lock.withLock { runs += 1 } }
    var count: Int { lock.withLock { runs } }
  }

  @Test func joinReturnsOnceTheBodyHas() throws {
    let tally = Tally()
    let threads = try (0..<8).map { _ in try StartedThread.start { for _ in 0..<1_000 { tally.add() } } }
    for thread in threads {
      #expect(!thread.isCurrent)
      thread.join()
    }
    #expect(tally.count == 8_000)
  }

  @Test func theThreadReleasesWhatItsBodyKeeps() throws {
    weak var kept: Tally?
    do {
      let tally = Tally()
      kept = tally
      let thread = try StartedThread.start { tally.add() }
      thread.join()
      #expect(tally.count == 1)
    }
    #expect(kept == nil)
  }

  @Test func aRefusalNamesTheLimitToRaise() {
    let refused = StartedThread.Refused(error: 11)
    #expect(refused.error == 11)
    #expect(refused.description.contains("ulimit -u"))
  }

  @Test func aDetachedThreadRunsItsBody() async throws {
    let answer = try await DedicatedThread.run { 6 * 7 }
    #expect(answer == 42)
  }
}
