// Goal: the first page says once what came of the run, then what did not hold and why, with what to do.

import Foundation
import TailraceCore
import TailraceMeasurement
import Testing

@testable import TailraceReport

struct FirstPageTests {
  private func record(_ job: Int64, type: UInt16, waiting: Int64, service: Int64, cause: SettlementCause)
    -> TimelineRecord
  {
    var record = TimelineRecord(
      number: UInt64(job), type: JobTypeID(rawValue: type), priority: type == 0 ? .high : .low,
      intended: Instant(nanoseconds: job * 1_000_000))
    (record.submitted, record.accepted, record.eligible) = (record.intended, record.intended, record.intended)
    record.started = record.eligible + Nanoseconds(waiting)
    record.finished = record.started + Nanoseconds(service)
    record.worker = 0
    record.outcome = cause == .succeeded ? .succeeded : cause == .cancelled ? .cancelled : .failed
    record.settles = true
    record.cause = cause
    return record
  }

  /// Two types, of which one waits for the only worker, fails now and then, and misses its targets.
  private func suite(
    _ targets: [String], command: String = "tailrace run 'my file.yaml' --seed 7 --set load.poisson=50/s",
    cause: SettlementCause = .failed, change: (inout Observations) -> Void = { _ in }
  ) throws -> SuiteResult {
    let recorder = Recorder(Recorder.RecorderSettings(types: ["quick", "slow"]))
    for job in Int64(0)..<1_000 {
      recorder.record(
        record(
          job, type: job % 10 == 0 ? 1 : 0, waiting: job > 700 ? 9_000_000 : 0, service: 900_000,
          cause: job % 50 != 0 ? .succeeded : cause)
      )
    }
    var observations = Observations()
    var failures = FailureReasons()
    for _ in 0..<20 { failures.add("connection refused", limit: 5) }
    observations.failures = failures
    change(&observations)
    let workers = [(pool: PoolID.async, count: 1)]
    let run = RunResult(
      system: "live", seed: 7, timeScale: 1, fingerprint: "f",
      measurement: recorder.measurement(RunFacts(intended: 1_000, workers: workers)), observations: observations)
    return SuiteResult(
      version: "1", suite: "my file", started: "2000-01-01T00:00:00Z", environment: [], command: command, seed: 7,
      timeScale: 1,
      scenarios: [
        try ScenarioResult(
          name: "mine", summary: "Mine.", runs: [run], targets: targets, types: ["quick", "slow"],
          slow: recorder.slowJobs(behind: targets, of: run, workers: workers))
      ])
  }

  @Test func theVerdictStandsOnce() throws {
    let page = try ReportPage.render(suite(["response.p90 < 5ms"]))
    #expect(page.components(separatedBy: "MISSED").count == 2)
    let html = try RunPage.render(suite(["response.p90 < 5ms"]))
    #expect(html.components(separatedBy: "✗ Missed").count == 2)
  }

