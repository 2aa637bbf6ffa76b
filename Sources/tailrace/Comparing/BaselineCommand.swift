import ArgumentParser
import Foundation
import TailraceCore
import TailraceHarness
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReport
import TailraceStudies

/// `tailrace baseline`
struct BaselineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "baseline",
    abstract: "Store results to compare later results with.",
    discussion: """
      A baseline is a file in the repository (.tailrace/baselines/NAME.json). It contains rounds of a scenario, each \
      with its tape's fingerprint, its histograms, and the machine and toolchain that it was measured on. 'tailrace \
      gate --baseline NAME' replays the same tapes. A baseline is valid only on the machine that made it. If machines \
      change from run to run, as on hosted CI, use 'tailrace gate --against REVISION', which measures both sides.

      EXAMPLES
        tailrace baseline save main mine.yaml
        tailrace baseline list
        tailrace baseline show main
        tailrace baseline remove main
      """,
    subcommands: [Save.self, List.self, Show.self, Remove.self])

  struct Save: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run a scenario in rounds and store them as a baseline.")
    @Argument(help: "The baseline's name.", completion: Completions.baselines) var name: String
    @Argument(help: "Scenarios, as for 'run'.", completion: Completions.scenarios) var scenarios: [String]
    @Option(help: "Valid rounds to store, 1 to 1000. Prints a note if a gate needs more rounds to call anything worse.")
    var rounds = 12
    @Flag(help: "Replace an existing baseline with this name.") var replace = false
    @OptionGroup(title: "Changing scenarios") var changes: ScenarioChanges
    @OptionGroup(title: "Running") var load: LoadOptions
    @OptionGroup var storing: StoreOptions

    func validate() throws {
      guard Baseline.isName(name) else {
        throw ValidationError("'\(name)' is not a valid baseline name; allowed are \(Baseline.nameRule)")
      }
      guard (1...1_000).contains(rounds) else { throw ValidationError("--rounds \(rounds): write 1 to 1000") }
      guard load.systems.count < 2 else {
        throw ValidationError("a baseline measures one system; name one with --system")
      }
      guard !scenarios.isEmpty else { throw ValidationError("name a scenario") }
    }

    func run() async throws {
      let store = storing.store
      var places = OutputPlaces()
      places.place(store.obstacle(toSaving: name), of: "--store", store)
      try places.check()
      func refuseExisting() throws {
        guard replace || !store.exists(name) else {
          throw Refusal.usage("the baseline '\(name)' already exists; --replace overwrites it")
        }
      }
      try refuseExisting()
      let candidate = try checkedCandidate(scenarios, changes, load)
      let reservation: FileReservation
      do { reservation = try store.reserve(name) } catch { throw Refusal.usage(error.description) }
      defer { withExtendedLifetime(reservation) {} }
      // Another command may have saved it in the meantime.
      try refuseExisting()
      let interruption = Interruption.ask()
      do {
        let run = try await BaselineRun.rounds(
          of: candidate, count: rounds, seed: load.seed, interruption: interruption
        ) { done in
          if Terminal.error.isInteractive { Terminal.error.draw("\r\(done) of \(rounds) rounds ") }
        }
        if Terminal.error.isInteractive { Terminal.error.draw("\r\(String(repeating: " ", count: 40))\r") }
        guard run.results.count == rounds else {
          for line in run.broken + run.spoiled { Terminal.error.write("  \(line)\n") }
          if !run.results.isEmpty { Terminal.output.write(Save.table(run.results).text) }
          Terminal.error.write(
            (interruption.isSet ? "Not finished: it was interrupted. " : "")
              + "Not saved: \(run.results.count) of \(rounds) rounds are valid.\n"
          )
          throw ExitCode(Verdict.invalid.exitStatus)
        }
        let baseline = Baseline(
          name: name, saved: Date().formatted(.iso8601), version: Composition.version,
          command: RepeatingCommand.text(CommandLine.arguments, seed: load.seed), scenarios: scenarios,
          arguments: ChildArguments(load: load, changes: changes, system: load.systems.first ?? "live").flags,
          rounds: run.results)
        var delivery = Delivery(status: 0, isQuiet: false)
        delivery.store(
          "Saved \(counted(rounds, "round")) as '\(name)': \(PathText.short(store.path(of: name)))\n",
          as: "\(name).json", { try ReportJSON.encode(baseline) }
        ) {
          try store.save(baseline, replacing: replace)
        }
        for round in run.results.prefix(1) {
          for line in round.fateLines { delivery.say("Round 1: \(line.replacing("**", with: ""))\n") }
        }
        if let needed = baseline.roundsNeeded {
          delivery.say(
            "Note: with \(counted(rounds, "round")) a gate can call none of its "
              + "\(counted(baseline.usualMetrics, "metric")) worse, however large the change. Use \(needed) "
              + "(--rounds) or fewer metrics (gate --metric, --regression).\n")
        }
        try delivery.end()
      } catch let problem as ChildRunProblem {
        throw refusal(problem)
      }
    }

    /// The rounds' results, one row per round and scenario.
    static func table(_ rounds: [SuiteResult]) -> Columns {
      var table = Columns([
        "scenario", "system", ">seed", "fingerprint", ">jobs", ">success", ">throughput", ">response p50", ">p99",
      ])
      for round in rounds {
        for scenario in round.scenarios {
          guard let run = scenario.primary else { continue }
          let percentiles = run.measurement.all[.response]?.percentiles([50, 99]) ?? [nil, nil]
          let times = percentiles.map { $0.map { HumanUnits.time(Double($0.rawValue)) } ?? "–" }
          table.add([
            scenario.name, run.system, "\(run.seed)", run.fingerprint,
            HumanUnits.count(Double(run.measurement.all.causes.total)), JobFates(run).share,
            HumanUnits.value(run.reading(of: .throughput)?.value, .rate), times[0], times[1],
          ])
        }
      }
      return table
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the baselines.")
    @OptionGroup var storing: StoreOptions

    func run() throws {
      let names = storing.store.names()
      guard !names.isEmpty else {
        Terminal.output.write("No baselines in \(storing.directory)/baselines.\n")
        return
      }
      var table = Columns(["name", ">rounds", "saved", "scenarios", "commit"])
      for name in names {
        do {
          let baseline = try storing.store.load(name)
          table.add([
            name, "\(baseline.rounds.count)", baseline.saved, baseline.scenarios.joined(separator: " "),
            String((baseline.environment.first { $0.name == "git_commit" }?.value ?? "unknown").prefix(12)),
          ])
        } catch {
          table.add([name, "–", "cannot be read", error.description, ""])
        }
      }
      Terminal.output.write(table.text)
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print a baseline's contents.")
    @Argument(help: "The baseline's name.", completion: Completions.baselines) var name: String
    @OptionGroup var storing: StoreOptions

    func run() throws {
      let baseline: Baseline
      do {
        baseline = try storing.store.load(name)
      } catch {
        throw Refusal.usage(error.description)
      }
      var text = "\(baseline.name): \(counted(baseline.rounds.count, "round")), saved \(baseline.saved)\n"
      text += "Made with: \(baseline.command)\n\n"
      text += Save.table(baseline.rounds).text + "\n"
      text += baseline.environment.map { "\($0.name): \($0.value)\n" }.joined()
      Terminal.output.write(text)
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Delete a baseline's file.")
    @Argument(help: "The baseline's name.", completion: Completions.baselines) var name: String
    @OptionGroup var storing: StoreOptions

    func run() throws {
      do {
        try storing.store.remove(name)
      } catch {
        throw Refusal.usage(error.description)
      }
      Terminal.output.write("Removed '\(name)'.\n")
    }
  }
}

/// This program as a candidate, after the scenarios have been checked.
func checkedCandidate(
  _ scenarios: [String], _ changes: ScenarioChanges, _ load: LoadOptions, program: String = StoreOptions.ownProgram,
  label: String = "this"
) throws -> ComparisonRunner.Candidate {
  let selection = try ScenarioSelection(
    scenarios, changes: changes, targets: load.targets, largeLoads: load.largeLoads)
  try selection.requireEffect(of: changes)
  var options = SuiteOptions()
  options.systems = load.systems.isEmpty ? ["live"] : load.systems
  options.runsInChildren = true
  let runner = SuiteRunner(options, parts: Composition.makeParts(), interruption: StopFlag())
  let problems = runner.refusals(selection.scenarios)
  guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: \($0)" }) }
  LoadAnnouncement.write(selection.scenarios, systems: load.systems, timeScale: changes.timeScale)
  return ComparisonRunner.Candidate(
    label: label, program: program,
    arguments: load.childArguments(scenarios, changes, system: load.systems.first ?? "live"))
}

/// The error for a child process that returned no result.
func refusal(_ problem: ChildRunProblem) -> any Error {
  guard problem.status == Refusal.status else { return problem }
  return Refusal.usage(problem.words.split(separator: "\n").map(String.init))
}
