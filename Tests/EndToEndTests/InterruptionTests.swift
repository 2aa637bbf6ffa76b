// Goal: an interrupted run ends soon, with a report of what was measured that is marked invalid, and a second signal
// ends it at once.

import Foundation
import Subprocess
import Testing

@Suite(.serialized) struct InterruptionTests {
  @Test(arguments: [Signal.interrupt, .terminate, .terminalClosed])
  func theFirstSignalDrainsAndReports(_ signal: Signal) async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.interrupt(
      ["run", Binary.scenario("endless"), "quick-start", "--jobs"], with: signal, times: 1, in: folder)
    #expect(outcome.status == 4, "\(outcome)")
    #expect(outcome.error.contains("Interrupted: running jobs may finish, then the report is written."))
    #expect(outcome.output.hasPrefix("INVALID selection: cut short; "), "\(outcome)")
    let report = try folder.text("reports/latest/report.md")
    #expect(report.hasPrefix("# INVALID: selection\n"))
    #expect(report.contains("the suite was cut short"))
    // The scenario that never ran is not in it.
    #expect(!outcome.output.contains("quick-start"))
    let rows = try folder.text("reports/latest/jobs.csv").split(separator: "\n").dropFirst()
    #expect(rows.allSatisfy { $0.hasSuffix(",succeeded") || $0.hasSuffix(",cancelled") }, "\(rows.suffix(3))")
  }

  /// As a terminal's Ctrl-\\: the way out where nothing else is one.
  @Test func quittingEndsTheProgram() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.interrupt(
      ["run", Binary.scenario("endless")], with: .quit, times: 1, in: folder)
    #expect(outcome.status == -Signal.quit.rawValue, "\(outcome)")
  }

  /// What is interrupted once a round is over, and what its report is called.
  static let rounds: [(arguments: [String], report: String)] = [
    (["compare", "--vary", "scheduler.workers=1,2"], "compare-quick-start"),
    (["gate", "--against", Binary.path], "gate"),
  ]

  @Test(arguments: rounds.indices) func roundsAreReportedAndAreNoSuccess(_ index: Int) async throws {
    let folder = try TemporaryFolder()
    let (arguments, report) = Self.rounds[index]
    // In virtual time a round takes no time: a thousand of them are enough to be amid them.
    let outcome = try await Binary.interrupt(
      arguments + ["quick-start", "--system", "simulated", "--rounds", "1000"], with: .interrupt, times: 1,
      once: "round 1 of 1000", in: folder)
    #expect(outcome.status == 4, "\(outcome)")
    #expect(outcome.output.contains("it was interrupted; rounds that count by then: "), "\(outcome)")
    #expect(try folder.text("reports/latest/report.md").contains("it was interrupted"))
    #expect(try folder.files(under: "reports").contains { $0.path.contains(report) })
  }

  @Test func aSearchForTheLimitReportsWhatIsKnown() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.interrupt(
      ["capacity", "four-servers", "--system", "live", "--duration", "3s"], with: .terminate, times: 1,
      once: "[2] live", in: folder)
    #expect(outcome.status == 4, "\(outcome)")
    #expect(outcome.output.hasPrefix("CUT SHORT: what is known by now follows."), "\(outcome)")
    #expect(try folder.text("reports/latest/report.md").contains("four-servers"))
  }

  @Test func theSecondSignalEndsItAtOnce() async throws {
    let folder = try TemporaryFolder()
    let arguments = ["run", Binary.scenario("endless"), "--set", "jobs.tick.service=10m", "--grace", "10m"]
    let outcome = try await Binary.interrupt(arguments, with: .interrupt, times: 2, in: folder)
    #expect(outcome.status == 130, "\(outcome)")
    #expect(!folder.exists("reports"))
  }
}
