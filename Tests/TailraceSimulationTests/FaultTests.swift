// Goal: each kind of fault does what it says, at the instant that it says, and nothing else.

import TailraceCore
import TailraceSimulation
import TailraceWorkload
import Testing

struct FaultTests {
  private func run(_ faults: String, jobs: String, load: String, scheduler: String) throws -> Simulated {
    let run = try Simulated(
      "name: t\njobs: {\(jobs)}\nload: \(load)\nscheduler: {\(scheduler)}\nfaults: [\(faults)]\n")
    var auditor = RecordAuditor(
      run.tape, records: run.records, dependencies: run.summary.dependencies, faults: run.faults)
    #expect(auditor.audit() == [])
    return run
  }

  private func times(_ run: Simulated) -> [[Double]] {
    run.records.filter { $0.started != TimelineRecord.never }
      .map { [Double($0.number), Simulated.ms($0.started), Simulated.ms($0.finished)] }
  }

  /// Its attempt dies with it and is made again elsewhere or later; the worker is away for as long as it says.
  @Test func aWorkerDiesWithItsAttempt() throws {
    let run = try run(
      "{crash: 1, at: 30ms, restart: 200ms}", jobs: "a: {service: 100ms}", load: "[{batch: 2, of: a}]",
      scheduler: "workers: 1, retries: {limit: 1, backoff: none}")
    #expect(run.records.map(\.outcome) == [.crashed, .succeeded, .succeeded])
    // The other job was in the queue before the retry.
    #expect(times(run) == [[0, 0, 30], [1, 230, 330], [0, 330, 430]])
    #expect(run.summary.faults == [.workerCrashed: 1])
  }

  @Test func aJobThatAlwaysDiesIsDeadLetteredAsCrashed() throws {
    let run = try run(
      "{crash: 1, at: [10ms, 40ms], restart: 10ms}", jobs: "a: {service: 100ms}", load: "[{batch: 1, of: a}]",
      scheduler: "workers: 1, retries: {limit: 1, backoff: none}")
    #expect(run.records.map(\.outcome) == [.crashed, .crashed])
    #expect(run.records.last?.cause == .crashed)
  }

  /// Of a pool all die that are there; the other pool goes on.
  @Test func noMoreDieThanThereAre() throws {
    let run = try run(
      "{crash: 9, pool: async, at: 10ms, restart: 50ms}",
      jobs: "a: {service: 20ms}, b: {service: 20ms, pool: thread}", load: "[{batch: [a, a, b]}]",
      scheduler: "workers: 2, retries: 0")
    #expect(run.summary.faults == [.workerCrashed: 2])
    #expect(run.of("a").map(\.outcome) == [.crashed, .crashed])
    #expect(run.of("b").map(\.outcome) == [.succeeded])
  }

  /// What waits ends late, what computes takes longer, what arrives is submitted late and measured from its intended
  /// arrival.
  @Test func inAStallNothingHappens() throws {
    let run = try run(
      "{stall: 100ms, at: 15ms}", jobs: "w: {service: 20ms}, s: {service: 20ms, work: spin}",
      load: "[{batch: [w, s]}, {constant: 100/s, of: w, start: 40ms, count: 2}]", scheduler: "workers: 4")
    #expect(times(run) == [[0, 0, 115], [1, 0, 120], [2, 115, 135], [3, 115, 135]])
    #expect(run.records.filter { $0.number > 1 }.map { Simulated.ms($0.intended) } == [40, 50])
    #expect(run.records.filter { $0.number > 1 }.map { Simulated.ms($0.submitted) } == [115, 115])
  }

  /// Work goes on as before: its ends move with the clock. What waits for an instant is due at once.
  @Test func theClockJumpsForward() throws {
    let run = try run(
      "{step_clock: +100ms, at: 15ms}", jobs: "a: {service: 20ms}, b: {service: 20ms, delay: 50ms}",
      load: "[{batch: [a, b]}]", scheduler: "workers: 4")
    #expect(times(run) == [[0, 0, 120], [1, 115, 135]])
  }

  /// Until the clock has caught up, everything seems to happen at one instant; work takes as long as before.
  @Test func theClockIsSetBack() throws {
    let run = try run(
      "{step_clock: -10ms, at: 15ms}", jobs: "a: {service: 20ms}, b: {service: 20ms, delay: 18ms}",
      load: "[{batch: [a, a, b]}]", scheduler: "workers: 1")
    // The first ends 5 ms after the jump, when the clock reads 10 ms; the second 20 ms later, at 30 ms.
    #expect(times(run) == [[0, 0, 15], [1, 15, 30], [2, 30, 50]])
  }

