// Goal: the search finds the rate that theory gives, its interval holds what it says, a growing queue is never called
// sustained, and what gives out first is named.

import Foundation
import TailraceCore
import TailraceMeasurement
import TailraceRuntime
import TailraceTheory
import TailraceWorkload
import Testing
@testable import TailracePlatform
@testable import TailraceReplay
@testable import TailraceSimulation
@testable import TailraceStudies

@testable import TailraceHarness

/// One after another: each takes all processors, which the live tests need too.
@Suite(.serialized) struct CapacityTests {
  private func scenario(
    _ targets: String, load: String = "{poisson: 100/s, of: job}", scheduler: String = "workers: 4, policy: fifo",
    job: String = "{service: \"exponential(mean: 10ms)\"}", duration: String = "8s"
  ) throws -> Scenario {
    let text = """
      name: t
      jobs: {job: \(job)}
      load: \(load)
      duration: \(duration)
      warmup: 1s
      scheduler: {\(scheduler), retries: 0}
      targets: [\(targets)]
      """
    return try ScenarioParser.parse(yaml: text, file: "t.yaml").get()
  }

  private func search(
    _ scenario: Scenario, seed: UInt64 = 1, precision: Double = 0.1, rounds: Int = 4, highest: Double? = nil,
    lowest: Double? = nil
  ) async throws -> CapacityConfiguration {
    var options = CapacityOptions()
    options.seed = seed
    options.rounds = rounds
    options.precision = precision
    options.highest = highest
    options.lowest = lowest
    let runner = CapacityRunner(options, parts: StudyParts.forTests)
    let candidate = CapacityRunner.Candidate(varied: [], scenario: scenario)
    #expect(runner.refusals([candidate]).isEmpty)
    return try #require(try await runner.run([candidate], of: scenario).configurations.first)
  }

  /// A system whose third call fails, by an error of any kind.
  private final class Failing: CapacityProbe {
    struct Broken: Error, CustomStringConvertible { let description = "no more\nthreads" }
    let system = "simulated"
    let takesTime = false
    private let calls = Locked(0)

    func replay(_ wanted: [(scenario: Scenario, seed: UInt64)]) async throws -> [RunResult?] {
      let call = calls.withLock { calls in
        calls += 1
        return calls
      }
      if call > 2 { throw Broken() }
      return wanted.map { SimulatedRun.result($0.scenario, seed: $0.seed) }
    }
  }

  /// Whatever ends a run, what was measured before is kept, and the failure is named.
  @Test func aRunThatFailsTakesNothingFromTheOthers() async throws {
    let scenario = try scenario("waiting.p99 < 50ms")
    let expression = try TargetExpression(parsing: "waiting.p99 < 50ms", types: ["job"])
    var settings = CapacitySearcher.SearchSettings()
    settings.rounds = 3
    settings.scouts = 1
    var searcher = CapacitySearcher(
      scenario, targets: [CapacityTarget("waiting.p99 < 50ms", expression)], probe: Failing(), settings: settings)
    let found = try await searcher.search()
    #expect(found.failure == "no more; threads" && found.isCutShort)
    #expect(found.runs > 0 && !found.points.isEmpty, "\(found)")
  }