  @Test func theCauseFollowsTheTarget() throws {
    let page = try ReportPage.render(suite(["response.p90 < 5ms"]))
    let line = try #require(page.split(separator: "\n").first { $0.hasPrefix("- **mine** missed") })
    #expect(line.contains("299 of 1,000 jobs took longer than the limit; 90.9 % of their time was waiting."))
    #expect(line.contains("They arrived from 701 ms on."))
    #expect(line.contains("the only worker of the async pool was busy"))
    #expect(
      line.contains(
        "`tailrace plan 'my file.yaml' --vary scheduler.workers=1..4 --set load.poisson=50/s` "
          + "[Over time](report.html#scenario-1-over)"))
    let html = try RunPage.render(suite(["response.p90 < 5ms"]))
    #expect(html.contains("href=\"#scenario-1-over\"") && html.contains("id=\"scenario-1-over\""))
    let targets = try #require(page.firstRange(of: "## Targets"))
    let scenario = try #require(page.firstRange(of: "## mine"))
    #expect(targets.lowerBound < scenario.lowerBound)
  }

  @Test func failuresAreCountedByTheirText() throws {
    let page = try ReportPage.render(suite(["success >= 99%"]))
    #expect(page.contains("- **mine** on live: 20 attempts failed with: connection refused"))
    #expect(page.contains("Of 1,000 jobs, 20 failed in their last attempt (all of them `slow`)."))
  }

  /// A warning is no fault: it has a list, a sign and a color of its own, and says whether it matters.
  @Test func warningsStandApart() throws {
    let suite = try suite(["response.p50 < 5ms"]) {
      $0.hostSteal = Reading(0.03)
      $0.hostTicks = 5_000
    }
    let page = try ReportPage.render(suite)
    #expect(!page.contains("What failed") && page.contains("## Warnings"))
    #expect(page.contains("Run it again when the host is less busy"))
    #expect(try RunPage.render(suite).contains("<li class=\"warning\">"))
  }

  /// No command is offered that would not search what held the jobs back.
  @Test func theNextStepIsOneThatCanBeTaken() throws {
    for command in ["tailrace gate a.yaml", "tailrace run --scenario a.yaml", "tailrace run"] {
      let suite = try suite(["response.p90 < 5ms"], command: command)
      #expect(NextStep.command(suite.scenarios[0].targets[0], in: suite.scenarios[0], of: suite) == nil)
    }
    let late = try suite(["response.p90 < 5ms"]) {
      $0.hostSteal = Reading(0.3)
      $0.hostTicks = 5_000
    }
    #expect(NextStep.command(late.scenarios[0].targets[0], in: late.scenarios[0], of: late) == nil)
  }

  /// The command does not also set what it varies, which `tailrace plan` refuses.
  @Test func theNextStepSetsNothingTwice() throws {
    let suite = try suite(
      ["response.p90 < 5ms"],
      command: "tailrace run a.yaml --set scheduler.workers=1 --set=scheduler.workers=1 --set load.poisson=50/s")
    #expect(
      NextStep.command(suite.scenarios[0].targets[0], in: suite.scenarios[0], of: suite)
        == "tailrace plan a.yaml --vary scheduler.workers=1..4 --set load.poisson=50/s")
  }

  /// Where the cause is a rate limit, no configuration is searched but the highest arrival rate.
  @Test func aRateLimitLeadsToTheCapacity() throws {
    var suite = try suite(["response.p90 < 5ms"])
    suite.scenarios[0].causes?[0].slow?.wait?.held[0].by = .poolRate
    #expect(
      NextStep.command(suite.scenarios[0].targets[0], in: suite.scenarios[0], of: suite)
        == "tailrace capacity 'my file.yaml' --set load.poisson=50/s")
  }

  /// A priority that has the jobs of one type and no others repeats its row.
  @Test func rowsThatRepeatOthersAreLeftOut() throws {
    let page = try ReportPage.render(suite(["response.p90 < 5ms"]))
    #expect(page.contains("| quick | 900 |") && !page.contains("| priority=high |"))
    let html = try RunPage.render(suite(["response.p90 < 5ms"]))
    #expect(html.contains(">quick</th>") && !html.contains(">priority=high</th>"))
  }

  /// The same beside a simulation, whose table has several rows per class.
  @Test func rowsBesideASimulationRepeatNone() throws {
    var suite = try suite(["response.p90 < 5ms"])
    var model = suite.scenarios[0].runs[0]
    model.system = "simulated"
    suite.scenarios[0].runs.append(model)
    let (page, html) = (try ReportPage.render(suite), try RunPage.render(suite))
    #expect(page.contains("## Live beside simulated") && page.contains("| quick | `response` |"))
    #expect(html.contains("Live beside simulated") && html.contains(">quick</th>"))
    #expect(!page.contains("| priority=high |") && !html.contains(">priority=high</th>"))
  }

  /// The only job type has the figures of all jobs.
  @Test func theOnlyTypeIsNotListed() throws {
    var suite = try suite(["response.p90 < 5ms"])
    let recorder = Recorder(Recorder.RecorderSettings(types: ["quick"]))
    for job in Int64(0)..<30 {
      recorder.record(record(job, type: 0, waiting: 0, service: 900_000, cause: .succeeded))
    }
    suite.scenarios[0].runs[0].measurement = recorder.measurement(RunFacts(intended: 30))
    let (page, html) = (try ReportPage.render(suite), try RunPage.render(suite))
    #expect(page.contains("| all | 30 |") && !page.contains("| quick |"))
    #expect(html.contains(">all</th>") && !html.contains(">quick</th>"))
  }

  /// Jobs that their submitter cancelled are no failures, so their line has no red marker.
  @Test func onlyFailuresAreMarkedAsSuch() throws {
    let excused = "<li class=\"excused\"><strong>mine</strong> on live:"
    let cancelled = try suite([], cause: .cancelled) { $0.failures = nil }
    #expect(cancelled.fateLines.first?.contains("20 cancelled by their submitter") == true)
    #expect(try RunPage.render(cancelled).contains(excused))
    let failed = try RunPage.render(suite([], cause: .failed) { $0.failures = nil })
    #expect(!failed.contains(excused) && failed.contains("<li><strong>mine</strong> on live:"))
    // The errors of attempts are failures, whatever came of the jobs.
    #expect(try RunPage.render(suite([], cause: .cancelled)).contains("<li><strong>mine</strong> on live:"))
  }

  /// Parts and pools are named in `result.json`, and read again by name.
  @Test func causesNamePartsAndPools() throws {
    let suite = try suite(["response.p90 < 5ms"])
    let json = String(decoding: try ReportFiles.encode(suite), as: UTF8.self)
    #expect(json.contains(#""part":"waiting""#) && json.contains(#""pool":"async""#))
    #expect(try ReportFiles.decode(Array(json.utf8)) == suite)
    let other = Array(json.replacing(#""part":"waiting""#, with: #""part":"wait""#).utf8)
    #expect(throws: ReportProblem.self) { try ReportFiles.decode(other) }
  }

  /// Results of versions without causes are read and shown.
  @Test func causesAreOptional() throws {
    var suite = try suite(["response.p90 < 5ms"])
    suite.scenarios[0].causes = nil
    let page = try ReportPage.render(suite)
    #expect(page.contains("missed `response.p90 < 5ms`: observed 9.90 ms\n"))
  }
}
