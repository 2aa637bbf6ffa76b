// Goal: health is judged by its limits and nothing else, and a live scheduler gives the facts that it is judged by.

import TailraceCore
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(1)))
struct HealthTests {
  private let now = Instant(nanoseconds: 1_000_000_000_000)
  private var facts: HealthFacts {
    var facts = HealthFacts()
    facts.capacity = 100
    facts.workers = [(.async, 4), (.thread, 2)]
    return facts
  }

  private func judge(_ change: (inout HealthFacts) -> Void, _ limits: HealthLimits = HealthLimits()) -> SchedulerHealth
  {
    var facts = facts
    change(&facts)
    return facts.judged(by: limits, at: now)
  }

  @Test func withinTheLimitsItIsHealthy() {
    #expect(judge { _ in } == .healthy)
    #expect(judge { $0.queued = 80 } == .healthy)
    #expect(judge { ($0.completed, $0.failed) = (95, 5) } == .healthy)
    // Too few to say anything.
    #expect(judge { ($0.completed, $0.failed) = (0, 19) } == .healthy)
    #expect(judge { $0.stuck = [.init(pool: .async, since: now - .seconds(10))] } == .healthy)
    #expect(judge { $0.capacity = 0 } == .healthy)
  }

  @Test func beyondThemItIsDegradedWithTheFigures() {
    #expect(
      judge {
        $0.queued = 81
        ($0.completed, $0.failed) = (94, 6)
        $0.stuck = [
          .init(pool: .thread, since: now - .seconds(11)), .init(pool: .async, since: now - .seconds(1)),
        ]
      }
        == .degraded([
          .queueFilling(waiting: 81, capacity: 100, limit: 0.8), .lowSuccess(completed: 94, of: 100, limit: 0.95),
          .stuckWorkers(.thread, stuck: 1, of: 2, longest: .seconds(11)),
        ]))
    var limits = HealthLimits()
    limits.stuckWorkers = 1
    #expect(judge({ $0.stuck = [.init(pool: .thread, since: now - .seconds(11))] }, limits) == .healthy)
  }

  @Test func withoutWorkersOrStoppedItIsUnhealthy() {
    let stuck = HealthFacts.Stuck(pool: .thread, since: now - .seconds(20))
    #expect(
      judge { $0.stuck = [stuck, stuck] }
        == .unhealthy(.stuckWorkers(.thread, stuck: 2, of: 2, longest: .seconds(20))))
    // Of two workers one has no thread and the other is stuck: nothing runs.
    #expect(
      judge {
        $0.stuck = [stuck]
        $0.absent.counts[Int(PoolID.thread.rawValue)] = 1
      } == .unhealthy(.stuckWorkers(.thread, stuck: 1, of: 2, longest: .seconds(20))))
    #expect(judge { $0.isStarted = false } == .unhealthy(.notStarted))
    #expect(judge { $0.isStopped = true } == .unhealthy(.stopped))
    #expect(!judge { $0.isStopped = true }.isReady && judge { $0.queued = 99 }.isReady)
  }

  @Test func recentJobsPushOldOnesOut() {
    var recent = RecentOutcomes()
    for _ in 0..<5_000 { recent.add(.failed) }
    #expect(recent.count == 1_024 && recent.completed == 0)
    for _ in 0..<1_000 { recent.add(.succeeded) }
    recent.add(.cancelled)
    #expect(recent.count == 1_024 && recent.completed == 1_000)
    for _ in 0..<1_024 { recent.add(.succeeded) }
    #expect(recent.completed == 1_024)
    recent.add(.timedOut)
    #expect(recent.completed == 1_023)
  }

  @Test func aLiveSchedulerGivesTheFacts() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1, threads: 1) {
      $0.queueCapacity = 4
      $0.stuckAfter = .zero
    }
    let (started, gate) = (Gate(), Gate())
    try scheduler.registerBlocking("stubborn") { _ in
      started.open()
      gate.waitBlocking()
      return nil
    }
    try scheduler.register("broken") { _ in throw Broken() }
    #expect(scheduler.health() == .unhealthy(.notStarted))
    scheduler.start()
    #expect(scheduler.health() == .healthy)
    for _ in 0..<20 {
      let id = try await scheduler.submit(JobRequest("broken"))
      _ = try await scheduler.result(of: id)
    }
    #expect(scheduler.health() == .degraded([.lowSuccess(completed: 0, of: 20, limit: 0.95)]))
    let stubborn = try await scheduler.submit(JobRequest("stubborn"))
    await started.wait()
    scheduler.cancel(stubborn)
    guard case .unhealthy(.stuckWorkers(.thread, 1, 1, _)) = scheduler.health() else {
      Issue.record("the stuck worker is not seen: \(scheduler.health())")
      return
    }
    gate.open()
    await scheduler.shutdown()
    #expect(scheduler.health() == .unhealthy(.stopped))
  }
}
