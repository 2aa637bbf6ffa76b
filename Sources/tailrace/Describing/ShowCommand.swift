import ArgumentParser
import Foundation
import TailraceHost
import TailraceSpelling
import TailraceText
import TailraceWorkload

/// `tailrace show`
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print a scenario, or its tape: every job that it produces.",
    discussion: """
      Prints the scenario file unchanged. With --tape, prints one CSV row for each job that the scenario and the seed \
      produce: its type, priority, intended arrival, dependencies, and the outcome of its first attempt. For closed \
      clients, whose later arrivals depend on the system, prints only the first job.

      EXAMPLES
        tailrace show governance-five
        tailrace show governance-five > mine.yaml
        tailrace show quick-start --tape --limit 10
        tailrace show mine.yaml --tape --seed 7 --set load.poisson=50/s
      """)

  @Argument(
    help: "A built-in scenario or suite, or a scenario file.",
    completion: Completions.scenarios)
  var name: String
  @Flag(help: "Print the tape as CSV: every intended job.")
  var tape = false
  @Option(help: ArgumentHelp("Print at most this many jobs of the tape (default: all).", valueName: "count"))
  var limit: Int?
  @Option(help: "Draw the tape with this seed.")
  var seed: UInt64 = 1
  @OptionGroup var changes: ScenarioChanges

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit \(limit) is negative; write 0 or more") }
  }

  func run() throws {
    guard tape else { return try printFile() }
    let selection = try ScenarioSelection(
      [name], changes: changes, targets: [], largeLoads: limit == nil ? .refused(offers: false) : .started)
    guard let scenario = selection.scenarios.first, selection.scenarios.count == 1 else {
      let names = selection.scenarios.map(\.name).joined(separator: ", ")
      throw Refusal.usage("'\(name)' has \(selection.scenarios.count) scenarios; name one of them: \(names)")
    }
    try selection.requireEffect(of: changes)
    var lines: [String] = []
    Tape(scenario: scenario.scaled(by: changes.timeScale), seed: seed).writeCSV(limit: limit ?? .max) { line in
      lines.append(line)
      // A tape may have a million jobs, so it is written in chunks.
      if lines.count == 1_000 { flush(&lines) }
    }
    flush(&lines)
  }

  private func flush(_ lines: inout [String]) {
    guard !lines.isEmpty else { return }
    Terminal.output.write(lines.joined(separator: "\n") + "\n")
    // The reader is gone; drawing the rest may take minutes.
    if Terminal.output.failure != 0 { Tailrace.end(0) }
    lines.removeAll(keepingCapacity: true)
  }

  private func printFile() throws {
    if let yaml = BuiltIn.yaml(named: name) {
      Terminal.output.write(yaml)
    } else if let suite = BuiltIn.suite(named: name) {
      let rows = suite.scenarios.map { "  \($0)\n" }.joined()
      Terminal.output.write("\(suite.name): \(suite.summary)\n\n\(rows)\nPrint one with 'tailrace show NAME'.\n")
    } else if FileManager.default.fileExists(atPath: name) {
      let bytes: [UInt8]
      do { bytes = try InputFile.bytes(of: name, .scenario) } catch { throw Refusal.usage(error.description) }
      // Copy the bytes exactly, except on a terminal, where control characters must not move the cursor.
      if Terminal.output.isTerminal {
        Terminal.output.write(VisibleText.lines(bytes))
      } else {
        Terminal.output.write(bytes)
      }
    } else {
      throw Refusal.usage(ScenarioSelection.unknown(name))
    }
  }
}
