// Goal: a replay ends when it is told to, accounts for every job, and says what was cut off.

import Foundation
import TailraceCore
import TailraceMeasurement
import TailraceRuntime
import TailraceWorkload
import Testing
@testable import TailracePlatform
@testable import TailraceReplay

@testable import TailraceHarness

struct ReplayTests {
  private func replay(
    _ yaml: String, interruption: StopFlag = StopFlag(), grace: Nanoseconds = .seconds(10), log: AttemptLog? = nil
  ) throws -> Replay {
    let scenario = try ScenarioParser.parse(yaml: "name: t\n" + yaml, file: "t.yaml").get()
    return Replay(
      tape: Tape(scenario: scenario, seed: 1), grace: grace, interruption: interruption, log: log,
      progress: RunProgress())
  }

  /// A result as the suite would make it of a replay.
  private func run(_ system: any ReplaySystem, _ replay: Replay) async throws -> RunResult {
    let outcome = try await system.replay(replay)
    return RunResult(
      system: system.name, seed: 1, timeScale: 1, fingerprint: "",
      measurement: outcome.recorder.measurement(outcome.facts), observations: outcome.observations)
  }

  private func check(_ name: String, of run: RunResult) throws -> ValidityCheck {
    try #require(run.validity.first { $0.name == name })
  }

  @Test func interruptionDoesNotWaitOutAThinkingClient() async throws {
    let interruption = StopFlag()
    let replay = try replay(
      "jobs: {a: {service: 0ms}}\nload: [{closed: {clients: 1, think: 1h}, of: a, count: 2}]",
      interruption: interruption)
    let progress = try #require(replay.progress)
    let watcher = Task {
      while progress.jobs == 0 { try? await Task.sleep(for: .milliseconds(1)) }
      interruption.stop()
    }
    // The test would hang, not fail, if the flag went unseen.
    let result = try await run(LiveSystem(), replay)
    await watcher.value
    #expect(result.observations.isInterrupted)
    #expect(try check("ran_to_end", of: result).words.contains("not finished: it was interrupted"))
    #expect(result.measurement[.lost] == 0)
  }

  @Test func jobsCutOffByTheDrainAreSettledAndNamed() async throws {
    let replay = try replay(
      "jobs: {a: {service: 1h}}\nscheduler: {workers: 1}\nload: [{batch: 3, of: a}]\ndrain: 50ms")
    let result = try await run(LiveSystem(), replay)
    #expect(result.measurement[.lost] == 0)
    #expect(result.measurement[.leftRunning] == 0)
    #expect(result.observations.cutOff == 3)
    #expect(!result.observations.isInterrupted)
    let end = try check("ran_to_end", of: result)
    #expect(end.verdict == .failed)
    #expect(end.words == "3 jobs had not settled when the time to drain was over")
    #expect(try check("none_lost", of: result).verdict == .passed)
  }

  @Test func interruptedYardstickWaitsForItsGraceAlone() async throws {
    let interruption = StopFlag()
    let replay = try replay(
      "jobs: {a: {service: 1h}}\nscheduler: {workers: 1}\nload: [{batch: 2, of: a}]\ndrain: 1h",
      interruption: interruption, grace: .milliseconds(20))
    let progress = try #require(replay.progress)
    let watcher = Task {
      while progress.jobs < 2 { try? await Task.sleep(for: .milliseconds(1)) }
      interruption.stop()
    }
    // The test would hang, not fail, if it waited for the drain.
    let result = try await run(TaskGroupSystem(), replay)
    await watcher.value
    #expect(result.measurement[.lost] == 0)
    #expect(result.observations.cutOff == 2)
  }

  @Test func jobsWithDependenciesAreSubmittedBehindTheOneThatWaited() async throws {
    let log = AttemptLog()
    let replay = try replay(
      """
      jobs: {a: {service: 30ms}}
      scheduler: {workers: 1, queue: {capacity: 1, when_full: block}}
      graphs:
        fan:
          first: {job: a}
          second: {job: a, after: first}
          third: {job: a, after: first}
          fourth: {job: a, after: first}
      load: [{batch: 1, of: fan}]
      """, log: log)
    let result = try await run(LiveSystem(), replay)
    #expect(result.measurement[.completed] == 4)
    let records = log.take().records.filter { $0.attempt == 1 }.sorted { $0.number < $1.number }
    try #require(records.count == 4)
    // The third finds the second in the queue of one until the first has ended; the fourth is behind it.
    #expect(records[2].accepted - records[2].submitted > .milliseconds(10))
    #expect(records[3].submitted >= records[2].accepted)
  }

  @Test func permanentFailureKeepsItsCause() {
    for outcome in AttemptOutcome.allCases {
      #expect(outcome.settlement(mayRetry: false).map { "\($0)" } == "\(outcome)")
    }
  }

  @Test func recordsAfterTheMergeAreDroppedAndCounted() async throws {
    let replay = try replay("jobs: {a: {service: 0ms}}\nload: [{batch: 1, of: a}]")
    let observer = ReplayObserver(shards: 2, replay: replay, origin: .zero)
    let stop = StopFlag()
    // Two shards record as fast as they can while the merge is made.
    let handlers = (0..<2).map { shard in
      Task.detached {
        var count = 0
        while !stop.isSet {
          var record = TimelineRecord(
            number: UInt64(count * 2 + shard), type: JobTypeID(rawValue: 0), priority: .normal, intended: .zero)
          (record.submitted, record.accepted, record.finished) = (.zero, .zero, .zero)
          (record.settles, record.cause) = (true, .cancelled)
          observer.recordOne(record, shard: shard)
          count += 1
          if count.isMultiple(of: 64) { await Task.yield() }
        }
        return count
      }
    }
    try await Task.sleep(for: .milliseconds(5))
    let recorder = observer.merged()
    let merged = recorder.endedJobs
    stop.stop()
    var count = 0
    for handler in handlers { count += await handler.value }
    #expect(recorder.endedJobs == merged)
    #expect(merged + observer.lateRecords == count)
    observer.recordOne(
      TimelineRecord(number: 1, type: JobTypeID(rawValue: 0), priority: .normal, intended: .zero), shard: 0)
    #expect(merged + observer.lateRecords == count + 1)
  }

  @Test func memoryPerJobIsOfSettledJobs() {
    let expense = RunExpense(processorTime: 0, peakMemory: 0, liveBytes: 9, allocatedBytes: 400, hostTicks: 5)
    let known = expense.observations(settled: 4, liveBytesWarm: 7)
    #expect(known.bytesPerJob.value == 100)
    #expect(known.liveBytesWarm.value == 7)
    #expect(known.hostTicks == 5)
    let short = expense.observations(settled: 0, liveBytesWarm: nil)
    #expect(short.bytesPerJob.unavailable == "no job settled")
    #expect(short.liveBytesWarm.unavailable == "the run ended before its warm-up was over")
  }
}
