// Goal: every kind of work really happens, takes at least its time, fails as planned, and ends when cancelled, whether
// it suspends or blocks.

import Foundation
import Synchronization
import TailraceCore
import TailraceSQLite
import Testing
@testable import TailraceHost
@testable import TailracePlatform
@testable import TailraceReplay

@testable import TailraceHarness
@testable import TailraceWorkload

/// The two ways to do work; every behaviour is tested on both.
enum Way: CaseIterable {
  case suspending, blocking

  func perform(_ work: Work, _ order: WorkOrder, on engine: WorkEngine) async throws {
    switch self {
    case .suspending: try await engine.perform(work, order: order)
    case .blocking:
      let isCancelled = Flag()
      try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
          let thread = Thread {
            continuation.resume(
              with: Result { try engine.performBlocking(work, order: order, isCancelled: { isCancelled.isSet }) })
          }
          thread.start()
        }
      } onCancel: {
        isCancelled.set()
      }
    }
  }
}

final class Flag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .acquiring) }
  func set() { value.store(true, ordering: .releasing) }
}

struct WorkEngineTests {
  private static let calibration = SpinCalibration.measure()

  private func engine(_ database: (any DatabaseWork)? = nil) -> WorkEngine {
    WorkEngine(sleeper: TimerThread(), database: database, calibration: Self.calibration)
  }

  private func order(
    _ service: Nanoseconds = .zero, ending: AttemptEnding = .succeeds, cycles: Int = 0,
    cycleFails: @escaping @Sendable (Int) -> Bool = { _ in false }
  ) -> WorkOrder {
    WorkOrder(
      job: 7, plan: AttemptPlan(service: service, ending: ending, cycles: cycles), cycleFails: cycleFails)
  }

  @Test(arguments: Way.allCases, [Work.sleep, .memory(bytes: 3_000_001)])
  func declaredTimeIsTheLeastItTakes(way: Way, work: Work) async throws {
    let start = MonotonicClock.now()
    try await way.perform(work, order(.milliseconds(15)), on: engine())
    #expect(MonotonicClock.now() - start >= .milliseconds(15))
  }

  @Test(arguments: Way.allCases) func spinUsesTheProcessor(way: Way) async throws {
    let start = MonotonicClock.now()
    try await way.perform(.spin, order(.milliseconds(10)), on: engine())
    #expect(MonotonicClock.now() - start >= .milliseconds(9))
  }

