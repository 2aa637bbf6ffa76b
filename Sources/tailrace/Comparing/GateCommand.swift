import ArgumentParser
import Foundation
import TailraceCore
import TailraceHarness
import TailraceHost
import TailraceMeasurement
import TailraceReport
import TailraceSpelling
import TailraceStudies
import TailraceWorkload

/// `tailrace gate`
struct GateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gate",
    abstract: "Decide whether a change passes: checks targets, then looks for regressions against a baseline.",
    discussion: """
      Runs the scenarios in rounds, checks their targets, and compares them with a stored baseline or with another \
      program, run in alternation. A regression is a broken bound (--regression, or 'vs(main).throughput > -3%' among \
      a scenario's targets); without bounds, it is a metric that 'compare' calls worse. The gate repeats a failing \
      check with fresh rounds, and reports the failure only if it fails again. An improvement is not an error.

      EXAMPLES
        tailrace gate mine.yaml --against main --github
        tailrace gate mine.yaml --against ./tailrace-main --regression 'throughput > -3%'
        tailrace gate --baseline main --junit gate.xml --comment gate.md
        tailrace gate --baseline main --results reports/latest
        tailrace gate mine.yaml --self-test --slowdown 10%

      EXIT STATUS
        0 passed; 2 a target was missed; 3 worse than the baseline; 4 invalid: do not trust the figures
        5 inconclusive: no change could have been detected, or, with --strict, a check is unclear
        64 wrong usage, no such baseline, or tapes or machines that differ from the baseline's
      """)

  @Argument(help: "Scenarios, as for 'run' (default: the baseline's).", completion: Completions.scenarios)
  var scenarios: [String] = []
  @Option(
    help: ArgumentHelp("Compare with this stored baseline.", valueName: "name"), completion: Completions.baselines)
  var baseline: String?
  @Option(
    help: ArgumentHelp(
      "Compare with this program or git revision, which is built beside the working copy.",
      valueName: "program-or-revision"), completion: .file())
  var against: String?
  @Option(
    name: .customLong("regression"),
    help: ArgumentHelp(
      "Allow at most this change of a metric, such as 'throughput > -3%' or 'response.p99 < +10%' (repeatable).",
      valueName: "bound"))
  var regressions: [String] = []
  @Option(
    help: ArgumentHelp("Judge these results instead of running (with --baseline).", valueName: "path"),
    completion: .file())
  var results: String?
  @Option(
    help: ArgumentHelp("Judge this tailrace program (default: this one).", valueName: "path"), completion: .file())
  var binary: String?
  @Option(help: ArgumentHelp("How --against builds a revision.", valueName: "command"))
  var build = "swift build -c release --product tailrace"
  @Option(help: ArgumentHelp("The program that --build makes.", valueName: "path"))
  var product = ".build/release/tailrace"
  @OptionGroup(title: "Changing scenarios") var changes: ScenarioChanges
  @OptionGroup(title: "Running") var load: LoadOptions
  @OptionGroup(title: "Verdicts") var verdicts: RoundOptions
  @OptionGroup(title: "Reporting") var output: GateOutput
  @OptionGroup(title: "Reporting") var reporting: ReportingOptions
  @OptionGroup var storing: StoreOptions
  @Flag(help: "Test this gate on an identical copy and on a slower one; print how often each is called worse.")
  var selfTest = false
  @Option(
    help: ArgumentHelp("How much slower --self-test makes one job type.", valueName: "share"),
    transform: RoundOptions.share)
  var slowdown = RoundOptions.Share(text: "10%", value: 0.1)
  @Option(help: ArgumentHelp("Which job type (default: the one with most work).", valueName: "name"))
  var slowType: String?
  @Option(help: "Trials of each copy in --self-test.") var trials = 10

  func validate() throws {
    if selfTest {
      guard !scenarios.isEmpty else { throw ValidationError("--self-test needs a scenario to run") }
      guard (1...1_000).contains(trials) else { throw ValidationError("--trials \(trials): write 1 to 1000") }
      return
    }
    guard (baseline == nil) != (against == nil) else {
      throw ValidationError("nothing to compare with; add --baseline NAME or --against PROGRAM-OR-REVISION")
    }
    if results != nil, baseline == nil {
      throw ValidationError("--results needs a stored baseline; add --baseline NAME")
    }
    if against != nil, scenarios.isEmpty { throw ValidationError("--against needs a scenario to run") }
    guard load.systems.count < 2 else { throw ValidationError("a gate measures one system; name one with --system") }
  }

  func run() async throws {
    do {
      if selfTest { return try await runSelfTest() }
      try output.check(reporting.place)
      let stored = try baseline.map { try storing.store.load($0) }
      let label = baseline ?? against ?? ""
      let source = try source(stored)
      let bounds = try bounds(stored, source, label: label)
      let reference: GateRunner.Reference
      if let stored { reference = .stored(stored) } else { reference = .program(try await otherProgram()) }
      let started = Date().formatted(.iso8601)
      let display = ComparisonDisplay(
        reporting.style, delta: verdicts.delta.value, labels: [label, "candidate"])
      // A later error starts on a line of its own.
      defer { display.finish() }
      let runner = gateRunner(seed: load.seed, baseline: label, bounds)
      let gate = try await runner.run(source, against: reference) { display.show($0) }
      display.finish()
      let findings = findings(gate, source, label: label, started: started)
      try output.deliver(findings, reporting)
    } catch let problem as BaselineProblem {
      throw Refusal.usage(problem.description)
    } catch let problem as StoredResultsProblem {
      throw Refusal.usage(problem.description)
    } catch let problem as RevisionBuildProblem where problem.isInterruption {
      Terminal.error.write("Error: \(problem)\n")
      throw ExitCode(Tailrace.interruptedStatus)
    } catch let problem as RevisionBuildProblem {
      throw Refusal.usage(problem.description)
    } catch let unlike as UnlikeCandidates {
      throw Refusal.unlike(unlike)
    } catch let problem as ChildRunProblem {
      throw refusal(problem)
    }
  }

  private func gateRunner(seed: UInt64, baseline: String, _ bounds: GateBounds) -> GateRunner {
    var runner = GateRunner(
      rules: verdicts.rules, regressions: regressionFlags, metrics: bounds.metrics(besides: verdicts.metrics),
      seed: seed, budget: verdicts.budget?.value, isForced: load.force, baseline: baseline,
      interruption: Interruption.ask())
    runner.types = bounds.types
    runner.asked = verdicts.metrics
    return runner
  }

  // MARK: - What is judged, and against what

  /// Bounds from flags. For stored results, `vs(…)` among the targets is a bound too.
  private var regressionFlags: [String] {
    regressions + (results == nil ? [] : load.targets.filter(RegressionTarget.isMeant))
  }

  private func source(_ stored: Baseline?) throws -> GateRunner.Source {
    if let results {
      let targets = load.targets.filter { !RegressionTarget.isMeant($0) }
      return .results(label: results, try StoredResults.load(results, judgedBy: targets))
    }
    let program = try binary.map(CompareCommand.program) ?? StoreOptions.ownProgram
    if let stored, scenarios.isEmpty {
      return .program(
        ComparisonRunner.Candidate(
          label: "candidate", program: program,
          arguments: stored.arguments + load.judgingFlags + ChildArguments.paths(stored.scenarios)))
    }
    return .program(try checkedCandidate(scenarios, changes, load, program: program, label: "candidate"))
  }

  private func otherProgram() async throws -> ComparisonRunner.Candidate {
    let against = against ?? ""
    var program = URL(fileURLWithPath: against).standardizedFileURL.path
    if !Self.isProgram(program) {
      program = try await RevisionBuild(
        directory: "\(storing.directory)/revisions", command: build, product: product,
        interruption: Interruption.ask()
      ).program(of: against) { commit in
        Terminal.error.write("Building \(commit.prefix(12)) in \(storing.directory)/revisions …\n")
      }
    }
    return try checkedCandidate(scenarios, changes, load, program: program, label: against)
  }

  /// The bounds that apply. Problems with them are reported before anything runs.
  private func bounds(_ stored: Baseline?, _ source: GateRunner.Source, label: String) throws -> GateBounds {
    var problems: [String] = []
    let bounds: GateBounds
    let names = scenarios.isEmpty ? stored?.scenarios ?? [] : scenarios
    if case .results(_, let results) = source {
      bounds = GateBounds(regressionFlags, in: results + (stored?.rounds ?? []), baseline: label)
      problems += RoundOptions.problems(of: verdicts.metrics, in: bounds)
    } else {
      let selection = try ScenarioSelection(
        names, changes: changes, targets: load.targets, largeLoads: load.largeLoads)
      bounds = GateBounds(regressionFlags, in: selection.scenarios, baseline: label)
      problems += verdicts.problems(in: selection.scenarios)
    }
    problems += bounds.problems
    for target in load.targets {
      guard let bound = try? RegressionTarget(parsing: target, types: nil), bound.baseline != label else { continue }
      problems.append("--target '\(target)': this gate compares with '\(label)'; write vs(\(label))")
    }
    let rounds = stored?.rounds.count ?? verdicts.rounds.most
    if let noise = try storing.store.noise(of: StoreOptions.noiseName(names)),
      noise.isOf(RunEnvironment.capture(allocator: Composition.allocator))
    {
      problems += bounds.problems(in: noise, rounds: rounds)
    }
    guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: \($0)" }) }
    return bounds
  }

  // MARK: - Findings

  private func findings(
    _ gate: (first: GateRunner.Pass, fresh: GateRunner.Pass?, checks: [GateCheck]), _ source: GateRunner.Source,
    label: String, started: String
  ) -> GateFindings {
    func findings(_ pass: GateRunner.Pass) -> ComparisonFindings {
      var own = ComparedCandidate(label: "candidate", source: "")
      switch source {
      case .program(let candidate):
        own = ComparedCandidate(
          label: candidate.label, source: ShellWords.line([candidate.program, "run"] + candidate.arguments))
      case .results(let path, _): own = ComparedCandidate(label: path, source: "stored in \(path)")
      }
      let other = ComparedCandidate(
        label: label, source: baseline.map { "stored in \(storing.store.path(of: $0))" } ?? (against ?? ""))
      return ComparisonFindings(
        name: "gate", command: RepeatingCommand.text(CommandLine.arguments, seed: load.seed),
        version: Composition.version, started: started, candidates: [other, own],
        comparison: pass.outcome.comparison, contrasts: pass.outcome.contrasts, ending: pass.outcome.ending,
        forced: pass.outcome.forced, first: pass.outcome.first, isInterrupted: pass.outcome.isInterrupted)
    }
    return GateFindings(
      comparison: findings(gate.first), confirmation: gate.fresh.map(findings), checks: gate.checks,
      isStrict: verdicts.strict)
  }

  // MARK: - Self-test

  private func runSelfTest() async throws {
    let candidate = try checkedCandidate(
      scenarios, changes, load, program: try binary.map(CompareCommand.program) ?? StoreOptions.ownProgram)
    let selection = try ScenarioSelection(
      scenarios, changes: changes, targets: [], largeLoads: load.largeLoads)
    let types = selection.scenarios.flatMap(\.jobs).map(\.name)
    if let slowType, !types.contains(slowType) {
      throw Refusal.usage(
        "--slow-type \(slowType): no scenario has such a job type; the types are \(types.joined(separator: ", "))")
    }
    guard let slowed = slowType ?? GateSelfTest.heaviestType(of: selection.scenarios, seed: load.seed) else {
      throw Refusal.usage("no job type has a declared service time to slow down; name a scenario that has one")
    }
    let bounds = try bounds(nil, .program(candidate), label: "this")
    let display = ComparisonDisplay(
      reporting.style, delta: verdicts.delta.value, labels: ["this", "candidate"])
    let test = GateSelfTest(candidate, type: slowed, factor: 1 + slowdown.value) { [self] seed in
      gateRunner(seed: seed, baseline: "this", bounds)
    }
    let result = try await test.run(
      trials: trials, seed: load.seed, interruption: Interruption.ask(),
      onTrial: { done, result in
        guard reporting.style != .none else { return }
        Terminal.error.write(
          "trial \(done) of \(trials): slower copy called worse \(result.found), identical one \(result.alarms)\n")
      }, onProgress: { display.show($0) })
    display.finish()
    Terminal.output.write(words(result, slowed))
    guard result.trials == trials, result.invalid == 0 else { throw ExitCode(Verdict.invalid.exitStatus) }
    if result.blind > 0 { throw ExitCode(GateFindings.inconclusiveStatus) }
  }

  private func words(_ result: GateSelfTest.Result, _ type: String) -> String {
    func share(_ count: Int) -> String {
      let interval = result.interval(count)
      return "\(count) of \(result.trials) (95 % interval \(HumanUnits.share(interval.low)) to "
        + "\(HumanUnits.share(interval.high)))"
    }
    var text = ""
    if result.trials < trials { text += "Not finished: \(result.trials) of \(trials) trials were run.\n" }
    if !result.failure.isEmpty { text += "\(result.failure.prefix(1).uppercased() + result.failure.dropFirst()).\n" }
    if !result.missed.isEmpty { text += result.missed.prefix(1).uppercased() + result.missed.dropFirst() + ".\n" }
    text += "Power: with service of '\(type)' \(slowdown.text) longer, called worse in \(share(result.found)).\n"
    text += "Blame: service time of '\(type)' is named as the cause in \(result.named) of those \(result.found).\n"
    text += "False alarms: an identical copy is called worse in \(share(result.alarms)).\n"
    if result.invalid > 0 {
      text += "Invalid: \(result.invalid) of \(2 * result.trials) gates.\n"
    }
    return text
  }
}
