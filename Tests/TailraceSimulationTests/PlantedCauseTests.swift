// Goal: where a target is missed for a cause that was planted, the report names that cause and no other.

import TailraceCore
import TailraceMeasurement
import TailraceReplay
import TailraceReport
import TailraceSimulation
import TailraceWorkload
import Testing

/// A scenario in virtual time, and why it missed its targets.
private struct Planted {
  let scenario: ScenarioResult

  init(_ yaml: String) throws {
    let scenario = try ScenarioParser.parse(yaml: yaml, file: "planted.yaml").get()
    let outcome = SimulatedRun.outcome(Tape(scenario: scenario, seed: 1))
    let run = RunResult(
      system: "simulated", seed: 1, timeScale: 1, fingerprint: "f",
      measurement: outcome.recorder.measurement(outcome.facts), observations: outcome.observations)
    let types = scenario.jobs.map(\.name)
    self.scenario = try ScenarioResult(
      name: scenario.name, summary: "", runs: [run], targets: scenario.targets, types: types,
      slow: outcome.recorder.slowJobs(behind: scenario.targets, of: run, workers: outcome.facts.workers))
  }

  /// The cause of the only target, which is missed.
  func cause() throws -> TargetCause {
    #expect(scenario.targets.map(\.verdict) == [.missed])
    return try #require(scenario.causes?.first)
  }
  func slow() throws -> SlowJobs { try #require(try cause().slow) }
  func wait() throws -> SlowJobs.Wait { try #require(try slow().wait) }
  var words: String { scenario.targets.flatMap { CauseWords.sentences($0, in: scenario) }.joined(separator: " ") }
}

struct PlantedCauseTests {
  @Test func aBurst() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {thumbnail: {service: 40ms}}
      load: [{poisson: 50/s, of: thumbnail}, {constant: 800/s, of: thumbnail, start: 40s, count: 800}]
      duration: 60s
      scheduler: {workers: 8}
      targets: [response.p95 < 500ms]
      """)
    let slow = try planted.slow()
    #expect(slow.parts.first?.part == .waiting)
    let burst = try #require(slow.burst)
    #expect(abs(burst.from.seconds - 40) < 1 && abs(burst.to.seconds - 41) < 1.5 && burst.factor ?? 0 > 5)
    let stretch = try #require(slow.stretches.first)
    #expect(slow.stretches.count == 1 && stretch.from.seconds >= 40 && stretch.to.seconds < 48)
    let wait = try planted.wait()
    #expect(wait.held.first?.by == .workers && wait.held.first?.limit == 8 && wait.queued > 300)
    #expect(wait.stuck == nil && wait.retries == 0)
    #expect(planted.words.contains("was waiting"))
    #expect(planted.words.contains("in or after a burst: from"))
    #expect(planted.words.contains("all 8 workers of the async pool were busy; up to"))
  }

  /// The jobs that wait are quick ones: what keeps the workers is another type.
  @Test func aSlowClass() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {check: {service: 5ms}, export: {service: 900ms}}
      load: [{poisson: 50/s, of: check}, {poisson: 4/s, of: export}]
      duration: 60s
      scheduler: {workers: 4, policy: fifo}
      targets: ["response{type=check}.p90 < 100ms"]
      """)
    let wait = try planted.wait()
    #expect(wait.held.first?.by == .workers && wait.type == "export" && wait.ofType > 0.8)
    #expect(planted.words.contains("`export` jobs used"))
    #expect(!planted.words.contains("burst"))
  }

