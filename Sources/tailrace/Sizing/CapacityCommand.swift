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
      Replays a scenario at one arrival rate after another, with the same mix and shape, and finds the highest rate at \
      which every target is met and the queue does not grow. Prints the limit with its 95 % confidence interval, the \
      response time at each rate, the pool or limit that is the bottleneck, and the bound from theory. With --system \
      live, also prints the result of the same search in simulation. --vary finds the limit of each of several \
      configurations, with the same seeds.

      Each run lasts as long as the scenario (--duration). Longer or more runs narrow the interval. Ctrl-C stops the \
      search and reports the results so far.

      EXAMPLES
        tailrace capacity four-servers
        tailrace capacity mine.yaml --target 'response.p99 < 200ms' --vary scheduler.workers=2,4,8
        tailrace capacity mine.yaml --system live --rates 50/s..400/s --budget 10min

      EXIT STATUS
        0 found; 2 no rate in the range meets the targets; 4 the live runs behind the answer are invalid, or the \
        search was interrupted; 5 inconclusive (only with --strict); 64 wrong usage or a bad file
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
  @Option(help: ArgumentHelp("Search live or simulated.", valueName: "name"))
  var system: CapacitySystem = .simulated
  @Option(
    help: ArgumentHelp("Search only between these total arrival rates, such as 50/s..400/s.", valueName: "low..high"),
    transform: RateRange.init(flag:))
  var rates: RateRange?
  @OptionGroup(title: "Changing the scenario") var changes: ScenarioChanges
  @Option(help: "Seed of the first round.")
  var seed: UInt64 = 1
  @Option(
    name: [.customLong("rounds"), .customLong("replications")],
    help: ArgumentHelp(
      "Initial runs at each rate, 3 to 1000; the search adds more until the interval is narrow enough.",
      valueName: "count"))
  var rounds = 8
  @Option(
    help: ArgumentHelp(
      "Stop when half the interval's width is at most this share of the limit (default: 2%).", valueName: "share"),
    transform: Self.share)
  var precision = 0.02
  @Option(
    help: ArgumentHelp(
      "Stop after this much real time (default: 10min with --system live, else none).",
      valueName: "duration"),
    transform: DurationOption.duration)
  var budget: DurationOption?
  @Flag(help: "Start even if the load is too large to finish in reasonable time.")
  var force = false
  @Flag(help: "End with status 5 if the result is inconclusive.")
  var strict = false
  @OptionGroup(title: "Reporting") var reporting: ReportingOptions

  private static func share(_ text: String) throws -> Double {
    let number = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let value = Double(number), value.isFinite else {
      throw ValidationError("'\(text)' is not a share; write a percentage, such as 2%")
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
      throw ValidationError("--vary spans more than 64 configurations; narrow it, or use 'tailrace plan'")
    }
  }

  func run() async throws {
    let candidates = try vary.combinations.map { values in
      CapacityRunner.Candidate(
        varied: zip(vary, values).map { Setting($0.key, $1) }, scenario: try read(values))
    }
    // Without --vary the scenario is the only candidate. With it, the scenario may be incomplete as written.
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
      scenario, targets: targets, instead: "search one at a time", isForced: force)
  }
}

/// The system on which to search for the limit.
enum CapacitySystem: String, ExpressibleByArgument, CaseIterable, Sendable { case live, simulated }

/// A range of arrival rates.
struct RateRange: Sendable {
  var low: Rate
  var high: Rate

  /// Reads `50/s..400/s`.
  init(flag text: String) throws {
    guard let dots = text.range(of: "..") else {
      throw ValidationError("'\(text)' is not a range of rates; write LOW..HIGH, such as 50/s..400/s")
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
