import ArgumentParser
import Foundation
import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailraceReport
import TailraceStudies
import TailraceWorkload

/// `tailrace capacity`
struct CapacityCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capacity",
    abstract: "Find the highest arrival rate that still meets the targets.",
    discussion: """
      Replays a scenario at one arrival rate after another, mix and shape kept, and finds the highest that meets every \
      target with a queue that does not grow, with its 95 % confidence interval; the response time at each rate; which \
      pool or limit gives out first; and beside it what theory allows. With --system live the same search in \
      simulation stands beside it. --vary does so for each of several configurations, with the same luck.

      A run is as long as the scenario says (--duration); longer and more runs make the interval narrower. Ctrl-C \
      reports what is known by then.

      EXAMPLES
        tailrace capacity four-servers
        tailrace capacity mine.yaml --target 'response.p99 < 200ms' --vary scheduler.workers=2,4,8
        tailrace capacity mine.yaml --system live --rates 50/s..400/s --budget 10min

      EXIT STATUS
        0 found; 2 no rate in the range meets the targets; 4 the live runs that the answer rests on are invalid, or it \
      was interrupted; 5 inconclusive, with --strict; 64 wrong usage or a bad file
      """)

  @Argument(help: "A built-in scenario or a scenario file.", completion: Completions.scenarios)
  var scenario: String
  @Option(
    name: .customLong("target"),
    help: ArgumentHelp("Add a target to the scenario's own (repeatable).", valueName: "expression"))
  var targets: [String] = []
  @Option(
    help: ArgumentHelp(
      "A setting and its values: a list (scheduler.workers=2,4,8), or a range of whole numbers (1..8). Repeatable.",
      valueName: "key=values"),
    completion: Completions.settings, transform: Planner.Dimension.init(flag:))
  var vary: [Planner.Dimension] = []
  @Option(help: ArgumentHelp("Where to look for the limit: live or simulated.", valueName: "name"))
  var system: CapacitySystem = .simulated
  @Option(
    help: ArgumentHelp("Stay between these rates of all jobs together, such as 50/s..400/s.", valueName: "low..high"),
    transform: RateRange.init(flag:))
  var rates: RateRange?
  @OptionGroup(title: "Changing the scenario") var changes: ScenarioChanges
  @Option(help: "Seed of the first round.")
  var seed: UInt64 = 1
  @Option(
    name: [.customLong("rounds"), .customLong("replications")],
    help: ArgumentHelp(
      "Independent runs at each rate at first, 3 to 1000; more are added until the interval is narrow enough.",
      valueName: "count"))
  var rounds = 8
  @Option(
    help: ArgumentHelp(
      "Half of the interval's width, as a share of the limit, that is enough (default: 2%).", valueName: "share"),
    transform: Self.share)
  var precision = 0.02
  @Option(
    help: ArgumentHelp(
      "Stop after this much real time, whatever is known by then (default: 10min with --system live, else none).",
      valueName: "duration"),
    transform: Quantity.duration)
  var budget: Quantity?
  @Flag(help: "Start although the load is more than can be expected to end.")
  var force = false
  @Flag(help: "Status 5 where the runs could not tell.")
  var strict = false
  @OptionGroup(title: "Reporting") var reporting: ReportingOptions

  private static func share(_ text: String) throws -> Double {
    let number = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let value = Double(number), value.isFinite else {
      throw ValidationError("'\(text)' is no share; write a percentage, such as 2%")
    }
    let share = text.hasSuffix("%") ? value / 100 : value
    guard (0.001...0.5).contains(share) else {
      throw ValidationError("'\(text)' is out of range; write 0.1% to 50%")
    }
    return share
  }

  func validate() throws {
    guard (3...1_000).contains(rounds) else { throw ValidationError("--rounds: write 3 to 1000") }
    guard Set(vary.map(\.key)).count == vary.count else { throw ValidationError("--vary names a setting twice") }
    guard vary.reduce(1.0, { $0 * Double($1.values.count) }) <= 64 else {
      throw ValidationError("--vary spans more than 64 configurations; narrow it, or ask 'tailrace plan'")
    }
  }

  func run() async throws {
    let candidates = try vary.combinations.map { values in
      CapacityRunner.Candidate(
        varied: zip(vary, values).map { Setting($0.key, $1) }, scenario: try read(values))
    }
    // Where nothing varies the scenario is the only candidate; else it may not even be whole as written.
    let plain = candidates[0].scenario
    if let rates, !force {
      let highest = candidates.compactMap { try? $0.scenario.withArrivalRate(rates.high.perSecond) }
      let problems = highest.compactMap(LoadAnnouncement.refusal)
      if let problem = problems.first {
        throw Refusal.usage("--rates: at the highest rate \(problem); --force starts it anyway")
      }
    }
    if !reporting.place.quiet {
      LoadAnnouncement.write([plain], systems: [system.rawValue], replays: rounds * candidates.count)
    }
    let interruption = Interruption.ask()
    let display = CapacityDisplay(reporting.style)
    let runner = CapacityRunner(options, parts: Composition.makeStudyParts(), interruption: interruption) {
      display.show($0)
    }
    let refusals = runner.refusals(candidates)
    guard refusals.isEmpty else { throw Refusal.usage(refusals.map { "Error: \($0)" }) }
    try reporting.place.check()
    var result = try await runner.run(candidates, of: plain)
    if strict { result.isStrict = true }
    display.finish()
    try reporting.deliver(
      CapacitySummary(result, terminal: .output).text, status: result.exitStatus,
      name: "capacity-\(plain.name)",
      started: result.started
    ) { [result] in try CapacityFiles.render(result) }
  }

  private var options: CapacityOptions {
    var options = CapacityOptions()
    options.seed = seed
    options.system = system.rawValue
    options.rounds = rounds
    options.precision = precision
    options.lowest = rates?.low.perSecond
    options.highest = rates?.high.perSecond
    options.budget = budget?.value ?? (system == .live ? .seconds(600) : nil)
    options.command = RepeatingCommand.text(CommandLine.arguments, seed: seed)
    return options
  }

  private func read(_ values: [String]) throws -> Scenario {
    try changes.setting(vary, to: values).scenario(
      scenario, targets: targets, instead: "seek the limit of one at a time", isForced: force)
  }
}

/// Where a limit is sought.
enum CapacitySystem: String, ExpressibleByArgument, CaseIterable, Sendable { case live, simulated }

/// Two arrival rates.
struct RateRange: Sendable {
  var low: Rate
  var high: Rate

  /// Reads `50/s..400/s`.
  init(flag text: String) throws {
    guard let dots = text.range(of: "..") else {
      throw ValidationError("'\(text)' is no range of rates; write LOW..HIGH, such as 50/s..400/s")
    }
    do {
      low = try QuantityText.rate(text[..<dots.lowerBound])
      high = try QuantityText.rate(text[dots.upperBound...])
    } catch {
      throw ValidationError("\(error.description)")
    }
    guard low < high else { throw ValidationError("'\(text)': write the lower rate first") }
  }
}
