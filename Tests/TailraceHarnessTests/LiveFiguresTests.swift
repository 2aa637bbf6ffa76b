// Goal: what is shown while a run goes on is true of it, and looking at a run changes nothing of what it measures.

import Foundation
import TailraceCore
import TailraceMeasurement
import TailraceRuntime
import TailraceWorkload
import Testing
@testable import TailracePlatform
@testable import TailraceReplay

@testable import TailraceHarness

struct LiveFiguresTests {
  private func record(_ job: Int) -> TimelineRecord {
    var record = TimelineRecord(
      number: UInt64(job), type: JobTypeID(rawValue: 0), priority: .normal, intended: .zero)
    (record.submitted, record.accepted, record.eligible, record.started) = (.zero, .zero, .zero, .zero)
    record.finished = Instant(nanoseconds: Int64(job + 1) * 1_000)
    (record.settles, record.cause, record.outcome) = (true, .succeeded, .succeeded)
    return record
  }

  @Test func everyRecordIsSeenOrCounted() async {
    let tap = RecordTap(shards: 2)
    let (shards, each) = (2, 40_000)
    let stop = StopFlag()
    let writers = (0..<shards).map { shard in
      Task.detached { [self] in
        for index in 0..<each {
          withUnsafePointer(to: record(index * shards + shard)) {
            tap.add(UnsafeBufferPointer(start: $0, count: 1), shard: shard)
          }
          if index.isMultiple(of: 256) { await Task.yield() }
        }
      }
    }
    let watcher = Task.detached {
      var (seen, missed) = (Set<UInt64>(), RecordTap.Missed())
      func look() {
        missed.merge(tap.drain { records in for record in records { #expect(seen.insert(record.number).inserted) } })
      }
      while !stop.isSet {
        look()
        await Task.yield()
      }
      look()
      return (seen: seen.count, missed)
    }
    for writer in writers { await writer.value }
    stop.stop()
    let (seen, missed) = await watcher.value
    #expect(seen + missed.records == shards * each)
    #expect(missed.settled == missed.records && missed.ended == missed.records)
  }

  @Test func whatFindsNoRoomIsCounted() {
    let tap = RecordTap(shards: 1)
    let records = (0..<20_000).map { record($0) }
    records.withUnsafeBufferPointer { tap.add($0, shard: 0) }
    var seen: [UInt64] = []
    let missed = tap.drain { seen += $0.map(\.number) }
    #expect(seen == Array(0..<UInt64(seen.count)) && seen.count < 20_000)
    #expect(missed.records == 20_000 - seen.count)
    var left = 0
    let missedSince = tap.drain { left += $0.count }
    #expect(left == 0 && missedSince.records == 0)
  }

  private func runner(_ options: SuiteOptions) -> SuiteRunner {
    SuiteRunner(
      options,
      parts: .forTests(), interruption: StopFlag())
  }

  private func scenario(_ yaml: String) throws -> Scenario {
    try ScenarioParser.parse(yaml: "name: watched\n" + yaml, file: "watched.yaml").get()
  }

  @Test func aLiveRunIsToldAsItGoes() async throws {
    var options = SuiteOptions()
    options.watches = true
    options.systems = ["live", "task-group"]
    let told = Locked<[SuiteProgress]>([])
    let watched = try scenario(
      """
      jobs: {a: {service: 1ms}}
      load: {constant: 200/s}
      duration: 2s
      scheduler: {workers: 2}
      targets: [response.p50 < 1us, response.p50 < 1h, completed > 1000000, lost == 0]
      """)
    _ = try await runner(options).run([watched]) { progress in told.withLock { $0.append(progress) } }
    let all = told.withLock { $0 }
    for system in ["live", "task-group"] {
      let last = try #require(all.last { $0.system == system && $0.figures?.response != nil })
      let figures = try #require(last.figures)
      #expect(figures.settled > 0 && figures.settled <= last.jobs)
      #expect(figures.throughput ?? 0 > 0 && figures.counts != nil && figures.share == 1)
      #expect(try #require(figures.response).max >= .milliseconds(1))
      #expect(last.share ?? 0 > 0 && last.virtualTime == nil)
      // Targets are about a scenario's first run.
      #expect(figures.targets.map(\.verdict) == (system == "live" ? [.missed, .met, .atTheEnd, .atTheEnd] : []))
    }
  }

  @Test func lookingChangesNothingOfASimulatedRun() async throws {
    let long = try scenario(
      """
      jobs: {a: {service: "exponential(mean: 10ms)", failures: 5%, retries: {limit: 2}}}
      load: {poisson: 300/s}
      duration: 500s
      scheduler: {workers: 4}
      targets: [waiting.p99 < 50ms]
      """)
    let told = Locked<[SuiteProgress]>([])
    var results: [SuiteResult] = []
    for watches in [false, true] {
      var options = SuiteOptions()
      options.systems = ["simulated", "simulated-sequential"]
      options.watches = watches
      results.append(
        try await runner(options).run([long]) { progress in if watches { told.withLock { $0.append(progress) } } }
          .result)
    }
    #expect(results[0].scenarios == results[1].scenarios)
    let last = try #require(told.withLock { $0.last })
    #expect(last.virtualTime != nil && last.figures != nil)
  }

  @Test func nobodyIsToldOnceARunIsOver() async throws {
    let isOver = StopFlag()
    let short = try scenario("jobs: {a: {service: 0ms}}\nload: [{batch: 10, of: a}]")
    for _ in 0..<5 {
      _ = try await runner(SuiteOptions()).run([short]) { progress in
        #expect(!isOver.isSet)
        #expect(progress.figures == nil)
      }
    }
    isOver.stop()
    try await Task.sleep(for: .milliseconds(300))
  }
}
