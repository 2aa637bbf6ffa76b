// Goal: in virtual time every ability of the core takes exactly the instants that it should, ties included.

import TailraceCore
import TailraceSimulation
import TailraceWorkload
import Testing

struct SimulationTests {
  @Test func whatFallsOnOneInstantEndsThenIsSubmittedThenStarts() throws {
    // At 20 ms the running job ends, and a high one is submitted in the same instant: it overtakes the low one that
    // waits since 10 ms.
    let run = try Simulated(
      """
      name: ties
      jobs: {first: {service: 20ms}, low: {service: 10ms, priority: low}, high: {service: 10ms, priority: high}}
      load: [{batch: [first]}, {batch: [low], start: 10ms}, {batch: [high], start: 20ms}]
      scheduler: {workers: 1, policy: priority}
      """)
    #expect(run.starts == ["first", "high", "low"])
    #expect(run.of("high").map(\.started.nanoseconds) == [20_000_000])
    #expect(run.of("low").map(\.started.nanoseconds) == [30_000_000])
    #expect(run.summary.ended.nanoseconds == 40_000_000)
  }

  @Test func aJobThatArrivesAsAnotherEndsDoesNotWait() throws {
    let run = try Simulated(
      """
      name: dense
      jobs: {job: {service: 10ms}}
      load: {constant: 100/s, of: job, count: 1000}
      scheduler: {workers: 1, policy: fifo}
      """)
    #expect(run.records.count == 1_000)
    #expect(run.records.allSatisfy { $0.started == $0.intended && $0.finished == $0.started + .milliseconds(10) })
  }

  @Test func jobsThatTakeNoTimeEndInTheInstantOfTheirStart() throws {
    let run = try Simulated(
      """
      name: nothing
      jobs: {job: {service: 0ms}}
      load: {batch: {job: 1000}}
      scheduler: {workers: 3}
      """)
    #expect(run.records.count == 1_000)
    #expect(run.summary.ended == .zero)
    #expect(run.records.allSatisfy { $0.settles && $0.finished == .zero })
  }

  @Test func timeoutsStopHangingAttemptsAndRetriesFollowTheirBackoff() throws {
    let run = try Simulated(
      """
      name: hanging
      jobs:
        job:
          service: 1ms
          failures: {hangs: 100%}
          timeout: 10ms
          retries: {limit: 2, backoff: fixed, base: 5ms, jitter: none}
      load: {batch: [job]}
      scheduler: {workers: 1}
      """)
    #expect(run.records.map { Simulated.ms($0.started) } == [0, 15, 30])
    #expect(run.records.map { Simulated.ms($0.finished) } == [10, 25, 40])
    #expect(run.records.map(\.outcome) == [.timedOut, .timedOut, .timedOut])
    #expect(run.records.last?.cause == .timedOut)
    #expect(run.summary.cutOff == 0)
  }

  @Test func aStoppedWorkerTakesTheNextJobInTheSameInstant() throws {
    let run = try Simulated(
      """
      name: cancelled
      jobs:
        long: {service: 1s, cancel: {share: 100%, after: 30ms}}
        next: {service: 10ms}
      load: {batch: [long, next]}
      scheduler: {workers: 1, policy: fifo}
      """)
    #expect(run.of("long").map(\.cause) == [.cancelled])
    #expect(run.of("next").map { Simulated.ms($0.started) } == [30])
  }

  @Test func dependentsStartWhenTheLastOfTheirDependenciesCompletes() throws {
    let run = try Simulated(
      """
      name: graph
      jobs: {a: {service: 10ms}, b: {service: 25ms}, c: {service: 5ms}}
      graphs: {fork: {left: {job: a}, right: {job: b}, join: {job: c, after: [left, right]}}}
      load: {batch: 1, of: fork}
      scheduler: {workers: 2}
      """)
    #expect(run.of("c").map { Simulated.ms($0.started) } == [25])
    #expect(run.summary.dependencies == [2: [0, 1]])
  }

  @Test func aFullQueueThatBlocksHoldsUpWhoeverComesBehind() throws {
    // One runs, one waits; the third is held up until 100 ms, and the fourth, intended at 30 ms, behind it.
    let run = try Simulated(
      """
      name: blocking
      jobs: {job: {service: 100ms}}
      load: {constant: 100/s, of: job, count: 4}
      scheduler: {workers: 1, policy: fifo, queue: {capacity: 1, when_full: block}}
      """)
    #expect(run.records.map { Simulated.ms($0.intended) } == [0, 10, 20, 30])
    #expect(run.records.map { Simulated.ms($0.submitted) } == [0, 10, 20, 100])
    #expect(run.records.map { Simulated.ms($0.accepted) } == [0, 10, 100, 200])
    #expect(run.records.map { Simulated.ms($0.started) } == [0, 100, 200, 300])
    #expect(run.summary.heldBack == .milliseconds(180))
  }

