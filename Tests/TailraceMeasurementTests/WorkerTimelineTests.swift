// Goal: small runs keep each attempt for the chart of the workers, large ones those of their busiest stretch, in
// bounded memory however long the run and however many recorders.

import Foundation
import TailraceCore
import Testing

@testable import TailraceMeasurement

struct WorkerTimelineTests {
  @Test func aSmallRunKeepsItsAttempts() throws {
    var failed = makeRecord(1, type: 1, worker: 2)
    failed.settles = false
    failed.outcome = .failed
    let timeline = try #require(
      measure([makeRetry(of: failed), makeRejected(7), failed, makeRecord(0, worker: TimelineRecord.noWorker)]).timeline
    )
    #expect(timeline.types == ["a", "b", "(unknown)"])
    #expect(timeline.spans.map(\.job) == [1, 0, 1], "in order of start, then of worker")
    #expect(timeline.spans.map(\.worker) == [2, nil, 2])
    #expect(timeline.spans.map(\.type) == [1, 0, 1])
    #expect(timeline.spans.map(\.outcome) == [.failed, .succeeded, .succeeded])
    #expect(timeline.spans[0].started - timeline.spans[0].eligible == .microseconds(10))
  }

  @Test(arguments: [(400, 400), (401, 150)])
  func aLargeRunKeepsItsBusiestStretch(count: Int, kept: Int) {
    let records = (0..<count).map { makeRecord(UInt64($0), intended: 200 * Int64($0)) }
    let timeline = measure(records).timeline
    #expect(timeline?.spans.count == kept)
    #expect((timeline?.stretch == nil) == (kept == count))
  }

  /// A job per millisecond, and from job `first` on 300 jobs ten times as fast; each on one of four workers.
  private func makeBurst(_ count: Int, from first: Int) -> [TimelineRecord] {
    var (records, intended): ([TimelineRecord], Int64) = ([], 0)
    for index in 0..<count {
      records.append(makeRecord(UInt64(index), intended: intended, service: 350, worker: UInt16(index % 4)))
      intended += (first..<first + 300).contains(index) ? 100 : 1_000
    }
    return records
  }

  @Test func theBusiestStretchIsWhereAttemptsStartFastest() throws {
    let timeline = try #require(measure(makeBurst(2_000, from: 800), attemptLimit: 5_000).timeline)
    let stretch = try #require(timeline.stretch)
    // Jobs become eligible 3 µs after their arrival, and start 10 µs later.
    #expect(stretch.start == .milliseconds(800) + .microseconds(13))
    #expect(stretch.end - stretch.start == .milliseconds(15))
    #expect(stretch.starts == 150 && stretch.compared == nil)
    #expect(timeline.spans.map(\.job) == Array(800..<950))
    // Three attempts started before the stretch's first one if it begins within the burst.
    let later = try #require(measure(Array(makeBurst(2_000, from: 800)[801...]), attemptLimit: 5_000).timeline)
    #expect(later.stretch?.starts == 150)
  }

  @Test func attemptsThatRunAtTheStartOfTheStretchAreKept() throws {
    var records = makeBurst(2_000, from: 800)
    records.append(makeRecord(9_000, intended: 1_000, service: 900_000, worker: 4))
    let timeline = try #require(measure(records, attemptLimit: 5_000).timeline)
    #expect(timeline.spans.count == 151 && timeline.spans.first?.job == 9_000)
    #expect(timeline.stretch?.starts == 150)
  }

  /// Above the limit of the list, evenly spaced stretches are kept, in bounded memory.
  @Test func aRunTooLargeForTheListStillHasAStretch() throws {
    var list = AttemptList()
    for count in [60_000, 200_000] {
      let recorder = Recorder(Recorder.RecorderSettings(types: ["a"], attemptLimit: 1_000))
      for record in makeBurst(count, from: .max / 2) { recorder.record(record) }
      list = recorder.attempts
      let stretches = try #require(list.stretches)
      #expect(list.attempts.isEmpty && stretches.attempts.count <= AttemptStretches.limit)
      #expect(stretches.attempts.count > AttemptStretches.limit / 8)
      let timeline = try #require(recorder.measurement(RunFacts(intended: count)).timeline)
      let stretch = try #require(timeline.stretch)
      #expect(stretch.starts == 150 && (149...151).contains((stretch.end - stretch.start).rawValue / 1_000_000))
      #expect(try #require(stretch.compared) >= 8)
      #expect(timeline.spans.count == 150)
    }
  }

  @Test func stretchesOfShardsCoincide() throws {
    let records = makeBurst(100_000, from: .max / 2)
    let shards = RecorderShards(count: 4, settings: Recorder.RecorderSettings(types: ["a"], attemptLimit: 2_000))
    for record in records {
      // The last shard has few records, and so keeps all of them.
      let shard = record.worker < 3 || record.number < 4_000 ? Int(record.worker % 3) : 3
      withUnsafePointer(to: record) { shards.record(UnsafeBufferPointer(start: $0, count: 1), shard: shard) }
    }
    let timeline = try #require(shards.merged().measurement(RunFacts(intended: records.count)).timeline)
    let stretch = try #require(timeline.stretch)
    #expect(Set(timeline.spans.map(\.worker)).count == 4, "no shard is missing")
    #expect(stretch.starts == 150 && (149...151).contains((stretch.end - stretch.start).rawValue / 1_000_000))
  }

  @Test func attemptsThatStartTogetherAreBounded() throws {
    let recorder = Recorder(Recorder.RecorderSettings(types: ["a"], attemptLimit: 1_000))
    for index in 0..<50_000 {
      recorder.record(makeRecord(UInt64(index), service: 10, worker: TimelineRecord.noWorker))
    }
    #expect(try #require(recorder.attempts.stretches).attempts.count <= AttemptStretches.limit)
    let stretch = try #require(recorder.measurement(RunFacts(intended: 50_000)).timeline?.stretch)
    #expect(stretch.starts == 150 && stretch.end > stretch.start)
  }

  @Test func withoutALimitNothingIsKept() {
    #expect(measure(makeBurst(2_000, from: 800), attemptLimit: 0).timeline == nil)
  }
}