  @Test func aSlowClassOfItself() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {check: {service: 5ms}, export: {service: 900ms}}
      load: [{poisson: 50/s, of: check}, {poisson: 8/s, of: export}]
      duration: 60s
      scheduler: {workers: 40}
      targets: [response.p95 < 100ms]
      """)
    let slow = try planted.slow()
    #expect(slow.parts.first?.part == .service && slow.parts[0].share > 0.99 && slow.wait == nil)
    #expect(slow.type == "export" && slow.ofType == 1 && slow.stretches.isEmpty)
    #expect(planted.words.contains("All of them are `export`."))
    #expect(planted.words.contains("900 ms on average, which is usual for their job types"))
  }

  @Test func aConcurrencyLimit() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {check: {service: 5ms}, export: {service: 90ms, concurrency: 2}}
      load: [{poisson: 20/s, of: check}, {poisson: 23/s, of: export}]
      duration: 60s
      scheduler: {workers: 8}
      targets: ["waiting{type=export}.p95 < 100ms"]
      """)
    let held = try #require(try planted.wait().held.first)
    #expect(held.by == .typeConcurrency && held.type == "export" && held.limit == 2 && held.share > 0.99)
    #expect(planted.words.contains("`export` was at its limit of 2 at once"))
    #expect(!planted.words.contains("workers"))
  }

  @Test func aRateLimit() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {mail: {service: 5ms, rate: 10/s}}
      load: [{poisson: 10/s, of: mail}]
      duration: 60s
      scheduler: {workers: 8}
      targets: [waiting.p90 < 100ms]
      """)
    let held = try #require(try planted.wait().held.first)
    #expect(held.by == .typeRate && held.limit == 10 && held.share > 0.9)
    #expect(planted.words.contains("`mail` started at its rate limit of 10.0 /s"))
  }

  @Test func aMemoryBudget() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {render: {service: 100ms, memory: 300MiB}}
      load: [{poisson: 28/s, of: render}]
      duration: 60s
      scheduler: {workers: 8, memory_budget: 1GiB}
      targets: [waiting.p90 < 100ms]
      """)
    let held = try #require(try planted.wait().held.first)
    #expect(held.by == .memory && held.limit == Double(1 << 30))
    #expect(planted.words.contains("the memory budget of 1.00 GiB"))
  }

  /// Attempts fail for a time, and their retries take the workers.
  @Test func aRetryStorm() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {charge: {service: 30ms}}
      load: [{poisson: 100/s, of: charge}]
      duration: 60s
      scheduler: {workers: 5, retries: {limit: 8, backoff: fixed, base: 100ms}}
      faults: [{fail: 80%, of: charge, from: 20s, until: 26s}]
      targets: [response.p90 < 500ms]
      """)
    let slow = try planted.slow()
    #expect(slow.retrying > 0.3)
    let wait = try planted.wait()
    #expect(wait.held.first?.by == .workers && wait.retries > 0.25)
    let stretch = try #require(slow.stretches.first)
    #expect(stretch.from.seconds > 18 && stretch.from.seconds < 23)
    #expect(planted.words.contains("of their time came after a first attempt that failed"))
    #expect(planted.words.contains("Retries used"))
    #expect(planted.words.contains("attempts made to fail"))
    #expect(slow.burst == nil)
  }

  @Test func aStalledWorker() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {check: {service: 12ms, stall: {at: 20s, for: 6s}}}
      load: [{poisson: 100/s, of: check}]
      duration: 60s
      scheduler: {workers: 2}
      targets: [response.p95 < 100ms]
      """)
    let stuck = try #require(try planted.wait().stuck)
    #expect(stuck.type == "check" && stuck.attempts == 1 && abs(stuck.service.seconds - 6.012) < 0.001)
    #expect(abs(stuck.started.seconds - 20) < 0.5 && stuck.usual == .milliseconds(12))
    #expect(planted.words.contains("A `check` job kept worker async-"))
  }

  /// More work than the workers do: no burst, and jobs get slower until the end.
  @Test func anOverload() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {check: {service: 50ms}}
      load: [{poisson: 50/s, of: check}]
      duration: 60s
      scheduler: {workers: 2, queue: {capacity: 100000}}
      targets: [response.p50 < 1s]
      """)
    let wait = try planted.wait()
    #expect(wait.held.first?.by == .workers && wait.load ?? 0 > 2.2)
    #expect(planted.words.contains("more than 2 workers can do"))
    #expect(try planted.slow().burst == nil)
  }

  @Test func aFullQueue() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {check: {service: 50ms}, other: {service: 50ms}}
      load: [{poisson: 45/s, of: check}, {poisson: 5/s, of: other}]
      duration: 60s
      scheduler: {workers: 2, queue: {capacity: 10, when_full: reject}}
      targets: [success > 99%]
      """)
    let cause = try planted.cause()
    #expect(cause.fates?.first?.cause == "rejected" && cause.fates?.first?.type == "check")
    #expect(planted.words.contains("were rejected by a full queue"))
    #expect(planted.words.contains("of the jobs' waiting all 2 workers"))
  }

  @Test func tooLittleIsOffered() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {check: {service: 5ms}}
      load: [{constant: 50/s, of: check}]
      duration: 20s
      scheduler: {workers: 2}
      targets: [throughput >= 80/s]
      """)
    #expect(planted.words.contains("no system can meet it"))
  }

  /// Nothing is named that the data does not show: an unknown limit stays unknown.
  @Test func anUnknownLimit() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {check: {service: 50ms, tenants: 1}}
      load: [{poisson: 35/s, of: check}]
      duration: 60s
      scheduler: {workers: 8, tenants: {concurrency: 2}}
      targets: [waiting.p90 < 10ms]
      """)
    #expect(try planted.wait().held.first?.by == .unknown)
    #expect(planted.words.contains("no known limit was reached"))
  }

  @Test func aTargetThatIsMetHasNoCause() throws {
    let planted = try Planted(
      """
      name: t
      jobs: {check: {service: 5ms}}
      load: [{constant: 50/s, of: check}]
      duration: 5s
      scheduler: {workers: 2}
      targets: [response.max < 1s]
      """)
    #expect(planted.scenario.causes == nil && planted.words.isEmpty)
  }
}

