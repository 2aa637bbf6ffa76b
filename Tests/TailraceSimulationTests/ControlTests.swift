// Goal: limits by tenant and those that find themselves do in virtual time what they promise.

import TailraceCore
import TailraceSimulation
import TailraceWorkload
import Testing

struct SimulatedControlTests {
  private func scenario(_ scheduler: String, load: String = "poisson: 400/s", job: String = "") -> String {
    """
    name: t
    jobs: {a: {service: 20ms\(job)}}
    load: {\(load)}
    duration: 20s
    scheduler: {workers: 8, policy: fifo, retries: 0, \(scheduler)}
    drain: 1000s
    """
  }

  private func atOnce(_ run: Simulated, at instant: Instant) -> Int {
    run.records.count { $0.started <= instant && instant < $0.finished && $0.started != TimelineRecord.never }
  }

  @Test func keysShareTheWorkersByTheirWeights() throws {
    let run = try Simulated(
      scenario("tenants: {named: {gold: {weight: 3}}}, queue: {capacity: 100_000}, policy: {fair: {by: tenant}}")
        .replacing("policy: fifo, ", with: "").replacing(
          "service: 20ms", with: "service: 20ms, tenants: {gold: 1, free: 1}"
        )
        .replacing("poisson: 400/s", with: "poisson: 1200/s"))
    let started = run.records.filter { $0.started < .zero + .seconds(19) && $0.started != TimelineRecord.never }
    let gold = started.count { run.tape.tenant(of: $0.number, type: 0) == "gold" }
    #expect(abs(Double(gold) / Double(started.count) - 0.75) < 0.01, "\(gold) of \(started.count)")
  }

  @Test func autoscaledWorkersFollowTheLoad() throws {
    let load =
      "stages: [{to: 50/s, for: 1s}, {to: 350/s, for: 5s}, {to: 350/s, for: 4s}, {to: 20/s, for: 1s}, {to: 20/s, for: 9s}]"
    let run = try Simulated(
      scenario("autoscaling: {least: 1, queue_age: 50ms, cooldown: 500ms}", load: load))
    #expect(run.records.allSatisfy { $0.cause == .succeeded })
    let waits = run.records.filter { $0.eligible > .zero + .seconds(7) }.map { $0.started - $0.eligible }
    #expect(waits.max()! < .milliseconds(400), "\(waits.max()!)")
    #expect((0..<200).allSatisfy { atOnce(run, at: .zero + .milliseconds(18_000 + 10 * Int64($0))) <= 3 })
    #expect((0..<200).contains { atOnce(run, at: .zero + .milliseconds(8_000 + 10 * Int64($0))) >= 7 })
  }

  /// Twice as many arrive as can be served: a bounded queue keeps everybody waiting for its whole length, a controlled
  /// delay does not.
  @Test func controlledDelayKeepsWaitingShort() throws {
    let overloaded = "poisson: 800/s"
    let bounded = try Simulated(scenario("queue: {capacity: 1000}", load: overloaded))
    let controlled = try Simulated(
      scenario("queue: {capacity: 1000}, codel: {target: 20ms, interval: 50ms}", load: overloaded))
    func meanWait(_ run: Simulated) -> Double {
      let late = run.records.filter { $0.started > .zero + .seconds(15) }.map { ($0.started - $0.eligible).seconds }
      return late.reduce(0, +) / Double(late.count)
    }
    #expect(meanWait(bounded) > 2 && meanWait(controlled) < 0.5, "\(meanWait(bounded)) \(meanWait(controlled))")
    let completed = controlled.records.count { $0.settles && $0.cause == .succeeded }
    #expect(Double(completed) > 0.97 * 400 * 20, "the workers stay busy: \(completed)")
  }

  @Test func beyondItsCapacityTheBackendSlowsEveryAttemptThatBegins() throws {
    let yaml = """
      name: t
      jobs: {a: {service: 10ms}}
      load: {batch: 6}
      backend: {capacity: 2}
      scheduler: {workers: 4, policy: fifo, retries: 0}
      """
    let took = try Simulated(yaml).records.sorted { $0.number < $1.number }.map {
      ($0.finished - $0.started).rawValue / 100_000
    }
    // Four begin at once: 1, 2, 3 and 4 run; the fifth begins at 10 ms with two others gone, the sixth likewise.
    #expect(took == [100, 100, 150, 200, 150, 200], "\(took)")
  }
}

@Suite struct TimeLimitTests {
  /// A job without a time-out outlasts the scheduler's; its neighbor does not.
  @Test func noTimeOutIsNone() throws {
    let run = try Simulated(
      """
      name: untimed
      jobs: {long: {service: 1h, timeout: none}, cut: {service: 1h}}
      scheduler: {workers: 2, timeout: 1m30s, retries: none}
      load: {batch: [long, cut]}
      drain: 3h

      """)
    let long = try #require(run.of("long").last)
    let cut = try #require(run.of("cut").last)
    #expect(long.outcome == .succeeded && long.finished - long.started == .seconds(3_600))
    #expect(cut.outcome == .timedOut && cut.finished - cut.started == .seconds(90))
  }
}