  @Test func whoIsHeldUpForLongerThanTheBoundIsDropped() throws {
    let run = try Simulated(
      """
      name: dropping
      jobs: {job: {service: 100ms}}
      load: {constant: 100/s, of: job, count: 40}
      scheduler: {workers: 1, policy: fifo, queue: {capacity: 1, when_full: block}}
      """, dropAfter: .milliseconds(150))
    let dropped = run.records.filter { $0.cause == .dropped && $0.settles }
    #expect(dropped.count > 10)
    #expect(run.records.filter(\.settles).count == 40)
    #expect(run.summary.intended == 40)
    #expect(
      run.records.filter { $0.submitted != TimelineRecord.never }.allSatisfy {
        $0.submitted - $0.intended <= .milliseconds(150)
      })
  }

  @Test func clientsThinkBetweenTheirJobs() throws {
    let run = try Simulated(
      """
      name: closed
      jobs: {job: {service: 10ms}}
      load: {closed: {clients: 2, think: 5ms}, of: job}
      duration: 100ms
      scheduler: {workers: 1, policy: fifo}
      """)
    // Two clients share one worker, which is never idle: each job is submitted 5 ms after the client's last ended.
    #expect(run.records.prefix(4).map { Simulated.ms($0.intended) } == [0, 0, 15, 25])
    #expect(run.records.prefix(4).map { Simulated.ms($0.started) } == [0, 10, 20, 30])
    #expect(run.records.allSatisfy { $0.intended < Instant.zero + .milliseconds(100) })
  }

  /// A turn takes as long as the job and the thinking after it, however short they are.
  @Test(arguments: [("100ns", "0ms", 10_000_000), ("1ns", "0ms", 1_000_000_000), ("0ms", "250ns", 4_000_000)])
  func aTurnTakesExactlyItsTime(service: String, think: String, perSecond: Int) throws {
    let run = try Simulated(
      """
      name: quick-client
      jobs: {job: {service: \(service)}}
      load: {closed: {clients: 1, think: \(think)}, of: job}
      duration: 10us
      scheduler: {workers: 1}
      """)
    #expect(run.records.count == perSecond / 100_000)
  }

  /// Draws of a few nanoseconds are whole numbers, some of them 0: the mean turn is still the mean service time.
  @Test func turnsThatAreRoundedToNothingKeepTheMean() throws {
    let run = try Simulated(
      """
      name: quick-client
      jobs: {job: {service: "exponential(mean: 3ns)"}}
      load: {closed: {clients: 1, think: 0ms}, of: job}
      duration: 100us
      scheduler: {workers: 1}
      """)
    let mean = run.records.reduce(0) { $0 + Double(($1.finished - $1.started).rawValue) } / Double(run.records.count)
    #expect(abs(100_000 / Double(run.records.count) - mean) < 0.01, "\(mean) ns")
  }

  /// What takes no time at all, and what is refused at once, still lets the clock move on.
  @Test func emptyTurnsEnd() throws {
    let empty = try Simulated(
      """
      name: instant-client
      jobs: {job: {service: 0ms}}
      load: {closed: {clients: 1, think: 0ms}, of: job}
      duration: 1ms
      scheduler: {workers: 1}
      """)
    #expect(empty.records.count == 64_000)
    let refused = try Simulated(
      """
      name: refused-client
      jobs: {job: {service: 100us}}
      load: {closed: {clients: 2, think: 0ms}, of: job}
      duration: 100us
      scheduler: {workers: 1, queue: {capacity: 0, when_full: reject}}
      """)
    #expect(refused.records.count { $0.cause == .rejected } == 100)
  }

  @Test func rateLimitsHoldToTheNanosecond() throws {
    let run = try Simulated(
      """
      name: limited
      jobs: {job: {service: 1ms}}
      load: {batch: {job: 10}}
      scheduler: {workers: 10, rate: {rate: 100/s, burst: 2}}
      """)
    #expect(run.records.map { Simulated.ms($0.started) }.sorted() == [0, 0, 10, 20, 30, 40, 50, 60, 70, 80])
  }

  @Test func whatHasNotEndedWhenTheTimeToDrainIsOverIsStoppedAndCounted() throws {
    let run = try Simulated(
      """
      name: endless
      jobs: {job: {service: 1ms, failures: {hangs: 100%}}}
      load: {batch: {job: 3}}
      drain: 50ms
      scheduler: {workers: 1, timeout: none}
      """)
    #expect(run.summary.cutOff == 3)
    #expect(run.summary.unsettled == 0)
    #expect(run.records.map(\.cause) == [.stopped, .stopped, .stopped])
    #expect(run.summary.ended.nanoseconds <= 50_000_000)
  }

  @Test func cyclesTakeTheirTimeAndPauses() throws {
    let run = try Simulated(
      """
      name: cycles
      jobs: {job: {service: 10ms, work: {cycles: {limit: 4, needed: 3..3, pause: 5ms}}}}
      load: {batch: [job]}
      scheduler: {workers: 1}
      """)
    #expect(run.records.map { Simulated.ms($0.finished) } == [40])
    #expect(run.records.map(\.cause) == [.succeeded])
  }

  @Test(arguments: BuiltIn.all)
  func everyBuiltInScenarioGivesTheSameRecordsAgain(name: String) throws {
    let scenario = try #require(BuiltIn.scenario(named: name)).get()
    guard scenario.jobsInBatch < 100_000 else { return }
    func records() -> [TimelineRecord] {
      var records: [TimelineRecord] = []
      _ = Simulation(Tape(scenario: scenario, seed: 7)).run { records += $0 }
      return records
    }
    let first = records()
    #expect(first.count > 0)
    #expect(first == records())
    // Each intended job settles once.
    #expect(Set(first.filter(\.settles).map(\.number)).count == first.filter(\.settles).count)
  }
}

extension Scenario {
  fileprivate var jobsInBatch: Int { streams.compactMap(\.count).reduce(0, +) }
}