  @Test func findsTheRateThatTheoryGives() async throws {
    let found = try await search(scenario("waiting.p99 < 50ms"), seed: 11)
    let exact = try #require(found.theory.exact.first)
    let quantile = Queues.waitQuantile(0.99, servers: 4, arrivalRate: exact.rate, service: 0.01)
    #expect(abs(quantile - 0.05) < 1e-9 && found.theory.bounds.first?.rate == 400)
    let limit = try #require(found.search.limit)
    let (low, high) = (try #require(limit.rate.low), try #require(limit.rate.high))
    #expect(low <= exact.rate && exact.rate <= high, "\(limit), exact \(exact.rate)")
    #expect(found.search.outcome == .found && limit.method == .crossing && limit.reason == "waiting.p99 < 50ms")
    #expect(found.firstToGiveOut == "workers of the pool async", "\(found.sensitivities)")
    // Far beyond what four workers can do nothing is sustained, and far below everything is.
    for point in found.search.points {
      if point.rate > 420 { #expect(point.verdict == .growing || point.verdict == .missed, "\(point)") }
      if point.rate < 200 { #expect(point.verdict == .sustained, "\(point)") }
      #expect(!(point.verdict == .sustained && point.rate > 360), "\(point)")
    }
  }

  @Test func theSameSeedGivesTheSameAnswer() async throws {
    let scenario = try scenario("waiting.mean < 12ms", duration: "2s")
    let one = try await search(scenario, seed: 5, precision: 0.3)
    let two = try await search(scenario, seed: 5, precision: 0.3)
    #expect(one.search.limit == two.search.limit && one.search.points == two.search.points)
  }

  /// The target is so loose that the queue grows first.
  @Test func aGrowingQueueIsNeverSustained() async throws {
    let found = try await search(
      scenario(
        "waiting.p99 < 100s", scheduler: "workers: 2, queue: {capacity: 1_000_000}", job: "{service: 10ms}",
        duration: "5s"))
    let limit = try #require(found.search.limit, "\(found.search.points)")
    #expect(limit.method == .bracket && limit.reason.hasPrefix("growing queue"))
    // Two workers of 10 ms carry 200/s: growth of less than a hundredth of the rate cannot be told.
    #expect(limit.rate.value > 160 && limit.rate.value < 204 && (limit.rate.high ?? 0) > 199, "\(limit)")
    #expect(found.search.points.allSatisfy { $0.verdict != .sustained || $0.rate <= 204 })
  }

  @Test func aLimitThatGivesOutIsNamed() async throws {
    let found = try await search(
      scenario(
        "waiting.p99 < 200ms", scheduler: "workers: 50", job: "{service: 1ms, concurrency: 1, rate: 100/s}",
        duration: "4s"))
    #expect(found.theory.bounds.map(\.resource).first == "rate of job")
    #expect(found.theory.bounds.first?.rate == 100)
    #expect(found.firstToGiveOut == "rate of job", "\(found.sensitivities)")
    #expect(found.theory.exact.isEmpty && found.theory.notes.contains { $0.hasPrefix("No exact rate") })
  }

  @Test func aRangeWithoutALimitSaysSo() async throws {
    let beyond = try await search(scenario("waiting.p99 < 50ms", duration: "4s"), highest: 150)
    #expect(beyond.search.outcome == .beyond && beyond.search.points.allSatisfy { $0.rate <= 150 })
    let none = try await search(scenario("service.mean < 1ms", duration: "4s"), highest: 300, lowest: 50)
    #expect(none.search.outcome == .none && none.search.limit == nil)
    #expect(none.search.points.allSatisfy { $0.rate >= 50 && $0.verdict == .missed }, "\(none.search.points)")
  }

  /// What no rate can meet is named, with its cause; a queue that is nowhere to be seen is not blamed.
  @Test(arguments: [
    ("service.p99 < 10ms", "the service time does not depend on the arrival rate"),
    ("response.p99 < 20ms", "the service time alone is above the limit"),
    ("response.mean < 5ms", "the service time alone is above the limit"),
    ("\"success >= 99%\"", "the highest value at any rate is 9"),
    ("throughput > 1000/s", "the highest value at any rate is"),
  ]) func aTargetThatNoRateMeetsIsNamed(target: String, why: String) async throws {
    let found = try await search(
      scenario(
        "\(target), waiting.p99 < 50ms",
        job: "{service: \"exponential(mean: 10ms)\", failures: {attempts: 3%}}", duration: "6s"), rounds: 6)
    #expect(found.search.outcome == .none && found.search.limit == nil, "\(found.search)")
    let unmeetable = try #require(found.search.unmeetable?.first)
    #expect(target.contains(unmeetable.target) && unmeetable.reason.hasPrefix(why), "\(unmeetable)")
    #expect(found.search.unmeetable?.count == 1)
    #expect(found.firstToGiveOut == "nothing: '\(unmeetable.target)' is missed at every rate")
    for point in found.search.points where point.rate < 200 {
      #expect(point.verdict != .growing && !point.reason.contains("growing"), "\(point)")
    }
  }

  /// Jobs that outlast the time to drain are no queue.
  @Test func whatIsNoQueueIsNotCalledOne() async throws {
    let text = """
      name: long
      jobs: {job: {service: 40s}}
      load: {poisson: 1/s, of: job}
      duration: 20s
      drain: 10s
      scheduler: {workers: 400, retries: 0}
      targets: [waiting.p90 < 1s]
      """
    let found = try await search(
      try ScenarioParser.parse(yaml: text, file: "long.yaml").get(), highest: 2, lowest: 0.5)
    #expect(found.search.points.allSatisfy { $0.verdict != .growing }, "\(found.search.points)")
    #expect(found.search.points.contains { $0.reason.hasPrefix("jobs longer than the drain time") })
  }

  @Test func jobsTurnedAwayAreNotSustained() async throws {
    // A queue of four refuses before anything waits long.
    let found = try await search(
      scenario("waiting.p99 < 10s", scheduler: "workers: 2, queue: {capacity: 4, when_full: reject}", duration: "3s"))
    let limit = try #require(found.search.limit)
    #expect(limit.reason.hasPrefix("full queue") && limit.rate.value < 190, "\(limit)")
  }

  @Test func whatCannotBeSoughtIsRefused() throws {
    let runner = CapacityRunner(CapacityOptions(), parts: StudyParts.forTests)
    func words(_ scenario: Scenario) -> String {
      runner.refusals([CapacityRunner.Candidate(varied: [], scenario: scenario)]).joined(separator: "\n")
    }
    #expect(words(try scenario("waiting.p99 < 1s", load: "{batch: 5, of: job}")).contains("a batch"))
    #expect(words(try scenario("")).contains("--target"))
    #expect(words(try scenario("speedup > 2")).contains("speedup"))
  }

  // MARK: - The interval

  /// Rounds with rare clusters of late jobs, as a queue has them: a Poisson number of clusters of exponential size,
  /// which grows as that of M/M/4 does, 18 % with each per cent of the rate. The lower rate of a round has those of the
  /// higher one's clusters that it would have had, since both face the same luck.
  private func samples(rounds: Int, experiment: UInt64) -> [CapacityCrossing.Sample] {
    var random = KeyedRandom(seed: experiment).key(77)
    func uniform() -> Double {
      random = random.key(1)
      return random.uniform
    }
    let rates = [0.96, 1.04]
    let expected = rates.map { 3 * exp(18 * ($0 - 1)) }
    return (0..<rounds).flatMap { round in
      var late = [0.0, 0.0]
      var product = uniform()
      while product > exp(-expected[1]) {
        let size = -log(uniform())
        late[1] += size
        if uniform() < expected[0] / expected[1] { late[0] += size }
        product *= uniform()
      }
      return rates.indices.map {
        CapacityCrossing.Sample(round: round, rate: rates[$0], figure: late[$0], weight: 1)
      }
    }
  }

  @Test(arguments: [8, 20]) func intervalsHoldTheTruthAsOftenAsTheySay(rounds: Int) {
    var (held, experiments) = (0, 0)
    for experiment in 0..<1_000 {
      guard let interval = CapacityCrossing(samples(rounds: rounds, experiment: UInt64(experiment)), limit: 3)?.interval
      else { continue }
      experiments += 1
      // The mean of a cluster is 1, so the figure is 3 at a rate of 1.
      if interval.low <= 1, interval.high >= 1 { held += 1 }
    }
    #expect(experiments > 950)
    let share = Double(held) / Double(experiments)
    #expect((0.93...0.975).contains(share), "\(share) of \(experiments)")
  }

  @Test func aFigureThatDoesNotRiseCrossesNowhere() {
    let flat = (0..<6).flatMap { round in
      [1.0, 2].map { CapacityCrossing.Sample(round: round, rate: $0, figure: 4 - $0, weight: 1) }
    }
    #expect(CapacityCrossing(flat, limit: 2.5) == nil)
    let exact = (0..<6).flatMap { round in
      [100.0, 110].map { CapacityCrossing.Sample(round: round, rate: $0, figure: exp($0 / 10), weight: 1) }
    }
    let crossing = CapacityCrossing(exact, limit: exp(10.4))
    #expect(abs((crossing?.rate ?? 0) - 104) < 1e-6 && crossing?.rounds == 6)
  }
}
