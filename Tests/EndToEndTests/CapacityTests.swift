// Goal: seeking a limit from the command line answers first, writes a whole report, and refuses with the right words
// and status before anything runs.

import Foundation
import Testing

@Suite struct CapacityTests {
  private static let quick = ["--rounds", "4", "--precision", "10%", "--duration", "6s"]

  @Test func theLimitIsFoundBesideTheoryAndTheReportIsWhole() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.run(["capacity", "four-servers", "--seed", "3"] + Self.quick, in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.hasPrefix("four-servers, simulated: "), "\(outcome)")
    #expect(outcome.output.contains("Theory, exact:  318 /s for waiting.p99 < 50ms (M/M/4"), "\(outcome)")
    #expect(outcome.output.contains("Bottleneck:     workers of the pool async"), "\(outcome)")
    #expect(outcome.outputLines.count <= 40)
    #expect(
      try folder.files(under: "reports/latest").map(\.path)
        == ["capacity.csv", "capacity.json", "report.html", "report.md"])
    let table = try folder.text("reports/latest/capacity.csv")
    #expect(
      table.hasPrefix("scenario,configuration,system,rate_per_s,runs,verdict,metric,statistic,unit,value,low,high\n"))
    #expect(table.contains(",limit,crossing,1/s,"))
    let page = try folder.text("reports/latest/report.md")
    try Data().write(to: folder.url.appendingPathComponent("reports/latest/report.md"))
    let again = try await Binary.run(["report", "reports/latest"], in: folder)
    let made = try folder.text("reports/latest/report.md")
    #expect(again.status == 0 && made == page, "\(again)")
  }

  @Test func severalConfigurationsStandSideBySide() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.run(
      ["capacity", "four-servers", "--vary", "scheduler.workers=2,4", "--target", "waiting.mean < 20ms"] + Self.quick,
      in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.contains("scheduler.workers=2, simulated: ") && outcome.output.contains("bottleneck"))
    let page = try folder.text("reports/latest/report.md")
    #expect(page.contains("## a: scheduler.workers=2") && page.contains("## b: scheduler.workers=4"))
  }

  @Test func whatCannotBeMetIsStatus2() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.run(
      ["capacity", "four-servers", "--target", "service.mean < 1ms", "--rates", "50/s..100/s"] + Self.quick, in: folder)
    #expect(outcome.status == 2, "\(outcome)")
    #expect(outcome.output.contains("'service.mean < 1ms' is missed at every rate"), "\(outcome)")
    #expect(outcome.output.contains("the service time does not depend on the arrival rate: its mean is"), "\(outcome)")
  }

  @Test(arguments: [
    (["governance-five"], "has no arrival rate that could be raised"),
    (["four-servers", "--rates", "5/s"], "LOW..HIGH"),
    (["four-servers", "--rates", "9/s..5/s"], "the lower rate first"),
    (["four-servers", "--rates", "5..9/s"], "'5'"), (["four-servers", "--precision", "0"], "out of range"),
    (["four-servers", "--rounds", "2"], "3 to 1000"), (["four-servers", "--vary", "scheduler.workerz=1,2"], "workerz"),
    (["four-servers", "--target", "wait.p99 < 5ms"], "unknown metric"),
    (["four-servers", "--system", "redis"], "redis"),
    (["four-servers", "--time-scale", "0.1"], "--time-scale"), (["documented"], "one at a time"),
  ]) func whatIsWrongIsSaidBeforeAnythingRuns(arguments: [String], words: String) async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.run(["capacity"] + arguments, in: folder)
    #expect(outcome.status == 64 && outcome.error.contains(words), "\(outcome)")
    #expect(!folder.exists("reports"))
  }
}