  @Test func lostJobsLeaveNoTraceAndDoubledOnesTwo() throws {
    let run = try run(
      "{lose: 30%}, {double: 30%}", jobs: "a: {service: 1ms}", load: "[{constant: 100/s, of: a, count: 200}]",
      scheduler: "workers: 1")
    let (lost, doubled) = (run.summary.faults[.jobLost] ?? 0, run.summary.faults[.jobDoubled] ?? 0)
    #expect((35...85).contains(lost) && (20...70).contains(doubled), "\(lost) \(doubled)")
    #expect(run.records.count == 200 - lost + doubled)
    #expect(run.summary.intended == 200)
  }

  /// What depends on a job that was lost is cancelled; a client whose job was lost waits for ever.
  @Test func whatWaitsForALostJob() throws {
    let pair = try Simulated(
      """
      name: t
      jobs: {a: {service: 1ms}, b: {service: 1ms}}
      graphs: {g: {a: {job: a}, b: {job: b, after: a}}}
      load: [{batch: 1, of: g}]
      faults: [{lose: 100%, of: a}]
      """)
    #expect(pair.records.map(\.cause) == [.dependencyFailed])
    let clients = try Simulated(
      """
      name: t
      jobs: {a: {service: 1ms}}
      load: [{closed: {clients: 3, think: 1ms}, of: a, count: 30}]
      faults: [{lose: 100%}, {stall: 900us, every: 1ms}]
      """)
    #expect(clients.summary.intended == 3 && clients.records.isEmpty)
  }

  @Test func aShareOfTheAttemptsInAWindow() throws {
    let run = try run(
      "{fail: 50%, of: a, from: 1s, until: 2s}, {hang: 100%, of: b, until: 1s}",
      jobs: "a: {service: 1ms}, b: {service: 1ms, timeout: 20ms}",
      load: "[{constant: 100/s, of: a, count: 300}, {constant: 10/s, of: b, count: 20, start: 5ms}]",
      scheduler: "workers: 8, retries: 0")
    let failed = run.of("a").filter { $0.outcome == .failed }
    #expect((30...70).contains(failed.count))
    #expect(failed.allSatisfy { (1_000..<2_000).contains(Simulated.ms($0.started)) })
    #expect(
      run.of("b").map { $0.outcome == .timedOut } == Array(repeating: true, count: 10)
        + Array(repeating: false, count: 10))
  }

  /// The same seed, the same faults; another seed, others; and none of it moves the tape.
  @Test func thePlanIsTheSeeds() throws {
    let yaml = """
      name: t
      jobs: {a: {service: "exponential(mean: 10ms)"}}
      load: [{poisson: 100/s, count: 500}]
      faults: [{crash: 1, every: 100ms, restart: 30ms}, {lose: 5%}, {stall: 10ms, every: 1s}]
      """
    let (first, second, other) = (try Simulated(yaml), try Simulated(yaml), try Simulated(yaml, seed: 2))
    #expect(first.faults == second.faults && first.records == second.records)
    #expect(first.faults != other.faults)
    let without = try Simulated(yaml.replacing("faults:", with: "notes: x\n# "))
    #expect(without.tape.fingerprint() == first.tape.fingerprint())
  }

  @Test func theAuditorSeesFaultsThatDoNotShow() throws {
    let run = try run(
      "{crash: 1, at: 25ms, restart: 50ms}, {stall: 30ms, at: 120ms}, {fail: 20%}, {lose: 10%}, {double: 10%}",
      jobs: "a: {service: 10ms}", load: "[{constant: 100/s, of: a, count: 60}]", scheduler: "workers: 2, retries: 1")
    func problems(
      _ change: (inout [TimelineRecord]) -> Void = { _ in }, _ faults: (inout [InjectedFault]) -> Void = { _ in }
    ) -> [String] {
      var (records, injected) = (run.records, run.faults)
      change(&records)
      faults(&injected)
      var auditor = RecordAuditor(run.tape, records: records, faults: injected)
      return auditor.audit()
    }
    #expect(Set(run.faults.map(\.kind)).count == 5)
    #expect(problems().isEmpty)
    #expect(!problems({ _ in }, { $0.removeAll { $0.kind == .workerCrashed } }).isEmpty)
    #expect(!problems({ _ in }, { $0.removeAll { $0.kind == .stall } }).isEmpty)
    #expect(!problems({ _ in }, { $0.removeAll { $0.kind == .attemptFailed } }).isEmpty)
    #expect(!problems({ _ in }, { $0.removeAll { $0.kind == .jobDoubled } }).isEmpty)
    #expect(
      !problems({ records in
        for i in records.indices where records[i].outcome == .failed { records[i].outcome = .succeeded }
      }).isEmpty)
    #expect(!problems({ $0[5].finished = $0[5].finished + .milliseconds(1) }).isEmpty)
    let lost = run.faults.first { $0.kind == .jobLost }!.number!
    #expect(!problems({ $0[0].number = lost }).isEmpty)
  }
}
