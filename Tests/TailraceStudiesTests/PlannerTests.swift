// Goal: the planner finds what theory finds, says what it does not know, and tries no more than it must.

import TailraceCore
import TailraceMeasurement
import TailraceTheory
import TailraceWorkload
import Testing
@testable import TailraceReplay
@testable import TailraceStudies

@testable import TailraceHarness

/// One after another: each takes all processors, which the live tests need too.
@Suite(.serialized) struct PlannerTests {
  /// The least number of workers that keeps the mean wait below a limit, by Erlang's formula.
  private func least(limit: Double) -> Int {
    (4...64).first { Queues.meanWait(servers: $0, arrivalRate: 320, service: 0.01) < limit }!
  }

  private func planner(
    _ dimensions: [Planner.Dimension], targets: String, replications: Int = 6, budget: Int = 1_000_000
  ) -> Planner {
    Planner(dimensions, seed: 11, replications: replications, budget: budget) { values in
      var text = """
        name: t
        jobs: {job: {service: "exponential(mean: 10ms)"}}
        load: {poisson: 320/s, of: job}
        duration: 8s
        warmup: 1s
        scheduler: {retries: 0, queue: {capacity: 1_000_000}}
        targets: [\(targets)]
        """
      for (dimension, value) in zip(dimensions, values) {
        text = text.replacing("scheduler: {", with: "scheduler: {\(dimension.key): \(value), ")
      }
      return try ScenarioParser.parse(yaml: text, file: "t.yaml").get()
    }
  }

  @Test func findsTheWorkersThatErlangFinds() async throws {
    let workers = Planner.Dimension(key: "workers", values: (1...64).map(String.init), isRange: true)
    // Between what 4 and 5 workers give: far from both, so that chance decides nothing.
    #expect(least(limit: 0.004) == 5)
    let tried = try await planner([workers], targets: "waiting.mean < 4ms").search()
    #expect(tried.first { $0.isGood }?.values == ["5"], "\(tried)")
    // Bisection: seven halvings and the neighbours, not 64.
    #expect(tried.count <= 12)
    // Three workers cannot carry 3.2 erlangs.
    let three = try #require(tried.first { $0.values == ["3"] })
    #expect(!three.isGood && three.outcomes[0].verdict == .missed)
  }

  /// Two limits and a pool: each time another of them binds, and widening the others changes nothing.
  @Test(arguments: [
    ("workers: 2", "{service: 100ms}", "workers of the pool async: 2 → 3"),
    ("workers: 8, rate: 5/s", "{service: 10ms}", "rate of a pool: 5/s → 6.25/s"),
    ("workers: 8", "{service: 100ms, concurrency: 1}", "concurrency of job: 1 → 2"),
    ("workers: 8, memory_budget: 16MiB", "{service: 100ms, memory: 8MiB}", "memory budget: 16 → 24 MiB"),
  ])
  func saysWhatBinds(settings: String, job: String, binds: String) async throws {
    let planner = Planner(
      [Planner.Dimension(key: "x", values: ["1"], isRange: false)], seed: 1, replications: 2
    ) { _ in
      let text = """
        name: t
        jobs: {job: \(job)}
        load: {batch: 40, of: job}
        scheduler: {\(settings), retries: 0}
        targets: [makespan < 100s]
        """
      return try ScenarioParser.parse(yaml: text, file: "t.yaml").get()
    }
    let best = try #require(try await planner.search().first)
    let sensitivities = try await planner.sensitivities(of: best, target: best.outcomes[0])
    let helping = sensitivities.filter(\.helps).map(\.constraint)
    #expect(helping == [binds])
    #expect(sensitivities.filter { !$0.helps }.allSatisfy { $0.change == 0 }, "\(sensitivities)")
  }

  /// A plan tells how many of its jobs succeeded, whatever its targets are about.
  @Test func tellsHowManyJobsSucceeded() async throws {
    let planner = Planner(
      [Planner.Dimension(key: "x", values: ["1", "2"], isRange: false)], seed: 1, replications: 2, budget: 0
    ) { values in
      let failures = values == ["1"] ? ", failures: {permanent: 100%}" : ""
      let text = """
        name: t
        jobs: {good: {service: 1ms}, other: {service: 1ms\(failures)}}
        load: [{batch: 30, of: good}, {batch: 10, of: other}]
        scheduler: {retries: 0}
        targets: [makespan < 100s]
        """
      return try ScenarioParser.parse(yaml: text, file: "t.yaml").get()
    }
    #expect(try await planner.search().map(\.success) == [0.75, 1])
  }