/// Causes that no simulation has: records as a live run leaves them.
struct OutsideCauseTests {
  private func run(lag: Int64, service: (Int64) -> Int64, observations: Observations, targets: [String]) throws
    -> ScenarioResult
  {
    let recorder = Recorder(Recorder.RecorderSettings(types: ["check"]))
    for job in Int64(0)..<2_000 {
      var record = TimelineRecord(
        number: UInt64(job), type: JobTypeID(rawValue: 0), priority: .normal,
        intended: Instant(nanoseconds: job * 10_000_000))
      record.submitted = record.intended + .milliseconds(job >= 1_000 ? lag : 0)
      record.accepted = record.submitted
      record.eligible = record.accepted
      record.started = record.eligible + .microseconds(20)
      record.finished = record.started + .milliseconds(service(job))
      record.worker = UInt16(job % 4)
      record.outcome = .succeeded
      record.settles = true
      record.cause = .succeeded
      recorder.record(record)
    }
    let workers = [(pool: PoolID.async, count: 4)]
    let run = RunResult(
      system: "live", seed: 1, timeScale: 1, fingerprint: "f",
      measurement: recorder.measurement(RunFacts(intended: 2_000, workers: workers)), observations: observations)
    return try ScenarioResult(
      name: "t", summary: "", runs: [run], targets: targets, types: ["check"],
      slow: recorder.slowJobs(behind: targets, of: run, workers: workers))
  }

  private func words(_ scenario: ScenarioResult) -> String {
    scenario.targets.flatMap { CauseWords.sentences($0, in: scenario) }.joined(separator: " ")
  }

  @Test func theGeneratorWasLate() throws {
    var observations = Observations()
    var lateness = LatencyHistogram()
    for _ in 0..<2_000 { lateness.record(.milliseconds(200)) }
    observations.generatorLateness = lateness.distribution
    let scenario = try run(lag: 200, service: { _ in 5 }, observations: observations, targets: ["response.p90 < 50ms"])
    let cause = try #require(scenario.causes?.first)
    #expect(cause.disturbances == ["generator_lateness"] && cause.slow?.parts.first?.part == .submissionLag)
    #expect(cause.slow?.wait == nil)
    #expect(words(scenario).hasPrefix("The load generator itself was late (200 ms)"))
    #expect(words(scenario).contains("was submission lag"))
  }

  @Test func aFullQueueHeldTheSubmitterBack() throws {
    var observations = Observations()
    observations.heldBack = .seconds(3)
    let scenario = try run(lag: 200, service: { _ in 5 }, observations: observations, targets: ["response.p90 < 50ms"])
    #expect(words(scenario).contains("A full queue held the submitter back for 3.00 s in all."))
  }

  @Test func theHostTookTheProcessors() throws {
    var observations = Observations()
    observations.hostSteal = Reading(0.3)
    observations.hostTicks = 4_000
    let scenario = try run(
      lag: 0, service: { $0 >= 1_000 && $0 < 1_400 ? 80 : 5 }, observations: observations,
      targets: ["response.p90 < 50ms"])
    let cause = try #require(scenario.causes?.first)
    #expect(cause.disturbances == ["host_steal"] && cause.slow?.parts.first?.part == .service)
    #expect(words(scenario).hasPrefix("The host gave processor time to others (30.0 %), so this figure does not"))
    #expect(words(scenario).contains("They arrived from 10.0 s to 14.0 s."))
    #expect(words(scenario).contains("80.0 ms on average; the median of their job types is 5.00 ms."))
  }

  /// Without the host's theft nothing but the service is named.
  @Test func slowServiceAloneBlamesNobody() throws {
    let scenario = try run(
      lag: 0, service: { $0 % 4 == 3 ? 80 : 5 }, observations: Observations(), targets: ["service.p90 < 50ms"])
    #expect(scenario.causes?.first?.disturbances == [])
    #expect(words(scenario).contains("Nearly all of them ran on worker async-3."))
    #expect(!words(scenario).contains("host"))
  }

  /// A run too large for its attempts to be kept says what the means of the class say, and no more.
  @Test func aLargeRunKnowsItsMeans() throws {
    let recorder = Recorder(Recorder.RecorderSettings(types: ["check"], attemptLimit: 1))
    for job in Int64(0)..<50 {
      var record = TimelineRecord(
        number: UInt64(job), type: JobTypeID(rawValue: 0), priority: .normal, intended: Instant(nanoseconds: job))
      (record.submitted, record.accepted, record.eligible) = (record.intended, record.intended, record.intended)
      record.started = record.eligible + .milliseconds(90)
      record.finished = record.started + .milliseconds(10)
      record.outcome = .succeeded
      record.settles = true
      record.cause = .succeeded
      recorder.record(record)
    }
    let run = RunResult(
      system: "live", seed: 1, timeScale: 1, fingerprint: "f",
      measurement: recorder.measurement(RunFacts(intended: 50)),
      observations: Observations())
    let scenario = try ScenarioResult(
      name: "t", summary: "", runs: [run], targets: ["response.p50 < 1ms"], types: ["check"],
      slow: recorder.slowJobs(behind: ["response.p50 < 1ms"], of: run, workers: []))
    #expect(words(scenario).hasPrefix("Over all 50 jobs, 90.0 % of the time was waiting; the result does not keep"))
  }
}
