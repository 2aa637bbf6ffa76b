import ArgumentParser
import Foundation
import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailracePlatform
import TailraceReport
import TailraceStudies
import TailraceWorkload

/// `tailrace plan`
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Find the cheapest configuration that meets the targets, in simulation.",
    discussion: """
      Simulates the scenario under every configuration that --vary spans, all with the same seeds. Prints the cheapest \
      one that meets every target with 95 % confidence, its neighbors, and the bottleneck: the pool or limit where a \
      little more would help most. The cheapest configuration has the fewest workers; among equals, it is the one that \
      --vary names first. If there are many configurations, ranges are searched by bisection, which assumes that a \
      larger value never makes a target harder to meet.

      If an unclear configuration could be the answer, it gets more replications or, if its queue has not settled, \
      longer runs, until it is decided or the budget is used up.

      EXAMPLES
        tailrace plan mine.yaml --target 'response.p99 < 200ms' --vary scheduler.workers=1..64
        tailrace plan mine.yaml --vary scheduler.workers=1..32 --vary scheduler.policy=fifo,priority
        tailrace plan mine.yaml --vary scheduler.workers=1..64 --confirm

      EXIT STATUS
        0 found; 2 nothing in the range meets the targets; 4 the search was interrupted, a configuration failed, or \
        --confirm's live run is invalid; 5 no configuration is known to meet them, and some are undecided; 64 wrong \
        usage or a bad file
      """)

  @Argument(help: "A built-in scenario or a scenario file.", completion: Completions.scenarios)
  var scenario: String
  @Option(
    help: ArgumentHelp(
      "A setting and its values: a range of whole numbers (1..64), or a list, cheapest first (fifo,priority). "
        + "Repeatable.", valueName: "key=values"),
    completion: Completions.settings, transform: Planner.Dimension.init(flag:))
  var vary: [Planner.Dimension] = []
  @OptionGroup(title: "Changing the scenario") var changes: ScenarioChanges
  @Option(
    name: .customLong("target"),
    help: ArgumentHelp("Add a target to the scenario's own (repeatable).", valueName: "expression"))
  var targets: [String] = []
  @Option(help: "Seed of the first replication.")
  var seed: UInt64 = 1
  @Option(help: "Initial replications of each configuration, 2 to 1000.")
  var replications = 10
  @Option(
    help: ArgumentHelp(
      "Jobs to simulate beyond the initial replications, for configurations that are unclear; 0: none.",
      valueName: "jobs"))
  var budget = Planner.usualBudget
  @Flag(help: "Start even if the load is too large to finish in reasonable time.")
  var force = false
  @Flag(help: "Then replay the cheapest configuration live, and show both results.")
  var confirm = false
  @OptionGroup(title: "Reporting") var reporting: ReportingOptions

  /// The maximum number of configurations that are parsed before the search.
  private static let checkedAtOnce = 500.0

  /// A configuration that turns out to be invalid during the search.
  private struct RefusedConfiguration: Error, CustomStringConvertible {
    let description = "the configuration is invalid; standard error has the reason"
  }

  func validate() throws {
    guard !vary.isEmpty else {
      throw ValidationError("nothing varies; add --vary, such as --vary scheduler.workers=1..64")
    }
    guard (2...1_000).contains(replications) else { throw ValidationError("--replications: write 2 to 1000") }
    guard budget >= 0 else { throw ValidationError("--budget: write a number of jobs, 0 or more") }
    guard Set(vary.map(\.key)).count == vary.count else { throw ValidationError("--vary names a setting twice") }
    guard vary.reduce(1.0, { $0 * Double($1.values.count) }) <= 1e6 else {
      throw ValidationError("--vary spans more than a million configurations; narrow it")
    }
  }

  func run() async throws {
    // Report invalid configurations before anything runs. If there are very many, check the first and the last.
    let first = try read(vary.map { $0.values[0] })
    let last = vary.map { $0.values[$0.values.count - 1] }
    let isFew = vary.reduce(1.0) { $0 * Double($1.values.count) } <= Self.checkedAtOnce
    for values in isFew ? Array(vary.combinations.dropFirst()) : [last] { _ = try read(values) }
    let refusals = PlanRunner.refusals(first, parts: Composition.makeStudyParts())
    guard refusals.isEmpty else { throw Refusal.usage(refusals.map { "Error: \($0)" }) }
    if confirm {
      let problems = SuiteRunner(liveOptions(first), parts: Composition.makeParts(), interruption: StopFlag())
        .refusals([first])
      guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: --confirm: \($0)" }) }
    }
    try reporting.place.check()
    if !reporting.place.quiet {
      LoadAnnouncement.write(
        [first], systems: ["simulated"], replays: replications * vary.reduce(1) { $0 * $1.values.count })
    }
    let interruption = Interruption.ask()
    let planner = Planner(
      vary, seed: seed, replications: replications, budget: budget, interruption: interruption
    ) { [self] values in
      do { return try read(values) } catch is ExitCode { throw RefusedConfiguration() }
    }
    let display = ProgressDisplay(reporting.style)
    let runner = PlanRunner(
      planner, parts: Composition.makeStudyParts(),
      command: RepeatingCommand.text(CommandLine.arguments, seed: seed))
    // Also when the search throws, so that its error starts on a clean line.
    defer { display.finish() }
    let result = try await runner.run(of: first) {
      display.show(line: "\($0) of \(planner.count) configurations tried")
    }
    display.finish()
    try reporting.deliver(
      PlanSummary(result, terminal: .output).text, status: result.exitStatus, name: "plan-\(result.scenario)",
      started: result.started
    ) { try PlanFiles.render(result) }
    if confirm, let best = result.best { try await confirm(result.candidates[best]) }
  }

  private func read(_ values: [String]) throws -> Scenario {
    try changes.setting(vary, to: values).scenario(
      scenario, targets: targets, instead: "plan one at a time", isForced: force)
  }

  private func liveOptions(_ scenario: Scenario) -> SuiteOptions {
    var options = SuiteOptions()
    options.suite = "plan-\(scenario.name)-live"
    options.command = RepeatingCommand.text(CommandLine.arguments, seed: seed)
    options.seed = seed
    options.systems = ["live", "simulated"]
    return options
  }

  /// Replays the answer in real time.
  private func confirm(_ best: PlanCandidate) async throws {
    // The search has been reported. From here on a signal ends the live run.
    let interruption = Interruption.ask()
    let scenario = try read(best.values)
    let runner = SuiteRunner(liveOptions(scenario), parts: Composition.makeParts(), interruption: interruption)
    // The needs of the cheapest configuration were not known before.
    let problems = runner.refusals([scenario])
    guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: --confirm: \($0)" }) }
    let run = try await runner.run([scenario]) { _ in }
    guard let result = run.result.scenarios.first else {
      Terminal.error.write("Not finished: it was interrupted before the live run.\n")
      throw ExitCode(Tailrace.interruptedStatus)
    }
    var table = Columns(["target", ">planned", ">live", ">limit", "live"])
    for (planned, live) in zip(best.targets, result.targets) {
      table.add([
        planned.target, PlanWords.value(planned), HumanUnits.value(live.observed, live.unit),
        HumanUnits.value(live.limit, live.unit), live.verdict.rawValue,
      ])
    }
    let name = zip(vary, best.values).map { "\($0.key)=\($1)" }.joined(separator: " ")
    var delivery = Delivery(status: run.result.exitStatus, isQuiet: reporting.place.quiet)
    let unfinished = run.result.isInterrupted ? "\nNot finished: the live run was interrupted.\n" : ""
    delivery.say("\nReplayed live with \(name):\n" + table.text + unfinished)
    delivery.tell(run.result.failureWords)
    delivery.report(under: reporting.place.directory, result: { try ReportFiles.encode(run.result) }) {
      try ReportDirectory.write(run, under: $0)
    }
    try delivery.end()
  }
}
