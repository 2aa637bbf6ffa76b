import ArgumentParser
import Foundation
import TailraceHarness
import TailraceMeasurement
import TailraceReport

/// Flags for a gate's outputs besides its report.
struct GateOutput: ParsableArguments {
  @Flag(help: "For GitHub Actions: print annotations, and write the step summary to $GITHUB_STEP_SUMMARY.")
  var github = false
  @Option(help: ArgumentHelp("Write JUnit XML.", valueName: "file"), completion: .file())
  var junit: String?
  @Option(help: ArgumentHelp("Write a Markdown comment for a pull request.", valueName: "file"), completion: .file())
  var comment: String?

  /// The file for GitHub's step summary; nil: `--github` was not given, or the variable is not set.
  private var summaryPath: String? {
    guard github, let path = ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else {
      return nil
    }
    return path
  }

  /// Checks before anything runs that every output can be written.
  func check(_ place: ReportPlace) throws {
    var places = OutputPlaces()
    places.reports(place.directory)
    places.file(junit, of: "--junit", replacing: GateFiles.junitMark)
    places.file(comment, of: "--comment", replacing: GatePage.marker)
    places.file(summaryPath, of: "GITHUB_STEP_SUMMARY", replacing: nil)
    try places.check()
  }

  /// Prints the verdict and writes every requested output.
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
