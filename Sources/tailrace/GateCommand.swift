import ArgumentParser
import Foundation
import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailraceReport
import TailraceWorkload

/// `tailrace gate`
struct GateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gate",
    abstract: "Decide whether a change may pass: targets first, then regressions against a baseline.",
    discussion: """
      Runs the scenarios in rounds, checks their targets, and compares with a stored baseline or with another program \
      run in turns. A regression is a bound that is broken (--regression, or 'vs(main).throughput > -3%' among a \
      scenario's targets); without any, a metric that 'compare' calls worse. What fails is run again with fresh \
      rounds, and counts only if it fails again. An improvement is no error.

      EXAMPLES
        tailrace gate mine.yaml --against main --github
        tailrace gate mine.yaml --against ./tailrace-main --regression 'throughput > -3%'
        tailrace gate --baseline main --junit gate.xml --comment gate.md
        tailrace gate --baseline main --results reports/latest
        tailrace gate mine.yaml --self-test --slowdown 10%

      EXIT STATUS
        0 passed; 2 a target was missed; 3 worse than the baseline; 4 invalid: not to be trusted
        5 inconclusive (only with --strict); 64 wrong usage, no such baseline, or other tapes or machines
      """)

  @Argument(help: "Scenarios, as for 'run' (default: the baseline's).", completion: .file())
  var scenarios: [String] = []
  @Option(help: ArgumentHelp("Hold it against this stored baseline.", valueName: "name"))
  var baseline: String?
  @Option(
    help: ArgumentHelp(
      "Hold it against this program, or this git revision, which is built beside the working copy.",
      valueName: "program-or-revision"), completion: .file())
  var against: String?
  @Option(
    name: .customLong("regression"),
    help: ArgumentHelp(
      "How much worse a metric may be, such as 'throughput > -3%' or 'response.p99 < +10%' (repeatable).",
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
  @Flag(help: "Try this gate on an identical copy and on one made slower: print how often it calls each.")
  var selfTest = false
  @Option(
    help: ArgumentHelp("How much slower --self-test makes one job type.", valueName: "share"),
    transform: RoundOptions.share)
  var slowdown = RoundOptions.Share(text: "10%", value: 0.1)
  @Option(help: ArgumentHelp("Which job type (default: the one with most work).", valueName: "name"))
  var slowType: String?
  @Option(help: "How often --self-test tries each.") var trials = 10

  func validate() throws {
    if selfTest {
      guard !scenarios.isEmpty, baseline == nil, against == nil, results == nil else {
        throw ValidationError("--self-test wants a scenario, and neither --baseline nor --against nor --results")
      }
      guard (1...1_000).contains(trials) else { throw ValidationError("--trials \(trials): write 1 to 1000") }
      return
    }
    guard (baseline == nil) != (against == nil) else {
      throw ValidationError("say what to hold it against: --baseline NAME, or --against PROGRAM-OR-REVISION")
    }
    if results != nil {
      guard baseline != nil, scenarios.isEmpty, changes.isEmpty, binary == nil else {
        throw ValidationError("--results judges what was run before: it goes with --baseline, and with no scenario")
      }
    }
    if against != nil, scenarios.isEmpty { throw ValidationError("--against needs a scenario to run") }
    guard load.systems.count < 2 else { throw ValidationError("a gate is of one system; name one with --system") }
  }

  func run() async throws {
    do {
      try reporting.place.check()
      if selfTest { return try await runSelfTest() }
      let stored = try baseline.map { try storing.store.load($0) }
      let label = baseline ?? against ?? ""
      let source = try source(stored)
      let scenarios = try boundScenarios(stored)
      let bounds = GateBounds(regressions, in: scenarios, baseline: label)
      try check(bounds, scenarios, rounds: stored?.rounds.count ?? verdicts.rounds.most)
      let reference: GateRunner.Reference
      if let stored { reference = .stored(stored) } else { reference = .program(try await otherProgram()) }
      let started = Date().formatted(.iso8601)
      let display = ComparisonDisplay(
        reporting.style, delta: verdicts.delta.value, labels: [label, "candidate"])
      // What is refused later stands on a line of its own.
      defer { display.finish() }
      let runner = gateRunner(seed: load.seed, baseline: label, metrics: bounds.metrics(besides: verdicts.metrics))
      let gate = try await runner.run(source, against: reference) { display.show($0) }
      display.finish()
      let findings = findings(gate, source, label: label, started: started)
      try output.write(findings, reporting)
      let status = findings.exitStatus
      if status != 0 { throw ExitCode(status) }
    } catch let problem as BaselineStore.Problem {
      throw Refusal.usage(problem.description)
    } catch let problem as StoredResults.Problem {
      throw Refusal.usage(problem.description)
    } catch let problem as RevisionBuild.Problem {
      throw Refusal.usage(problem.description)
    } catch let unlike as UnlikeCandidates {
      throw Refusal.unlike(unlike)
    } catch let problem as ChildRun.Problem {
      throw refusal(problem)
    }
  }

  private func gateRunner(seed: UInt64, baseline: String, metrics: [String]) -> GateRunner {
    GateRunner(
      rules: verdicts.rules, regressions: regressions, metrics: metrics, seed: seed, budget: verdicts.budget?.value,
      isForced: verdicts.force, baseline: baseline, interruption: Interruption.listen())
  }

  // MARK: - What is judged, and against what

  private func source(_ stored: Baseline?) throws -> GateRunner.Source {
    if let results { return .results(label: results, try StoredResults.load(results)) }
    let program = try binary.map(CompareCommand.program) ?? StoreOptions.ownProgram
    if let stored, scenarios.isEmpty {
      return .program(
        ComparisonRunner.Candidate(
          label: "candidate", program: program, arguments: stored.arguments + stored.scenarios))
    }
    return .program(try checkedCandidate(scenarios, changes, load, program: program, label: "candidate"))
  }

  private func otherProgram() async throws -> ComparisonRunner.Candidate {
    let against = against ?? ""
    var program = URL(fileURLWithPath: against).standardizedFileURL.path
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: program, isDirectory: &isFolder)
    if !exists || isFolder.boolValue || !FileManager.default.isExecutableFile(atPath: program) {
      program = try await RevisionBuild(
        directory: "\(storing.directory)/revisions", command: build, product: product
      ).program(of: against) { commit in
        Terminal.error.write("Building \(commit.prefix(12)) in \(storing.directory)/revisions …\n")
      }
    }
    return try checkedCandidate(scenarios, changes, load, program: program, label: against)
  }

  /// The scenarios whose bounds and job types count; of stored results none is read.
  private func boundScenarios(_ stored: Baseline?) throws -> [Scenario] {
    if results != nil { return [] }
    let names = scenarios.isEmpty ? stored?.scenarios ?? [] : scenarios
    return try ScenarioSelection(names, changes: changes, targets: load.targets).scenarios
  }

  /// Says what is wrong with the bounds before anything runs.
  private func check(_ bounds: GateBounds, _ scenarios: [Scenario], rounds: Int) throws {
    var problems = verdicts.problems(in: scenarios) + bounds.problems
    if let noise = try storing.store.noise(of: StoreOptions.noiseName(self.scenarios)),
      noise.isOf(RunEnvironment.capture(allocator: Composition.allocator))
    {
      problems += bounds.problems(in: noise, rounds: rounds)
    }
    guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: \($0)" }) }
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
          label: candidate.label, source: RepeatingCommand.line([candidate.program, "run"] + candidate.arguments))
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
    let candidate = try checkedCandidate(scenarios, changes, load)
    let selection = try ScenarioSelection(scenarios, changes: changes, targets: load.targets)
    guard let slowed = slowType ?? GateSelfTest.heaviestType(of: selection.scenarios, seed: load.seed) else {
      throw Refusal.usage("no job type has a declared service time that could be made slower; name a scenario with one")
    }
    let bounds = GateBounds(regressions, in: selection.scenarios, baseline: "this")
    try check(bounds, selection.scenarios, rounds: verdicts.rounds.most)
    let metrics = bounds.metrics(besides: verdicts.metrics)
    let display = ComparisonDisplay(
      reporting.style, delta: verdicts.delta.value, labels: ["this", "candidate"])
    let test = GateSelfTest(candidate, type: slowed, factor: 1 + slowdown.value) { [self] seed in
      gateRunner(seed: seed, baseline: "this", metrics: metrics)
    }
    let result = try await test.run(
      trials: trials, seed: load.seed, interruption: Interruption.listen(),
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
    if !result.missed.isEmpty { text += result.missed.prefix(1).uppercased() + result.missed.dropFirst() + ".\n" }
    text += "Power: service of '\(type)' made \(slowdown.text) longer is called worse in \(share(result.found)).\n"
    text += "Blame: service time of '\(type)' is named as the origin in \(result.named) of those \(result.found).\n"
    text += "False alarms: an identical copy is called worse in \(share(result.alarms)).\n"
    if result.invalid > 0 {
      text += "Invalid, so not to be trusted: \(result.invalid) of \(2 * result.trials) gates.\n"
    }
    return text
  }
}
