// Goal: planning from the command line finds, refuses and gives up with the right words and status, and leaves a
// report.

import Foundation
import Testing

@Suite struct PlanTests {
  @Test func theCheapestIsNamed() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.run(
      ["plan", "governance-five", "--target", "makespan < 700ms", "--vary", "scheduler.workers=1..5"], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.hasPrefix("Cheapest that meets every target with 95 % confidence: scheduler.workers=3.\n"))
    #expect(outcome.output.contains("The next cheaper, scheduler.workers=2, fails makespan < 700ms ("), "\(outcome)")
    #expect(outcome.output.contains("\nReport: reports/plan-governance-five-"), "\(outcome)")
  }

  @Test func theReportIsWholeAndMadeAgain() async throws {
    let folder = try TemporaryFolder()
    let arguments = [
      "plan", "governance-five", "--target", "makespan < 700ms", "--vary", "scheduler.workers=1..5", "--quiet",
      "--output", "there",
    ]
    let outcome = try await Binary.run(arguments, in: folder)
    #expect(outcome.status == 0 && outcome.output.isEmpty && outcome.error.isEmpty, "\(outcome)")
    let files = try folder.files(under: "there/latest")
    #expect(files.map(\.path) == ["plan.csv", "plan.json", "report.html", "report.md"])
    for name in ["report.md", "report.html", "plan.csv"] {
      try Data().write(to: folder.url.appendingPathComponent("there/latest/\(name)"))
    }
    let again = try await Binary.run(["report", "there/latest"], in: folder)
    #expect(again.status == 0, "\(again)")
    #expect(try folder.files(under: "there/latest").map(\.bytes) == files.map(\.bytes))
    let page = try folder.text("there/latest/report.md")
    #expect(page.contains("**Cheapest that meets every target with 95 % confidence: scheduler.workers=3.**"))
    #expect(
      try folder.text("there/latest/plan.csv").contains("scheduler.workers=3,10,,met,target,makespan < 700ms,ns,"))
  }

  /// Without a budget for what is unclear it is said to be unclear, with a status of its own.
  @Test func whatIsUndecidedIsStatus5() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.run(
      [
        "plan", "four-servers", "--target", "waiting.mean < 1ns", "--target", "offered_rate < 200/s", "--vary",
        "scheduler.workers=40..41", "--budget", "0", "--replications", "2", "--duration", "4s",
      ], in: folder)
    #expect(outcome.status == 5, "\(outcome)")
    #expect(outcome.output.hasPrefix("None of the 2 configurations is known to meet every target"), "\(outcome)")
    #expect(outcome.output.contains("raise it with --budget"), "\(outcome)")
  }

  @Test func whatCannotBeMetIsStatus2AndWhatIsWrong64() async throws {
    let folder = try TemporaryFolder()
    let missed = try await Binary.run(
      ["plan", "governance-five", "--target", "makespan < 1ms", "--vary", "scheduler.workers=1..5"], in: folder)
    #expect(missed.status == 2 && missed.output.hasPrefix("None of the 5 configurations"), "\(missed)")
    for (arguments, words) in [
      (["--vary", "scheduler.workerz=1..5"], "unknown key 'workerz'"), ([], "nothing varies"),
      (["--vary", "scheduler.workers=5..1"], "the lower first"), (["--vary", "scheduler.workers=1,,2"], "empty"),
      (["--vary", "scheduler.workers=0..5"], "'0' is out of range"),
      (["--vary", "scheduler.workers=1..5", "--target", "speedup > 2"], "a sequential run"),
      (["--vary", "scheduler.workers=1..5", "--budget", "-1"], "--budget"),
    ] {
      let outcome = try await Binary.run(["plan", "governance-five"] + arguments, in: folder)
      #expect(outcome.status == 64 && outcome.error.contains(words), "\(outcome)")
    }
  }
}
