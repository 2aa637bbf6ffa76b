import ArgumentParser
import Foundation
import TailraceHarness
import TailraceHost
import TailraceReport
import TailraceStudies

/// `tailrace clean`
struct CleanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clean",
    abstract: "Remove what killed runs left behind.",
    discussion: """
      Removes temporary folders, half-written files and reports, and checkouts of 'gate --against' whose process has \
      ended, and ends processes that such a run started. Removes a 'latest' link whose report is gone. Never touches \
      files of a run that is still going on, or of another user. Every run also cleans the places that it writes to.

      EXAMPLES
        tailrace clean --dry-run
        tailrace clean
        tailrace clean --output /srv/reports /srv/results

      EXIT STATUS
        0 everything was removed; 1 something could not be removed
      """)

  @Argument(help: "More folders to search.", completion: .directory)
  var folders: [String] = []
  @Option(
    help: ArgumentHelp("Where reports were written.", valueName: "directory"), completion: .directory)
  var output = "reports"
  @OptionGroup var storing: StoreOptions
  @Flag(help: "Print what would be removed, but remove nothing.")
  var dryRun = false

  func run() async throws {
    let revisions = "\(storing.directory)/revisions"
    var problems: [FileProblem] = []
    var lines: [String] = []
    let orphans = Orphan.all()
    for orphan in orphans where dryRun || orphan.end() {
      lines.append(
        "\(dryRun ? "Would end" : "Ended") process \(orphan.process) (\(orphan.command)), started by process "
          + "\(orphan.owner), which has ended")
    }
    let checkouts =
      dryRun ? RevisionCheckout.abandoned(in: revisions) : await RevisionCheckout.removeAbandoned(in: revisions)
    let verb = dryRun ? "Would remove" : "Removed"
    for checkout in checkouts { lines.append("\(verb) \(checkout.path), a checkout whose build was killed") }
    let places = [TemporaryPlace.directory, output, revisions] + storing.store.folders + folders
    let leftovers = Leftovers(in: places)
    if !dryRun { problems += leftovers.remove() }
    let failed = Set(problems.map(\.path))
    for item in leftovers.items where !failed.contains(item.path) {
      lines.append("\(verb) \(item.path) (\(HumanUnits.bytes(Double(item.bytes)))), of process \(item.process)")
    }
    if let link = ReportDirectory.danglingLink(in: output) {
      let code = dryRun ? 0 : Leftovers.remove(link)
      if code == 0 { lines.append("\(verb) \(link), a link to a report that is gone") }
      if code != 0 { problems.append(FileProblem(.remove, link, code)) }
    }
    for path in leftovers.kept {
      lines.append("Kept \(path): it may be in use on another machine or in a container; try again tomorrow")
    }
    if lines.isEmpty, problems.isEmpty { lines.append("Nothing to remove.") }
    Terminal.output.write(lines.joined(separator: "\n") + "\n")
    for problem in problems { Terminal.error.write("Error: \(problem)\n") }
    if !problems.isEmpty { throw ExitCode(1) }
  }
}
