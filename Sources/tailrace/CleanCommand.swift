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
    abstract: "Remove what runs that were killed have left behind.",
    discussion: """
      Looks for temporary folders, half-written files and reports, and checkouts of 'gate --against' whose process has \
      ended, removes them, and ends processes that such a run had started. Every run does so with files in the places \
      that it uses. A link to the newest report goes where that report is gone. What belongs to a run that still goes \
      on, or to another user, is left alone.

      EXAMPLES
        tailrace clean --dry-run
        tailrace clean
        tailrace clean --output /srv/reports /srv/results

      EXIT STATUS
        0 all was removed; 1 something could not be removed
      """)

  @Argument(help: "More folders to look in.", completion: .directory)
  var folders: [String] = []
  @Option(
    help: ArgumentHelp("Where reports were written.", valueName: "directory"), completion: .directory)
  var output = "reports"
  @OptionGroup var storing: StoreOptions
  @Flag(help: "Print what would be removed, and remove nothing.")
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
      lines.append("Left \(path): it may be in use on another machine or in a container; tomorrow it can be removed")
    }
    if lines.isEmpty, problems.isEmpty { lines.append("Nothing is left behind.") }
    Terminal.output.write(lines.joined(separator: "\n") + "\n")
    for problem in problems { Terminal.error.write("Error: \(problem)\n") }
    if !problems.isEmpty { throw ExitCode(1) }
  }
}
