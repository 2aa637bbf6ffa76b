import ArgumentParser
import Foundation
import TailraceHarness
import TailraceMeasurement
import TailraceReport
import TailraceWorkload

/// `tailrace plan`
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Find the cheapest configuration that meets the targets, in simulation.",
    discussion: """
      Replays a scenario in virtual time under the configurations that --vary spans, all with the same seeds, and \
      prints the cheapest that meets every target with 95 % confidence, the ones around it, and what binds: the pool \
      or limit of which a little more would help most. Cheapest \
      is what has fewest workers; of equal ones, the values that --vary names first. Where there are many \
      configurations, ranges are searched by bisection: more is assumed not to make a target harder.

      EXAMPLES
        tailrace plan mine.yaml --target 'response.p99 < 200ms' --vary scheduler.workers=1..64
        tailrace plan mine.yaml --vary scheduler.workers=1..32 --vary scheduler.policy=fifo,priority
        tailrace plan mine.yaml --vary scheduler.workers=1..64 --confirm

      EXIT STATUS
        0 found; 2 nothing in the range meets the targets; 4 --confirm's live run is invalid; 64 wrong usage
      """)

  @Argument(help: "A built-in scenario or a scenario file.", completion: .file())
  var scenario: String
  @Option(
    help: ArgumentHelp(
      "A setting and its values: a range of whole numbers (1..64), or a list, cheapest first (fifo,priority). "
        + "Repeatable.", valueName: "key=values"),
    transform: Planner.Dimension.init(flag:))
  var vary: [Planner.Dimension] = []
  @OptionGroup(title: "Changing the scenario") var changes: ScenarioChanges
  @Option(
    name: .customLong("target"),
    help: ArgumentHelp("Add a target to the scenario's own (repeatable).", valueName: "expression"))
  var targets: [String] = []
  @Option(help: "Seed of the first replication.")
  var seed: UInt64 = 1
  @Option(help: "Independent replications of each configuration, 2 to 1000.")
  var replications = 10
  @Flag(help: "Then replay the cheapest in real time, and show both.")
  var confirm = false
  @Option(
    name: .customLong("output"),
    help: ArgumentHelp("Where --confirm writes its report.", valueName: "directory"), completion: .directory)
  var directory = "reports"

  func validate() throws {
    guard !vary.isEmpty else {
      throw ValidationError("nothing varies; add --vary, such as --vary scheduler.workers=1..64")
    }
    guard (2...1_000).contains(replications) else { throw ValidationError("--replications: write 2 to 1000") }
    guard Set(vary.map(\.key)).count == vary.count else { throw ValidationError("--vary names a setting twice") }
    guard vary.reduce(1.0, { $0 * Double($1.values.count) }) <= 1e6 else {
      throw ValidationError("--vary spans more than a million configurations; narrow it")
    }
  }

  func run() async throws {
    if confirm {
      var places = OutputPlaces()
      places.reports(directory)
      try places.check()
    }
    // Both ends first: what is wrong with them is said before anything runs.
    let first = try read(vary.map { $0.values[0] })
    _ = try read(vary.map { $0.values[$0.values.count - 1] })
    guard !first.targets.isEmpty else {
      throw Refusal.usage("\(scenario) has no targets; add --target, such as --target 'response.p99 < 200ms'")
    }
    let lacks = Systems.named("simulated")!.lacks(first)
    guard lacks.isEmpty else {
      throw Refusal.usage("\(scenario) cannot be simulated; it lacks \(lacks.joined(separator: ", "))")
    }
    let interruption = Interruption.listen()
    let planner = Planner(vary, seed: seed, replications: replications, interruption: interruption) { [self] in
      try read($0)
    }
    let tried = try await planner.search { done in
      if Terminal.error.isInteractive { Terminal.error.write("\r\(done) configurations tried ") }
    }
    if Terminal.error.isInteractive { Terminal.error.write("\n") }
    let best = tried.first { $0.isGood }
    Terminal.output.write(text(tried, best: best, of: planner.count))
    // Where none is good enough, it matters what would make the most generous one better.
    if let subject = best ?? tried.last, !interruption.isSet {
      Terminal.output.write(try await bindings(subject, planner))
    }
    guard let best else { throw ExitCode(Verdict.missed.exitStatus) }
    if confirm { try await confirm(best, interruption) }
  }

  private func read(_ values: [String]) throws -> Scenario {
    try changes.setting(vary, to: values).scenario(scenario, targets: targets, instead: "plan one at a time")
  }

  // MARK: - Words

  private func named(_ values: [String]) -> String {
    zip(vary, values).map { "\($0.key)=\($1)" }.joined(separator: " ")
  }

  private func text(_ tried: [Planner.Candidate], best: Planner.Candidate?, of count: Int) -> String {
    var text = ""
    if let best {
      text += "Cheapest that meets every target with 95 % confidence: \(named(best.values))\n"
    } else {
      text += "None of the \(count) configurations meets every target with 95 % confidence.\n"
    }
    text += "\(tried.count) of \(count) configurations tried, \(replications) replications each, the same seeds.\n\n"
    let place = best.flatMap { tried.firstIndex(of: $0) } ?? max(0, tried.count - 1)
    let shown = tried[max(0, place - 6)..<min(tried.count, place + 7)]
    let expressions = tried.first?.outcomes.map(\.target) ?? []
    var table = Columns(vary.map { ">" + $0.key } + expressions.map { ">" + $0 } + [">busy", "verdict"])
    for candidate in shown {
      let cells = candidate.outcomes.map { outcome -> String in
        guard let mean = outcome.mean else { return "–" }
        let half = outcome.halfWidth > 0 ? " ± \(HumanUnits.value(outcome.halfWidth, outcome.unit))" : ""
        return HumanUnits.value(mean, outcome.unit) + half
      }
      let busy = candidate.utilization.sorted { $0.key < $1.key }.map { HumanUnits.share($0.value) }
      let verdict =
        candidate.isOverloaded
        ? "overloaded"
        : candidate.isGood
          ? (candidate == best ? "meets <- cheapest" : "meets")
          : candidate.outcomes.contains { $0.verdict == .missed } ? "misses" : "unclear"
      table.add(candidate.values + cells + [busy.joined(separator: ", "), verdict])
    }
    text += table.text
    if let best { text += "\n" + shortfall(best, tried) }
    return text
  }

  /// Why a cheaper configuration is not enough.
  private func shortfall(_ best: Planner.Candidate, _ tried: [Planner.Candidate]) -> String {
    guard let place = tried.firstIndex(of: best), let cheaper = tried[..<place].last(where: { !$0.isGood }) else {
      return ""
    }
    let failing = cheaper.outcomes.filter { $0.verdict != .met }.map(\.target)
    let why = cheaper.isOverloaded ? "does not keep up: its queue grows" : "fails \(failing.joined(separator: " and "))"
    return "The next cheaper, \(named(cheaper.values)), \(why).\n"
  }

  /// What stands between the best configuration and more to spare: the constraints whose widening would help.
  private func bindings(_ best: Planner.Candidate, _ planner: Planner) async throws -> String {
    var text = ""
    if let busiest = best.utilization.max(by: { $0.value < $1.value }) {
      text += "Busiest pool: \(busiest.key), \(HumanUnits.share(busiest.value)) of its workers' time.\n"
    }
    guard let tightest = best.outcomes.filter({ $0.margin != nil }).min(by: { $0.margin! < $1.margin! }) else {
      return text
    }
    let margin = tightest.margin!
    let distance = "\(HumanUnits.share(abs(margin))) \(margin < 0 ? "beyond its limit" : "to spare")"
    text = "With \(named(best.values)), the tightest target is \(tightest.target): \(distance).\n" + text
    let reliefs = try await planner.reliefs(of: best, target: tightest)
    guard let first = reliefs.first, first.helps else {
      return text + "What binds: nothing that could be widened; the work itself takes that long.\n"
    }
    text += "What binds: \(first.constraint.prefix { $0 != ":" }). What a little more of each would change:\n\n"
    let metric = tightest.target.replacing(/\s*[<>=]=?\s*[^<>={}]*$/, with: "")
    var table = Columns(["constraint", ">change of \(metric)", "verdict"])
    for relief in reliefs.prefix(12) {
      let change = HumanUnits.difference(relief.change, tightest.unit)
      let half = HumanUnits.value(relief.halfWidth, tightest.unit)
      table.add([
        relief.constraint, "\(relief.change > 0 ? "+" : "")\(change) ± \(half)",
        relief.helps ? "helps" : abs(relief.change) > relief.halfWidth ? "hurts" : "no difference seen",
      ])
    }
    return text + table.text
  }

  private func confirm(_ best: Planner.Candidate, _ interruption: StopFlag) async throws {
    let scenario = try read(best.values)
    var options = SuiteOptions()
    options.suite = "plan-\(scenario.name)"
    options.command = RepeatingCommand.text(CommandLine.arguments, seed: seed)
    options.seed = seed
    options.systems = ["live", "simulated"]
    let run = try await SuiteRunner(options, parts: Composition.makeParts(), interruption: interruption).run([scenario])
    {
      _ in
    }
    guard let result = run.result.scenarios.first else { return }
    var table = Columns(["target", ">planned", ">live", ">limit", "live"])
    for (planned, live) in zip(best.outcomes, result.targets) {
      table.add([
        planned.target, HumanUnits.value(planned.mean, planned.unit), HumanUnits.value(live.observed, live.unit),
        HumanUnits.value(live.limit, live.unit), live.verdict.rawValue,
      ])
    }
    var delivery = Delivery(status: run.result.exitStatus, isQuiet: false)
    delivery.say("\nReplayed live with \(named(best.values)):\n" + table.text)
    delivery.report { try ReportDirectory.write(run, under: directory) }
    try delivery.end()
  }
}
