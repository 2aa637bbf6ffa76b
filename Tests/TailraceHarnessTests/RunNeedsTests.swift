// Goal: what a run needs is known before it, and compared with the limits of the machine: every limit that is too low
// is named, with numbers.

import Foundation
import TailraceCore
import TailraceRuntime
import TailraceWorkload
import Testing
@testable import TailraceHost
@testable import TailracePlatform
@testable import TailraceReplay

@testable import TailraceHarness

@Suite struct RunNeedsTests {
  /// A machine with one limit for each resource, as low as it is told.
  private func limits(_ values: [MachineResource: Int]) -> MachineLimits {
    var limits = MachineLimits()
    limits.openFiles = 5
    limits.processors = 2
    limits.mappings = 100
    for resource in MachineResource.allCases {
      limits.rooms.append(
        .init(
          resource: resource, name: "the limit of \(resource.rawValue)", limit: values[resource] ?? 1 << 50, used: 0,
          remedy: .ulimit(flag: "-x", unit: 1, spare: 0)))
    }
    return limits
  }

  private func scenario(_ jobs: String, load: String = "{batch: 1000, of: a}", workers: Int = 100) throws -> Scenario {
    try ScenarioParser.parse(
      yaml: "name: many\njobs: {\(jobs)}\nload: [\(load)]\nscheduler: {workers: \(workers)}\n", file: "t"
    ).get()
  }

  private func refusals(
    _ scenario: Scenario, _ values: [MachineResource: Int], on systems: [String] = ["live"]
  ) -> [String] {
    var options = SuiteOptions()
    options.systems = systems
    options.limits = limits(values)
    let parts = SuiteParts.forTests()
    return SuiteRunner(options, parts: parts, interruption: StopFlag()).refusals([scenario])
  }

  @Test func everyLimitThatIsTooLowIsNamedAtOnce() throws {
    let problems = refusals(
      try scenario("a: {work: {subprocess: [/bin/true]}, pool: thread}"),
      [.tasks: 50, .openFiles: 60, .memory: 1 << 20, .addressSpace: 1 << 20, .mappings: 70])
    #expect(problems.count == 5, "\(problems)")
    for resource in MachineResource.allCases {
      #expect(problems.contains { $0.contains("the limit of \(resource.rawValue) is") }, "\(resource): \(problems)")
    }
    #expect(problems.allSatisfy { $0.hasPrefix("scenario 'many' on 'live' needs ") })
    #expect(problems.allSatisfy { $0.contains("lower scheduler.workers, or raise it (ulimit -x ") })
  }

  @Test func whatFitsIsRefusedByNobody() throws {
    let work = "a: {work: {subprocess: [/bin/true]}, pool: thread}"
    #expect(refusals(try scenario(work), [:]) == [])
    // 100 workers, 100 children, and some for the program.
    #expect(refusals(try scenario(work), [.tasks: 250, .openFiles: 180]) == [])
  }

  @Test func simulatedRunsStartNothing() throws {
    var none = Dictionary(uniqueKeysWithValues: MachineResource.allCases.map { ($0, 0) })
    none[.memory] = 8 << 20
    let wanted = try scenario("a: {service: 1ms, pool: thread}", workers: 65_534)
    #expect(refusals(wanted, none, on: ["simulated", "simulated-sequential"]) == [])
    #expect(!refusals(wanted, none, on: ["live"]).isEmpty)
  }

  /// Jobs that wait are counted once, in one place, whatever replays them: the numbers are in the refusal.
  @Test(arguments: ["live", "simulated"]) func whatWaitsAtOnceNeedsMemory(system: String) throws {
    var wanted = try scenario("a: {service: 1s}", load: "{batch: 90_000_000, of: a}")
    #expect(refusals(wanted, [.memory: 4 << 30], on: [system]) == [], "the queue refuses the others")
    wanted.scheduler.queueCapacity = 100_000_000
    let problems = refusals(wanted, [.memory: 4 << 30], on: [system]).filter { $0.contains("of memory") }
    let problem = try #require(problems.first, "\(problems)")
    #expect(problems.count == 1 && problem.contains("90 million jobs that wait at once, of about 90 million jobs"))
    #expect(problem.contains("lower scheduler.queue.capacity or the number of jobs"), "\(problem)")
    #expect(problem.components(separatedBy: "jobs that wait").count == 2, "\(problem)")
    #expect(refusals(wanted, [.memory: 1 << 40], on: [system]) == [])
  }

  /// Another program's rows are compared with the tape in memory, which must hold them.
  @Test func theTapeOfAnotherProgramNeedsMemory() throws {
    let wanted = try scenario("a: {service: 1ms}", load: "{constant: 10000/s, of: a, duration: 1000s}")
    #expect(refusals(wanted, [.memory: 8 << 30], on: ["exec:/bin/true"]) == [])
    let problems = refusals(wanted, [.memory: 2 << 30], on: ["exec:/bin/true"])
    #expect(problems.count == 1 && problems[0].contains("for the tape and the rows of about 10 million jobs"))
    #expect(problems.first?.contains("lower the number of jobs") == true, "\(problems)")
  }