  /// A configuration that fails in the course of a search takes nothing from the others; which is the cheapest is then
  /// not known.
  @Test(arguments: [4, 64]) func aConfigurationThatFailsIsNamed(most: Int) async throws {
    struct Nothing: Error, CustomStringConvertible { let description = "no such\nconfiguration" }
    let workers = Planner.Dimension(key: "workers", values: (1...most).map(String.init), isRange: true)
    let make: @Sendable ([String]) throws -> Scenario = { values in
      if values == ["\(most / 2)"] { throw Nothing() }
      let text = """
        name: t
        jobs: {job: {service: 10ms}}
        load: {batch: 64, of: job}
        scheduler: {workers: \(values[0]), retries: 0}
        targets: [makespan < 400ms]
        """
      return try ScenarioParser.parse(yaml: text, file: "t.yaml").get()
    }
    let planner = Planner([workers], seed: 1, replications: 2, budget: 0, make: make)
    let result = try await PlanRunner(planner, parts: .forTests, command: "").run(of: make(["\(most)"]))
    let failure = try #require(result.failures?.first)
    #expect(failure.hasPrefix("workers=\(most / 2): ") && result.failures?.count == 1, "\(failure)")
    #expect(result.candidates.count >= 3 && result.candidates.contains { $0.verdict == .met })
    #expect(result.exitStatus == 4 && result.word == "INVALID" && result.best == nil)
    await #expect(throws: Nothing.self) { try await planner.search() }
  }

  @Test func everyCombinationIsTriedWhereThereAreFew() async throws {
    let workers = Planner.Dimension(key: "workers", values: ["4", "6"], isRange: false)
    let policy = Planner.Dimension(key: "policy", values: ["priority", "fifo"], isRange: false)
    let tried = try await planner([workers, policy], targets: "waiting.mean < 4ms", replications: 3).search()
    #expect(tried.map(\.values) == [["4", "priority"], ["4", "fifo"], ["6", "priority"], ["6", "fifo"]])
    // One class: both policies face the same luck and give the same figures.
    #expect(tried[2].outcomes == tried[3].outcomes && tried[2].utilization == tried[3].utilization)
  }

  @Test func whatIsTooCloseToTellIsUnclearAndNotGood() async throws {
    let workers = Planner.Dimension(key: "workers", values: ["4"], isRange: false)
    let exact = Queues.meanWait(servers: 4, arrivalRate: 320, service: 0.01)
    let tried = try await planner([workers], targets: "waiting.mean < \(Int(exact * 1e9))ns", budget: 0).search()
    #expect(tried[0].outcomes[0].verdict == .unclear && !tried[0].isGood, "\(tried)")
    #expect(tried[0].outcomes[0].halfWidth > 0)
  }

  /// The first replications cannot tell three per cent; more are added to what might be the answer until they can.
  @Test func whatIsCloseIsDecidedByMoreReplications() async throws {
    let workers = Planner.Dimension(key: "workers", values: ["3", "4", "5"], isRange: false)
    let exact = Queues.meanWait(servers: 4, arrivalRate: 320, service: 0.01)
    let targets = "waiting.mean < \(Int(exact * 1.05e9))ns"
    let first = try await planner([workers], targets: targets, budget: 0).search()
    #expect(first[1].verdict == .unclear, "\(first[1])")
    let tried = try await planner([workers], targets: targets, budget: 10_000_000).search()
    #expect(tried.first { $0.isGood }?.values == ["4"], "\(tried)")
    #expect(tried[1].replications > 6 && tried[0].replications == 6 && tried[2].replications == 6)
  }

