import ArgumentParser
import Foundation
import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceReport
import TailraceSpelling
import TailraceStudies
import TailraceWorkload

/// `tailrace compare`
struct CompareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract:
      "Compare settings, systems, files, programs or stored results: what is better, worse or the same.",
    discussion: """
      The first candidate is the baseline. Every candidate replays the same tapes in alternating rounds, each in a new \
      process, until every metric is better, worse or the same, or the rounds or the budget are used up. Candidates \
      come from --vary, --system, --binary, or several scenario files. If they differ in jobs or arrivals, they use \
      the same seeds, and the report lists the differences. --results compares stored results. Ctrl-C ends the \
      comparison early and reports the results so far.

      EXAMPLES
        tailrace compare mine.yaml --vary scheduler.policy=fifo,priority,aging
        tailrace compare mine.yaml --vary scheduler.workers=2,4 --system simulated
        tailrace compare mine.yaml --system live,task-group
        tailrace compare mine.yaml --vary jobs.mail.service=10ms,11ms
        tailrace compare before.yaml after.yaml --metric 'response.p99' --delta 2%
        tailrace compare mine.yaml --binary ./tailrace-main --binary ./tailrace-change
        tailrace compare --results reports/before --results reports/after

      EXIT STATUS
        0 nothing is worse; 3 a metric is worse; 4 invalid: do not trust the figures
        5 unclear (only with --strict); 64 wrong usage, or the candidates are not comparable
      """)

  @Argument(
    help: "Scenarios, as for 'run'; or several scenario files to compare.", completion: Completions.scenarios)
  var scenarios: [String] = []
  @Option(
    help: ArgumentHelp(
      "A setting and its values, the baseline's first (repeatable).", valueName: "key=values"),
    completion: Completions.settings, transform: Planner.Dimension.init(flag:))
  var vary: [Planner.Dimension] = []
  @Option(
    name: .customLong("binary"),
    help: ArgumentHelp("A tailrace program, the baseline's first (repeatable).", valueName: "path"),
    completion: .file())
  var binaries: [String] = []
  @Option(
    name: .customLong("results"),
    help: ArgumentHelp(
      "A result.json, or a directory of reports, one per round (repeatable).", valueName: "path"),
    completion: .file())
  var results: [String] = []
  @Option(
    help: ArgumentHelp(
      "A setting, as named in reports, or a job type that may differ between stored results (repeatable).",
      valueName: "name"))
  var varied: [String] = []
  @OptionGroup(title: "Changing scenarios") var changes: ScenarioChanges
  @OptionGroup(title: "Running") var load: LoadOptions
  @OptionGroup(title: "Verdicts") var verdicts: RoundOptions
  @OptionGroup(title: "Reporting") var reporting: ReportingOptions

  func validate() throws {
    guard Set(vary.map(\.key)).count == vary.count else { throw ValidationError("--vary names a setting twice") }
    let isStored = !results.isEmpty
    if isStored {
      guard results.count > 1 else { throw ValidationError("--results names one candidate; name at least two") }
      return
    }
    guard !scenarios.isEmpty else { throw ValidationError("name a scenario, or stored results with --results") }
    guard candidateCount > 1 || scenarios.count > 1 else {
      throw ValidationError(
        "nothing varies; add --vary, --system A,B, a second --binary, or name two scenario files")
    }
    guard candidateCount <= 20 else {
      throw ValidationError("\(candidateCount) candidates are too many to compare; the limit is 20")
    }
  }

  private var candidateCount: Int {
    vary.reduce(max(1, load.systems.count) * max(1, binaries.count)) { $0 * $1.values.count }
  }

  func run() async throws {
    try reporting.place.check()
    let started = Date().formatted(.iso8601)
    if !results.isEmpty { return try finish(try stored(started: started)) }
    let candidates = try candidates()
    let interruption = Interruption.ask()
    let display = ComparisonDisplay(
      reporting.style, delta: verdicts.delta.value, labels: candidates.map(\.label))
    let runner = ComparisonRunner(
      candidates, rules: verdicts.rules, metrics: verdicts.metrics, seed: load.seed, budget: verdicts.budget?.value,
      isForced: load.force, interruption: interruption)
    let outcome: ComparisonRunner.Outcome
    do {
      outcome = try await runner.run { display.show($0) }
      display.finish()
    } catch let unlike as UnlikeCandidates {
      display.finish()
      throw Refusal.unlike(unlike)
    } catch let problem as ChildRunProblem {
      display.finish()
      throw refusal(problem)
    }
    try finish(
      ComparisonFindings(
        name: name, command: RepeatingCommand.text(CommandLine.arguments, seed: load.seed),
        version: Composition.version, started: started,
        candidates: candidates.map {
          ComparedCandidate(label: $0.label, source: ShellWords.line([$0.program, "run"] + $0.arguments))
        },
        comparison: outcome.comparison, contrasts: outcome.contrasts, ending: outcome.ending, forced: outcome.forced,
        first: outcome.first, isInterrupted: outcome.isInterrupted))
  }

  private func finish(_ result: ComparisonFindings) throws {
    var result = result
    if verdicts.strict { result.isStrict = true }
    if result.counted > 0, result.contrasts.allSatisfy(\.logRatios.isEmpty) {
      result.invalid.append("nothing was compared: no metric has a value in every round")
    }
    try reporting.deliver(
      ComparisonSummary(result, terminal: .output).text, status: result.exitStatus,
      name: "compare-\(result.name)", started: result.started
    ) { try ComparisonFiles.render(result) }
  }

  private var name: String {
    let base = scenarios.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent }
    return base.count == 1 ? base[0] : base.isEmpty ? "results" : base.prefix(3).joined(separator: "-")
  }

  // MARK: - Candidates

  private func candidates() throws -> [ComparisonRunner.Candidate] {
    let programs = try binaries.isEmpty ? [StoreOptions.ownProgram] : binaries.map(Self.program)
    let areFilesCompared = candidateCount == 1
    var candidates: [ComparisonRunner.Candidate] = []
    for group in areFilesCompared ? scenarios.map({ [$0] }) : [scenarios] {
      for values in vary.combinations {
        for system in load.systems.isEmpty ? ["live"] : load.systems {
          for (binary, program) in programs.enumerated() {
            let varied = changes.setting(vary, to: values)
            if binary == 0 {
              let scenarios = try check(group, varied, system, isAlone: areFilesCompared)
              // For the first candidate; the others are similar.
              if candidates.isEmpty, !reporting.place.quiet {
                LoadAnnouncement.write(
                  scenarios, systems: [system], replays: candidateCount * verdicts.rounds.most,
                  timeScale: changes.timeScale)
              }
            }
            var label = zip(vary, values).map { "\($0.key)=\($1)" }
            if load.systems.count > 1 { label.append(system) }
            if binaries.count > 1 { label.append(binaries[binary]) }
            if areFilesCompared { label.append(group[0]) }
            candidates.append(
              ComparisonRunner.Candidate(
                label: label.joined(separator: " "), program: program,
                arguments: load.childArguments(group, varied, system: system),
                tapeSource: group + zip(vary, values).map { "\($0.key)=\($1)" }))
          }
        }
      }
    }
    return candidates
  }

  /// Reports what is wrong with a candidate before anything runs.
  private func check(
    _ names: [String], _ changes: ScenarioChanges, _ system: String, isAlone: Bool
  ) throws -> [Scenario] {
    let selection = try ScenarioSelection(
      names, changes: changes, targets: load.targets, largeLoads: load.largeLoads)
    try selection.requireEffect(of: changes)
    if isAlone, selection.scenarios.count != 1 {
      throw Refusal.usage("\(names[0]) holds \(selection.scenarios.count) scenarios; compare files of one each")
    }
    var options = SuiteOptions()
    options.systems = [system]
    options.runsInChildren = true
    let runner = SuiteRunner(options, parts: Composition.makeParts(), interruption: StopFlag())
    let problems = runner.refusals(selection.scenarios) + verdicts.problems(in: selection.scenarios)
    guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: \($0)" }) }
    return selection.scenarios
  }

  /// The path of a program, checked.
  static func program(_ path: String) throws -> String {
    let full = URL(fileURLWithPath: path).standardizedFileURL.path
    guard FileManager.default.isExecutableFile(atPath: full) else {
      throw Refusal.usage("--binary \(path): '\(full)' is not an executable program")
    }
    return full
  }

  // MARK: - Stored results

  private func stored(started: String) throws -> ComparisonFindings {
    do {
      let candidates = try results.map { ($0, try StoredResults.load($0)) }
      let (rounds, forced) = try StoredResults.rounds(
        candidates, varied: Set(varied), isForced: load.force)
      var rules = verdicts.rules
      rules.looks = LookPlan(least: rounds.count, most: rounds.count)
      var comparison = Comparison(rules: rules, metrics: verdicts.metrics)
      for (index, suites) in rounds.enumerated() {
        comparison.add(
          ComparisonRound(number: index + 1, seed: suites[0].seed, order: Array(suites.indices)), suites,
          labels: results)
      }
      return ComparisonFindings(
        name: name, command: ShellWords.line(["tailrace"] + CommandLine.arguments.dropFirst()),
        version: Composition.version, started: started,
        candidates: results.map { ComparedCandidate(label: $0, source: "stored in \($0)") }, comparison: comparison,
        contrasts: comparison.contrasts(isLast: true), ending: "these were stored", forced: forced,
        first: rounds.first ?? [])
    } catch let problem as StoredResultsProblem {
      throw Refusal.usage(problem.description)
    } catch let unlike as UnlikeCandidates {
      throw Refusal.unlike(unlike)
    }
  }
}
