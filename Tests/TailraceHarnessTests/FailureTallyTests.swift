// Goal: why attempts failed is kept with its count, bounded, and without what was meant to fail.

import Glibc
import TailraceCore
import TailraceMeasurement
import Testing
@testable import TailraceHost
@testable import TailracePlatform

@testable import TailraceHarness
@testable import TailraceWorkload

@Suite struct FailureTallyTests {
  @Test func reasonsAreCountedAndTheMostFrequentIsFirst() throws {
    let tally = FailureTally()
    #expect(tally.reasons == nil)
    tally.note(WorkError.childFailed(command: "x", status: "exited with status 1"))
    for _ in 0..<12 { tally.note(WorkError.refused(SystemRefusal(SystemRefusal.startingProcess, error: EMFILE))) }
    let reasons = try #require(tally.reasons)
    #expect(
      reasons.ordered.map(\.words) == [
        "cannot start a process: too many files are open (EMFILE)", "child process `x` exited with status 1",
      ])
    #expect(reasons.ordered.map(\.attempts) == [12, 1])
    #expect(reasons.total == 13)
  }

  @Test func whatWasMeantIsNoFailure() {
    let tally = FailureTally()
    for error: any Error in [
      WorkError.intendedFailure, WorkError.intendedPermanentFailure,
      WorkError.cyclesExhausted(limit: 1, needed: 2, succeeded: 1), CancellationError(),
    ] {
      tally.note(error)
    }
    #expect(tally.reasons == nil)
  }

  @Test func asManyReasonsAsThereAreJobsTakeNoMoreRoom() throws {
    let tally = FailureTally()
    for job in 0..<1_000 {
      tally.note(WorkError.childNotStarted(command: "\(job)", reason: String(repeating: "x", count: 5_000)))
    }
    let reasons = try #require(tally.reasons)
    #expect(reasons.reasons.count == FailureTally.limit)
    #expect(reasons.others == 1_000 - FailureTally.limit)
    #expect(reasons.reasons.allSatisfy { $0.words.count <= 300 })
  }

  @Test(arguments: [(EMFILE, "EMFILE"), (ENFILE, "ENFILE"), (EAGAIN, "EAGAIN"), (ENOMEM, "ENOMEM")])
  func aRefusalNamesTheErrorAndMayBeRetried(error: Int32, name: String) {
    let refusal = WorkError.refused(SystemRefusal("start a process", error: error))
    #expect(refusal.description.hasPrefix("cannot start a process: "))
    #expect(refusal.description.hasSuffix("(\(name))"))
    #expect(!refusal.isPermanent)
  }

  @Test func theEngineKeepsWhyItsAttemptsFailed() async throws {
    let engine = WorkEngine(
      sleeper: TimerThread(), database: nil, calibration: SpinCalibration(iterationsPerNanosecond: 1))
    let order = WorkOrder(job: 1, plan: .init(service: .zero, ending: .succeeds, cycles: 0))
    await #expect(throws: WorkError.self) { try await engine.perform(.subprocess(["false"]), order: order) }
    #expect(throws: WorkError.self) { try engine.performBlocking(.sqlite(.read), order: order) }
    #expect(engine.failures.reasons?.total == 2)
    #expect(engine.failures.reasons?.reasons.first?.words.contains("`false` exited with status 1") == true)
    await engine.close()
  }

  @Test func childrenOfManyTasksAllStart() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<100 { group.addTask { try await ChildProcess.run(["true"], in: ProcessFamily()) } }
      try await group.waitForAll()
    }
  }

  @Test func aTurnIsGivenBackByWhoIsCancelled() async throws {
    let cancelled = Task { try await ChildProcess.run(["sleep", "60"], in: ProcessFamily()) }
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    try await ChildProcess.run(["true"], in: ProcessFamily())
  }
}
