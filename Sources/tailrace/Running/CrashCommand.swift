import ArgumentParser
import Foundation
import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceReport
import TailraceWorkload

/// `tailrace crash`
struct CrashCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crash",
    abstract: "Kill a scheduler's processes during a run, and report what became of the jobs.",
    discussion: """
      Replays a scenario on a driver, kills or stops one of its processes at drawn instants, and has it replaced, as a \
      supervisor would. Then waits until every job has settled. Reports the jobs that were lost, run twice, or \
      completed twice, how long the jobs of a killed process took to start again, and how throughput fell.

      EXAMPLES
        tailrace crash quick-start --system celery --kill worker --every 2s
        tailrace crash mine.yaml --system rq --kill worker --at 3s,9s --restart never
        tailrace crash mine.yaml --system celery --kill broker --signal STOP:8s --every 30s
        tailrace crash mine.yaml --system rq --kill worker --target 'recovery.p99 < 5s'

      EXIT STATUS
        0 passed
        1 internal error
        2 a target was missed
        4 the run is invalid (do not trust its figures), or it was interrupted
        64 wrong usage or a bad file
      """)

  @Argument(
    help: "Built-in scenarios, scenario files, folders of them.", completion: Completions.scenarios)
  var scenarios: [String]
  @OptionGroup(title: "Changing scenarios") var changes: ScenarioChanges
  @OptionGroup(title: "Running") var load: LoadOptions
  @Option(help: ArgumentHelp("worker, broker or scheduler.", valueName: "role"))
  var kill: String
  @Option(help: ArgumentHelp("One kill at a random instant of each such interval.", valueName: "duration"))
  var every: String?
  @Option(help: ArgumentHelp("Kill at these instants, from the run's start: 3s,9s.", valueName: "durations"))
  var at: String?
  @Option(help: ArgumentHelp("KILL, or STOP:DURATION to stop a process and continue it.", valueName: "signal"))
  var signal = "KILL"
  @Option(help: ArgumentHelp("When a killed process is replaced, or never.", valueName: "duration"))
  var restart = "1s"
  @Option(help: ArgumentHelp("How long to wait for the last jobs.", valueName: "duration"))
  var patience = "10min"
  @OptionGroup(title: "Reporting") var output: OutputOptions

  func run() async throws {
    let plan = try plan()
    guard !load.systems.isEmpty else {
      throw Refusal.usage("name the driver to test with --system; 'tailrace drivers' lists them")
    }
    let parts = parts(plan)
    let selection = try ScenarioSelection(
      scenarios, changes: changes, targets: load.targets, largeLoads: load.largeLoads)
    try selection.requireEffect(of: changes)
    var options = SuiteOptions(suite: selection.suite, changes: changes, load: load, output: output)
    var refusals = SuiteRunner(options, parts: parts, interruption: StopFlag()).refusals(selection.scenarios)
    for name in load.systems where parts.systems.named(name).map({ !($0 is StreamedSystem) }) == true {
      refusals.append("'\(name)' has no processes that could be killed; name a driver with --system")
    }
    guard refusals.isEmpty else { throw Refusal.usage(refusals.map { "Error: \($0)" }) }
    let interruption = Interruption.ask(grace: load.grace.value)
    try output.place.check()
    let display = ProgressDisplay(output.place.quiet ? .none : output.progress)
    options.watches = display.needsFigures
    let runner = SuiteRunner(options, parts: parts, interruption: interruption)
    defer { display.finish() }
    let run = try await runner.run(selection.scenarios) { display.show($0) }
    display.finish()
    var delivery = Delivery(status: run.result.exitStatus, isQuiet: output.place.quiet)
    delivery.say(RunSummary(run, terminal: .output).text)
    if !output.place.quiet { delivery.say(Self.summary(run.result)) }
    delivery.tell(run.result.failureWords)
    delivery.report(under: output.place.directory, result: { try ReportFiles.encode(run.result) }) {
      try ReportDirectory.write(run, under: $0)
    }
    try delivery.end()
  }

  /// The lines that a crash test adds to a run's summary.
  private static func summary(_ result: SuiteResult) -> String {
    var text = ""
    for scenario in result.scenarios {
      for run in scenario.runs {
        guard let crash = run.observations.crash else { continue }
        let lost = Int(run.measurement[.lost] ?? 0)
        let held = crash.kills.reduce(0) { $0 + $1.held }
        text +=
          "\(scenario.name) on \(run.system): \(crash.kills.count) × \(crash.act) of a \(crash.role); \(held) "
          + "\(held == 1 ? "job was" : "jobs were") running there; lost \(lost), run twice "
          + "\(crash.runTwice), completed twice \(crash.completedTwice)"
        if let recovery = crash.recovery {
          text +=
            "; \(recovery.total) started again, after \(HumanUnits.time(Double(recovery.min.rawValue))) to "
            + HumanUnits.time(Double(recovery.max.rawValue))
        }
        text += ".\n"
      }
    }
    return text
  }

  private func parts(_ plan: CrashPlan) -> SuiteParts {
    var parts = Composition.makeParts()
    let systems = parts.systems
    parts.systems = Systems(systems.all, external: systems.external, drivers: systems.drivers) { name in
      guard var driver = systems.named(name) as? StreamedSystem else { return nil }
      driver.crashPlan = plan
      return driver
    }
    return parts
  }

  private func plan() throws -> CrashPlan {
    var problems: [String] = []
    func time(_ text: String, _ option: String) -> Nanoseconds? {
      do {
        return try QuantityText.duration(text)
      } catch {
        problems.append("Error: \(option) '\(text)': \(error.description)")
        return nil
      }
    }
    let role = CrashPlan.Role(rawValue: kill)
    if role == nil { problems.append("Error: --kill '\(kill)': write worker, broker or scheduler") }
    var act = CrashPlan.Act.kill
    let halves = signal.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch (halves[0].uppercased(), halves.count) {
    case ("KILL", 1): break
    case ("STOP", 2): act = .stop(time(String(halves[1]), "--signal STOP:") ?? .zero)
    default: problems.append("Error: --signal '\(signal)': write KILL or STOP:DURATION, such as STOP:8s")
    }
    var times = CrashPlan.Times.every(.seconds(5))
    switch (every, at) {
    case (nil, nil), (_?, _?): problems.append("Error: write either --every or --at, such as --every 5s")
    case (let every?, nil):
      let interval = time(every, "--every") ?? .seconds(1)
      if interval <= .zero { problems.append("Error: --every '\(every)': write a duration above 0") }
      times = .every(interval)
    case (nil, let at?):
      times = .at(at.split(separator: ",").compactMap { time($0.trimmingCharacters(in: .whitespaces), "--at") })
    }
    let replacement = restart == "never" ? nil : time(restart, "--restart")
    let patience = time(patience, "--patience") ?? .zero
    guard problems.isEmpty, let role else { throw Refusal.usage(problems) }
    return CrashPlan(role: role, act: act, times: times, restart: replacement, patience: patience)
  }
}