  @Test(arguments: Way.allCases) func failsAsPlanned(way: Way) async {
    await #expect(throws: WorkError.intendedFailure) {
      try await way.perform(.sleep, order(ending: .fails), on: engine())
    }
    await #expect(throws: WorkError.intendedPermanentFailure) {
      try await way.perform(.sleep, order(ending: .failsPermanently), on: engine())
    }
    #expect(WorkError.intendedPermanentFailure.isPermanent && !WorkError.intendedFailure.isPermanent)
  }

  @Test(
    arguments: Way.allCases,
    [Work.sleep, .spin, .memory(bytes: 100_000), .subprocess(["sleep", "3600"]), .events(count: 1)])
  func cancellationEndsIt(way: Way, work: Work) async {
    let engine = engine()
    let ending: AttemptEnding = if case .events = work { .hangs } else { .succeeds }
    let order = order(.seconds(3_600), ending: ending)
    // Without cancellation this test would take an hour.
    let task = Task.detached { try await way.perform(work, order, on: engine) }
    try? await Task.sleep(for: .milliseconds(20))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test(arguments: Way.allCases) func databaseJobsReachTheDatabase(way: Way) async throws {
    let database = try SQLiteDatabaseWork(readers: 2, rows: 10)
    defer { database.close() }
    let engine = engine(database)
    for operation in SQLiteOperation.allCases { try await way.perform(.sqlite(operation), order(), on: engine) }
    #expect(database.statistics.reads == 1 && database.statistics.writes == 1 && database.statistics.mixed == 1)
    await #expect(throws: WorkError.noDatabase) {
      try await way.perform(.sqlite(.read), order(), on: self.engine())
    }
  }

  @Test(arguments: Way.allCases) func childProcessesReallyRun(way: Way) async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("child-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    let engine = engine()
    try await way.perform(.subprocess(["/bin/sh", "-c", "echo ran > '\(file.path)'"]), order(), on: engine)
    #expect(try String(contentsOf: file, encoding: .utf8) == "ran\n")
    await #expect(throws: WorkError.childFailed(command: "sh -c exit 3", status: "exited with status 3")) {
      try await way.perform(.subprocess(["sh", "-c", "exit 3"]), order(), on: engine)
    }
    await #expect {
      try await way.perform(.subprocess(["/no/such/program"]), order(), on: engine)
    } throws: {
      ($0 as? WorkError)?.isPermanent == true && "\($0)".contains("/no/such/program")
    }
    await #expect(throws: WorkError.childNotStarted(command: "", reason: "the command is empty")) {
      try await way.perform(.subprocess([]), order(), on: engine)
    }
  }

  @Test func cancellingKillsTheChild() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("child-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    let script = "echo $$ > '\(file.path)'; exec sleep 3600"
    let task = Task { try await ChildProcess.run(["/bin/sh", "-c", script], in: ProcessFamily()) }
    var identifier: Int32?
    while identifier == nil {
      try await Task.sleep(for: .milliseconds(5))
      identifier = (try? String(contentsOf: file, encoding: .utf8))
        .flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(kill(try #require(identifier), 0) == -1, "the child is still there")
  }

  /// Whatever ends an attempt, nothing that its child started is left.
  @Test(arguments: ["exec", "", "exit"]) func theChildrenOfAChildEndWithIt(_ ending: String) async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("group-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    // A grandchild in the background, and one of its own below it; `exit` leaves both and succeeds.
    let last = ending == "exit" ? "exit 0" : "\(ending) sleep 3600"
    let script =
      "sh -c 'echo $$ > \"\(file.path).b\"; sleep 3600; :' & echo $! > '\(file.path)'; "
      + "while [ ! -s '\(file.path).b' ]; do sleep 0.01; done; \(last)"
    let task = Task { try await ChildProcess.run(["/bin/sh", "-c", script], in: ProcessFamily()) }
    while (try? Data(contentsOf: URL(fileURLWithPath: file.path + ".b")))?.isEmpty != false {
      try await Task.sleep(for: .milliseconds(5))
    }
    if ending == "exit" {
      try await task.value
    } else {
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    let text = try String(contentsOf: file, encoding: .utf8)
    let identifier = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    // The kernel takes a moment to end what was killed.
    for _ in 0..<1_000 where Self.isAlive(identifier) { try await Task.sleep(for: .milliseconds(5)) }
    #expect(!Self.isAlive(identifier), "the grandchild is still there")
    try? FileManager.default.removeItem(atPath: file.path + ".b")
  }

  /// Whether a process runs; one that is dead and not yet waited for does not.
  private static func isAlive(_ process: Int32) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
    let state = stat.split(separator: ")").last?.split(separator: " ").first
    return state != "Z" && state != "X"
  }

  @Test(arguments: Way.allCases) func eventsAreHandledBeforeTheJobEnds(way: Way) async throws {
    let engine = engine()
    try await way.perform(.events(count: 10), order(), on: engine)
    #expect(engine.bus.metrics.published == 10)
    #expect(engine.bus.metrics.handled == 30)
    #expect(engine.bus.metrics.perCorrelation == [10])
    await engine.close()
  }

  @Test(arguments: Way.allCases) func failedCyclesDoNotStopAWorkflow(way: Way) async throws {
    let engine = engine()
    let work = Work.cycles(limit: 15, needed: 1...15, pause: .microseconds(10), failedShare: 0.5)
    try await way.perform(
      work, order(.microseconds(10), cycles: 4, cycleFails: { $0.isMultiple(of: 2) }), on: engine)
    let counts = engine.workflows.counts
    #expect(counts.started == 1 && counts.completed == 1 && counts.running == 0)
    #expect(counts.cyclesSucceeded == 4 && counts.cyclesFailed == 3)
  }

  @Test(arguments: Way.allCases) func unfinishedWorkflowsTimeOut(way: Way) async {
    let engine = engine()
    let work = Work.cycles(limit: 3, needed: 1...15, pause: .zero, failedShare: 0)
    let expected = WorkError.cyclesExhausted(limit: 3, needed: 5, succeeded: 3)
    await #expect(throws: expected) { try await way.perform(work, order(cycles: 5), on: engine) }
    #expect(expected.isTimeout)
    #expect(engine.workflows.counts.timedOut == 1 && engine.workflows.counts.cyclesSucceeded == 3)
  }

  @Test(arguments: Way.allCases) func aCancelledWorkflowIsUnfinished(way: Way) async {
    let engine = engine()
    let work = Work.cycles(limit: 3, needed: 1...3, pause: .zero, failedShare: 0)
    let order = order(.seconds(3_600), cycles: 1)
    let task = Task.detached { try await way.perform(work, order, on: engine) }
    while engine.workflows.counts.running == 0 { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(engine.workflows.counts.unfinished == 1 && engine.workflows.counts.running == 0)
  }
}