  @Test(arguments: ["task-group", "operation-queue", "dispatch", "sequential", "live"])
  func everySystemInRealTimeIsLookedAt(system: String) throws {
    #expect(!refusals(try scenario("a: {service: 1ms}"), [.tasks: 3], on: [system]).isEmpty)
  }

  @Test func asManyThreadsAsAScenarioMayName() throws {
    let wanted = try scenario("a: {service: 1ms, pool: thread}", workers: 65_534)
    let problems = refusals(wanted, [.tasks: 32_768, .mappings: 65_530])
    #expect(problems.contains { $0.contains("needs 65,543 threads and processes") }, "\(problems)")
    #expect(problems.contains { $0.contains("memory mappings") }, "\(problems)")
  }

  @Test func childrenAreBoundedByWhatRunsAtOnce() throws {
    func files(_ jobs: String, load: String = "{batch: 1000, of: a}") throws -> Int {
      let scenario = try scenario(jobs, load: load)
      return RunNeeds(scenario, LiveSystem().demand(of: scenario), on: limits([:])).total(of: .openFiles)
    }
    let all = try files("a: {work: {subprocess: [/bin/true]}}")
    let limited = try files("a: {work: {subprocess: [/bin/true]}, concurrency: 10}")
    let few = try files("a: {work: {subprocess: [/bin/true]}}", load: "{batch: 3, of: a}")
    #expect(all - limited == 90)
    #expect(all - few == 97)
    let sleeping = try files("a: {service: 1ms}")
    #expect(sleeping < few)
  }

  @Test func connectionsHaveALimitOfTheirOwn() throws {
    func need(_ workers: Int, _ resource: MachineResource) throws -> Int {
      let scenario = try scenario("a: {work: {sqlite: mixed}, pool: thread}", workers: workers)
      return RunNeeds(scenario, LiveSystem().demand(of: scenario), on: limits([:])).total(of: resource)
    }
    #expect(try need(64, .openFiles) == need(2_000, .openFiles))
    #expect(try need(30, .openFiles) - need(10, .openFiles) == 40)
    #expect(try need(2_000, .tasks) - need(1_000, .tasks) == 1_000)
  }

  @Test func memoryThatJobsHoldAtOnceCounts() throws {
    let wanted = try scenario("a: {work: {memory: 64MiB}, service: 1ms}")
    let problems = refusals(wanted, [.memory: 1 << 30])
    #expect(problems.count == 1, "\(problems)")
    #expect(problems.first?.contains("6.25 GiB for jobs whose work is memory") == true, "\(problems)")
    #expect(refusals(wanted, [.memory: 8 << 30]) == [])
  }

  @Test func whatOthersUseIsSaid() throws {
    var limits = limits([:])
    limits.rooms = [
      .init(
        resource: .tasks, name: "the limit of processes (ulimit -u)", limit: 60, used: 41,
        remedy: .ulimit(flag: "-u", unit: 1, spare: 8))
    ]
    let scenario = try scenario("a: {service: 1ms, pool: thread}", workers: 20)
    let needs = RunNeeds(scenario, LiveSystem().demand(of: scenario), on: limits)
    #expect(
      needs.problems(on: limits, of: "it") == [
        "it needs 29 threads and processes: 9 for the program itself, 20 for 20 worker threads; the limit of processes "
          + "(ulimit -u) leaves 19 (60, of which 41 are in use): lower scheduler.workers, or raise it (ulimit -u 78)"
      ])
  }

  @Test func aRunInAProcessOfItsOwnNeedsTheOneAroundItToo() throws {
    var options = SuiteOptions()
    options.systems = ["live"]
    options.limits = limits([.tasks: 16, .openFiles: 50])
    let parts = SuiteParts.forTests()
    let scenario = try scenario("a: {service: 1ms}", workers: 1)
    func problems() -> [String] {
      SuiteRunner(options, parts: parts, interruption: StopFlag()).refusals([scenario])
    }
    #expect(problems() == [])
    options.runsInChildren = true
    #expect(problems().count == 2, "\(problems())")
    #expect(problems().allSatisfy { $0.contains("the process that compares") })
  }

  @Test func childrenHaveNoStacksInThisProcess() throws {
    func space(_ jobs: String) throws -> Int {
      let scenario = try scenario(jobs, workers: 10)
      return RunNeeds(scenario, LiveSystem().demand(of: scenario), on: limits([:])).total(of: .addressSpace)
    }
    let difference = try space("a: {work: {subprocess: [/bin/true]}}") - space("a: {service: 1ms}")
    #expect(difference == RunNeeds.childThreads * 8 << 20)
  }
}
