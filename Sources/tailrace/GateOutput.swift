import ArgumentParser
import Foundation
import TailraceHarness
import TailraceMeasurement
import TailraceReport

/// Flags that say where a gate's findings go besides its report.
struct GateOutput: ParsableArguments {
  @Flag(help: "Write annotations, and the summary of the step to $GITHUB_STEP_SUMMARY, for GitHub Actions.")
  var github = false
  @Option(help: ArgumentHelp("Write JUnit XML.", valueName: "file"), completion: .file())
  var junit: String?
  @Option(help: ArgumentHelp("Write one Markdown comment for a pull request.", valueName: "file"), completion: .file())
  var comment: String?

  /// The file to which GitHub wants the summary of a step added; nil: none is asked for, or it is not there.
  private var summaryPath: String? {
    guard github, let path = ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else {
      return nil
    }
    return path
  }

  /// Finds out before anything runs that something could not be written.
  func check(_ place: ReportPlace) throws {
    var places = OutputPlaces()
    places.reports(place.directory)
    places.file(junit, of: "--junit", replacing: GateFiles.junitMark)
    places.file(comment, of: "--comment", replacing: GatePage.marker)
    places.file(summaryPath, of: "GITHUB_STEP_SUMMARY", replacing: nil)
    try places.check()
  }

  /// Says what came out, and writes everything that was asked for.
  func deliver(_ findings: GateFindings, _ reporting: ReportingOptions) throws {
    var delivery = Delivery(status: findings.exitStatus, isQuiet: reporting.place.quiet)
    delivery.say(GateSummary(findings, terminal: .output).text)
    reporting.report(
      try GateFiles.render(findings), name: "gate", started: findings.comparison.started, in: &delivery)
    if let junit { delivery.file(GateFiles.junit(findings), to: junit) }
    if let comment { delivery.file(try GatePage.comment(findings), to: comment) }
    if github {
      for line in GateFiles.annotations(findings) { Terminal.output.write(line + "\n") }
      if let summaryPath {
        delivery.append(try GatePage.comment(findings) + "\n", to: summaryPath)
      } else {
        Terminal.error.write("GITHUB_STEP_SUMMARY is not set: the summary is in the report only\n")
      }
    }
    try delivery.end()
  }
}
