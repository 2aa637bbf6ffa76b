import ArgumentParser
import Foundation
import TailraceHarness
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceReport

/// `tailrace run`
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Replay scenarios, in real time or simulated, and write a report.",
    discussion: """
      Name scenarios by built-in name ('tailrace list'), file, or folder of files. A suite is a named set of \
      scenarios. Everything is checked before anything runs. Ctrl-C ends the run early: running jobs have the grace \
      period to finish, and the report is written and marked invalid. A second Ctrl-C ends the run immediately.

      EXAMPLES
        tailrace run                          the suite 'documented': two minutes
        tailrace run --time-scale 0.1         the same, ten times as fast
        tailrace run swarm-tasks pipeline-phases
        tailrace run mine.yaml --set scheduler.workers=8 --seed 7
        tailrace run mine.yaml --system live,task-group,dispatch
        tailrace run mine.yaml --system live,simulated
        tailrace run mine.yaml --target 'waiting{priority=high}.p99 < 50ms'

      EXIT STATUS
        0 passed
        1 internal error
        2 a target was missed
        4 the run is invalid (do not trust its figures), or it was interrupted
        64 wrong usage or a bad file
      """)

  @Argument(
    help: "Built-in scenarios or suites, scenario files, folders of them (default: documented).",
    completion: Completions.scenarios)
  var scenarios: [String] = []
  @OptionGroup(title: "Changing scenarios") var changes: ScenarioChanges
  @OptionGroup(title: "Running") var load: LoadOptions
  @OptionGroup(title: "Reporting") var output: OutputOptions

  func run() async throws {
    let selection = try ScenarioSelection(
      scenarios.isEmpty ? ["documented"] : scenarios, changes: changes, targets: load.targets,
      largeLoads: load.largeLoads)
    try selection.requireEffect(of: changes)
    var options = SuiteOptions(suite: selection.suite, changes: changes, load: load, output: output)
    let refusals = SuiteRunner(options, parts: Composition.makeParts(), interruption: StopFlag())
      .refusals(selection.scenarios)
    guard refusals.isEmpty else { throw Refusal.usage(refusals.map { "Error: \($0)" }) }
    let interruption = Interruption.ask(grace: load.grace.value)
    var runner = SuiteRunner(options, parts: Composition.makeParts(), interruption: interruption)
    if output.countsAllocations { return try await printAllocations(runner, selection) }
    if output.emitResult { return try await emit(runner, selection) }
    try load.refuseBounds("a single run has nothing to compare with; use 'tailrace gate'")
    try output.place.check()
    if output.allocations {
      options.allocationsPerJob = try await AllocationCount.inChild(
        scenarios, changes, load, of: selection, interruption: interruption)
    }

    if !output.place.quiet {
      LoadAnnouncement.write(selection.scenarios, systems: load.systems, timeScale: changes.timeScale)
    }
    let display = ProgressDisplay(output.place.quiet ? .none : output.progress)
    options.watches = display.needsFigures
    runner = SuiteRunner(options, parts: Composition.makeParts(), interruption: interruption)
    // Also when the run throws, so that its error starts on a clean line.
    defer { display.finish() }
    let run = try await runner.run(selection.scenarios) { display.show($0) }
    display.finish()
    var delivery = Delivery(status: run.result.exitStatus, isQuiet: output.place.quiet)
    delivery.say(RunSummary(run, terminal: .output).text)
    delivery.tell(run.result.failureWords)
    delivery.report(under: output.place.directory, result: { try ReportFiles.encode(run.result) }) {
      try ReportDirectory.write(run, under: $0)
    }
    try delivery.end()
  }

  /// The child process of `--allocations`: runs the scenarios and prints only the counts.
  private func printAllocations(_ runner: SuiteRunner, _ selection: ScenarioSelection) async throws {
    let run = try await runner.run(selection.scenarios) { _ in }
    Terminal.output.write(try AllocationCount.encode(run.result))
  }

  /// A comparison's child process: replays, and prints only the result. The parent judges it.
  private func emit(_ runner: SuiteRunner, _ selection: ScenarioSelection) async throws {
    let run = try await runner.run(selection.scenarios) { _ in }
    Terminal.output.write(try ReportFiles.encode(run.result))
    for words in run.result.failureWords { Terminal.error.write("Error: \(words)\n") }
  }
}

extension SuiteOptions {
  /// The options that a command line gives, for `run` and `crash`.
  init(suite: String, changes: ScenarioChanges, load: LoadOptions, output: OutputOptions) {
    self.init()
    self.suite = suite
    command = RepeatingCommand.text(CommandLine.arguments, seed: load.seed)
    seed = load.seed
    timeScale = changes.timeScale
    systems = load.systems
    pacing = load.pacer
    dropAfter = load.maxLag.value
    grace = load.grace.value
    keepsJobs = output.jobs
    recordsTape = output.recordTape
    for planted in load.planted { slowdowns[planted.type] = planted.factor }
  }
}