  /// A load that two workers cannot carry, for which the targets hold in short runs: whatever length is asked for.
  @Test(arguments: ["15s", "60s"]) func theAnswerDoesNotDependOnTheLengthAskedFor(duration: String) async throws {
    let workers = Planner.Dimension(key: "workers", values: (1...6).map(String.init), isRange: true)
    let planner = Planner([workers], seed: 1, budget: 1_000_000) { values in
      let text = """
        name: t
        jobs: {job: {service: "exponential(mean: 1s)"}}
        load: {poisson: 2.05/s, of: job}
        duration: \(duration)
        scheduler: {retries: 0, workers: \(values[0])}
        targets: [response.mean < 4s, "success >= 99%"]
        """
      return try ScenarioParser.parse(yaml: text, file: "t.yaml").get()
    }
    let tried = try await planner.search()
    let best = try #require(tried.first { $0.isGood })
    #expect(best.values == ["3"], "\(tried)")
    #expect(tried[1].isOverloaded && tried[1].verdict == .missed, "\(tried[1])")
    let length = try #require(best.length)
    #expect(length > .seconds(60))
  }

  /// A share that nothing moves has the smaller relative margin; what binds is the target that a worker moves.
  @Test func aTargetThatNothingMovesDoesNotBind() async throws {
    let workers = Planner.Dimension(key: "workers", values: (4...8).map(String.init), isRange: true)
    let planner = planner([workers], targets: "\"success >= 99%\", waiting.mean < 4ms, service.mean < 10.5ms")
    let result = try await PlanRunner(planner, parts: .forTests, command: "").run(of: planner.makeScenario(at: [0]))
    let binding = try #require(result.binding)
    #expect(result.best == 1 && binding.subject == 1 && binding.ground == .cheaperMissesIt, "\(result)")
    #expect(binding.target == "waiting.mean < 4ms" && binding.constraint == "workers of the pool async")
    #expect(binding.spares.map { $0.movedBy != nil } == [false, true, false])
  }

  @Test func nothingThatMovesIsSaidSo() async throws {
    let workers = Planner.Dimension(key: "workers", values: ["50", "60"], isRange: true)
    let planner = planner([workers], targets: "\"success >= 99%\", service.mean < 9ms", replications: 3)
    let result = try await PlanRunner(planner, parts: .forTests, command: "").run(of: planner.makeScenario(at: [0]))
    #expect(result.best == nil && result.binding?.ground == .nothingMoves && result.binding?.target == nil)
    #expect(result.undecided.isEmpty)
  }

  /// A full queue that refuses most jobs keeps waits short; that is no answer.
  @Test func jobsThatAreTurnedAwayAreNoAnswer() async throws {
    let workers = Planner.Dimension(key: "workers", values: ["1", "8"], isRange: true)
    let planner = Planner([workers], seed: 1, replications: 3) { values in
      let text = """
        name: t
        jobs: {job: {service: "exponential(mean: 10ms)"}}
        load: {poisson: 320/s, of: job}
        duration: 4s
        scheduler: {retries: 0, workers: \(values[0]), queue: {capacity: 4, when_full: reject}}
        targets: [waiting.p99 < 1s]
        """
      return try ScenarioParser.parse(yaml: text, file: "t.yaml").get()
    }
    let tried = try await planner.search()
    #expect(tried.map(\.isGood) == [false, true] && tried[0].trouble?.contains("of the jobs away") == true, "\(tried)")
  }

  /// A figure that only a full list of attempts gives is measured too.
  @Test func figuresOfSingleAttemptsAreMeasured() async throws {
    let workers = Planner.Dimension(key: "workers", values: ["4", "8"], isRange: true)
    let tried = try await planner([workers], targets: "concurrency_max <= 8", replications: 2).search()
    #expect(tried.allSatisfy { $0.outcomes[0].mean == Double($0.values[0]) }, "\(tried)")
  }

  @Test func whatCannotBePlannedIsRefused() throws {
    func words(_ targets: String) throws -> String {
      PlanRunner.refusals(try planner([], targets: targets).makeScenario(at: []), parts: .forTests).joined(
        separator: "\n")
    }
    #expect(try words("").contains("--target"))
    #expect(try words("speedup > 2").contains("a sequential run"))
    #expect(try words("peak_memory < 1GiB").contains("a simulation does not measure"))
    #expect(try words("waiting.mean < 4ms").isEmpty)
  }

  @Test func nothingGoodIsSaidSoAfterTheDearestAlone() async throws {
    let workers = Planner.Dimension(key: "workers", values: (1...64).map(String.init), isRange: true)
    let tried = try await planner([workers], targets: "service.mean < 1ms", replications: 2).search()
    #expect(tried.map(\.values) == [["64"]] && !tried[0].isGood)
  }
}
