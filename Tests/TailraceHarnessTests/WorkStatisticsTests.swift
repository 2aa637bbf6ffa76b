// Goal: a run's result says exactly what the real work of its jobs did, on every system that does such work.

import Foundation
import TailraceMeasurement
import TailraceReport
import TailraceSQLite
import TailraceWorkload
import Testing
@testable import TailraceReplay

@testable import TailraceHarness

struct WorkStatisticsTests {
  private static let scenario = """
    name: t
    jobs:
      event: {work: {events: 3}}
      burst: {work: {events: 8}}
      approval: {service: 0ms, work: {cycles: {limit: 4, needed: 2, pause: 0ms}}}
      endless: {service: 0ms, work: {cycles: {limit: 3, needed: 2, pause: 0ms, failed: 100%}}, retries: 0}
      read: {work: {sqlite: read}}
      write: {work: {sqlite: write}}
      mixed: {work: {sqlite: mixed}}
    scheduler: {workers: 1}
    drain: 600s
    load: {batch: {event: 4, burst: 1, approval: 5, endless: 2, read: 3, write: 2, mixed: 1}}
    """

  private func replay(_ yaml: String, database: (any DatabaseWork)? = nil) throws -> Replay {
    let scenario = try ScenarioParser.parse(yaml: yaml, file: "t.yaml").get()
    return Replay(tape: Tape(scenario: scenario, seed: 1), database: database)
  }

  private func work(_ system: any ReplaySystem) async throws -> [WorkStatistic.Name: Double] {
    let database = try SQLiteDatabaseWork(readers: 2, rows: 10)
    defer { database.close() }
    let observations = try await system.replay(replay(Self.scenario, database: database)).observations
    let work = try #require(observations.work)
    return Dictionary(uniqueKeysWithValues: work.map { ($0.name, $0.value) })
  }

  @Test(arguments: ["live", "sequential", "task-group"]) func everythingIsCountedOnce(_ name: String) async throws {
    let system = try #require(Systems.forTests.all.first { $0.name == name })
    var work = try await work(system)
    // One worker: nothing waits for a connection, and one job's deliveries are pending at most.
    let pending = work.removeValue(forKey: .deliveriesPendingMax) ?? 0
    #expect((1...24).contains(pending))
    let mean = work.removeValue(forKey: .acquisitionTimeMean) ?? 0
    let max = work.removeValue(forKey: .acquisitionTimeMax) ?? 0
    #expect(0 < mean && mean <= max)
    #expect(
      work == [
        .eventsPublished: 20, .deliveriesHandled: 60, .deliveriesFailed: 0, .deliveriesDropped: 0,
        .deliveriesPending: 0, .subscribers: 3, .historyLength: 20, .historyForgotten: 0, .eventsPerJobMean: 4,
        .eventsPerJobMax: 8,
        .workflowsStarted: 7, .workflowsCompleted: 5, .workflowsFailed: 2, .workflowsUnfinished: 0,
        .workflowsRunningMax: 1, .cyclesSucceeded: 10, .cyclesFailed: 6,
        .connections: 3, .connectionsInUseMax: 1, .acquisitions: 6, .acquisitionsQueued: 0, .operationsMax: 1,
        .reads: 3, .writes: 2, .mixed: 1, .operationsFailed: 0,
      ])
  }

  @Test func workThatIsNotCountedLeavesNothing() async throws {
    let yaml = "name: t\njobs: {a: {service: 0ms}}\nload: {batch: {a: 3}}"
    #expect(try await LiveSystem().replay(replay(yaml)).observations.work == nil)
    // A database that no job used.
    let database = try SQLiteDatabaseWork(readers: 1, rows: 1)
    defer { database.close() }
    #expect(try await SequentialSystem().replay(replay(yaml, database: database)).observations.work == nil)
  }

  @Test func theReportOfARealRunShowsIt() async throws {
    let database = try SQLiteDatabaseWork(readers: 2, rows: 10)
    defer { database.close() }
    let systems: [any ReplaySystem] = [LiveSystem(), SequentialSystem()]
    var runs: [RunResult] = []
    for system in systems {
      let outcome = try await system.replay(
        replay("name: t\njobs: {e: {work: {events: 2}}}\nload: {batch: {e: 5}}", database: database))
      runs.append(
        RunResult(
          system: system.name, seed: 1, timeScale: 1, fingerprint: "",
          measurement: outcome.recorder.measurement(outcome.facts), observations: outcome.observations))
    }
    let scenario = try ScenarioResult(name: "t", summary: "Events.", runs: runs, targets: [], types: ["e"])
    let suite = SuiteResult(
      version: "0", suite: "t", started: "2000-01-01T00:00:00Z", environment: [], command: "tailrace run t", seed: 1,
      timeScale: 1, scenarios: [scenario])
    let files = try ReportFiles.render(suite)
    let text = String(decoding: try #require(files.first { $0.path == "report.md" }).bytes, as: UTF8.self)
    #expect(text.contains("### What the work did"))
    let line = try #require(text.split(separator: "\n").first { $0.contains("Events published") })
    #expect(line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }.suffix(2) == ["10", "10"])
    #expect(!text.contains("Database pool"))
  }
}
