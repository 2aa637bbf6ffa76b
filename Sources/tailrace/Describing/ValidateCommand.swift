import ArgumentParser
import TailraceReport
import TailraceWorkload

/// `tailrace validate`
struct ValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Check scenario files and report every problem at once.",
    discussion: """
      Prints problems to standard error, one per line, and ends with status 64:
        FILE:LINE:COLUMN: WHAT IS WRONG; WHAT IS ALLOWED
      docs/scenarios.md describes the format.

      EXAMPLES
        tailrace validate mine.yaml
        tailrace validate scenarios/      all in a folder
        tailrace validate mine.yaml --set scheduler.workers=8
      """)

  @Argument(
    help: "Scenario files, folders of them, or names of built-in scenarios and suites.",
    completion: Completions.scenarios)
  var files: [String]
  @OptionGroup var changes: ScenarioChanges

  func run() throws {
    let selection = try ScenarioSelection(files, changes: changes, targets: [])
    try selection.requireEffect(of: changes)
    var text = ""
    for (scenario, origin) in zip(selection.scenarios, selection.origins) {
      text += "\(origin): \(scenario.name) is valid ("
      text += counted(scenario.jobs.count, "job type") + ", " + counted(scenario.streams.count, "load stream") + ", "
      text += counted(scenario.targets.count, "target") + ")\n"
      if let words = LoadAnnouncement.words(scenario, systems: ["simulated"], replays: 1) { text += "  \(words)\n" }
    }
    Terminal.output.write(text)
  }
}

/// `1 target`, `3 targets`.
func counted(_ count: Int, _ noun: String) -> String { HumanUnits.counted(count, noun) }
