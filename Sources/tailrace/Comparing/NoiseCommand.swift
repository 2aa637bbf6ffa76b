import ArgumentParser
import Foundation
import TailraceHarness
import TailraceMeasurement
import TailraceReport
import TailraceStudies

/// `tailrace noise`
struct NoiseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "noise",
    abstract: "Measure the smallest change that this machine can detect.",
    discussion: """
      Compares the program with itself as 'compare' would. For each metric, prints the smallest change that this many \
      rounds detect in four of five comparisons, and stores it in .tailrace/noise. A gate rejects bounds below it.

      EXAMPLES
        tailrace noise mine.yaml
        tailrace noise mine.yaml --rounds 24 --metric throughput

      EXIT STATUS
        0 measured; 4 invalid: do not trust the figures; 64 wrong usage
      """)

  @Argument(help: "Scenarios, as for 'run'.", completion: Completions.scenarios) var scenarios: [String]
  @OptionGroup(title: "Changing scenarios") var changes: ScenarioChanges
  @OptionGroup(title: "Running") var load: LoadOptions
  @Option(help: "Rounds of the program against itself, 2 to 1000.") var rounds = 12
  @Option(
    name: .customLong("metric"), help: ArgumentHelp("Measure this metric (repeatable).", valueName: "expression"))
  var metrics: [String] = []
  @Option(help: ArgumentHelp("auto, plain or none.", valueName: "style")) var progress: ProgressStyle = .auto
  @OptionGroup var storing: StoreOptions

  func validate() throws {
    guard (2...1_000).contains(rounds) else { throw ValidationError("--rounds \(rounds): write 2 to 1000") }
    guard load.systems.count < 2 else { throw ValidationError("noise measures one system; name one with --system") }
    guard !scenarios.isEmpty else { throw ValidationError("name a scenario") }
  }

  func run() async throws {
    var places = OutputPlaces()
    places.place(
      storing.store.obstacle(toSavingNoiseOf: StoreOptions.noiseName(scenarios)), of: "--store", storing.store)
    try places.check()
    var candidate = try checkedCandidate(scenarios, changes, load)
    let problems = RoundOptions.problems(
      of: metrics,
      in: try ScenarioSelection(
        scenarios, changes: changes, targets: [], largeLoads: load.largeLoads
      ).scenarios)
    guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: \($0)" }) }
    let rules = ComparisonRules(looks: LookPlan(least: rounds, most: rounds))
    let started = Date().formatted(.iso8601)
    let display = ComparisonDisplay(
      progress, delta: rules.indifference, labels: ["this", "itself"])
    let own = candidate
    candidate.label = "itself"
    let outcome: ComparisonRunner.Outcome
    do {
      outcome = try await ComparisonRunner(
        [own, candidate], rules: rules, metrics: metrics, seed: load.seed, interruption: Interruption.ask()
      ).run { display.show($0) }
      display.finish()
    } catch let problem as ChildRunProblem {
      display.finish()
      throw refusal(problem)
    }
    let findings = ComparisonFindings(
      name: StoreOptions.noiseName(scenarios),
      command: RepeatingCommand.text(CommandLine.arguments, seed: load.seed), version: Composition.version,
      started: started, candidates: [], comparison: outcome.comparison, contrasts: outcome.contrasts,
      ending: outcome.ending, forced: [], first: outcome.first, isInterrupted: outcome.isInterrupted)
    for line in findings.fateLines { Terminal.output.write("\(line.replacing("**", with: ""))\n") }
    for line in findings.invalid { Terminal.error.write("INVALID: \(line)\n") }
    let floor = NoiseFloor(findings)
    guard findings.invalid.isEmpty else {
      if findings.counted > 0 { Terminal.output.write("Not stored:\n" + text(floor, findings)) }
      throw ExitCode(Verdict.invalid.exitStatus)
    }
    Terminal.output.write(text(floor, findings))
    var delivery = Delivery(status: 0, isQuiet: false)
    delivery.store(
      "Stored in \(storing.directory)/noise. A gate rejects bounds below it.\n", as: "\(findings.name).json",
      { try ReportJSON.encode(floor) }
    ) {
      try storing.store.save(floor, of: findings.name)
    }
    try delivery.end()
  }

  private func text(_ floor: NoiseFloor, _ findings: ComparisonFindings) -> String {
    var table = Columns([
      "scenario", "metric", ">difference from itself", ">smallest detectable change", ">with twice the rounds",
    ])
    for (entry, contrast) in zip(floor.entries, findings.contrasts) {
      let twice = floor.floor(of: entry.metric, in: entry.scenario, rounds: floor.rounds * 2)
      table.add([
        entry.scenario, entry.metric, contrast.change.map(ExplanationWords.signed) ?? "–",
        entry.floor.map(HumanUnits.share) ?? (contrast.note.isEmpty ? "–" : contrast.note),
        twice.map(HumanUnits.share) ?? "–",
      ])
    }
    return table.text
      + "\n\(counted(floor.rounds, "round")). A change of that size is detected in four of five "
      + "comparisons (95 % confidence, one metric).\n"
  }
}
