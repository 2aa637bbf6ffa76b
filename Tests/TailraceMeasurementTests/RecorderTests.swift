// Goal: a recorder's counts, parts and figures are those that follow from the records by hand.
import Foundation
import TailraceCore
import Testing

@testable import TailraceMeasurement

@Suite struct RecorderTests {
  @Test func quantitiesAreTakenBetweenTheirInstants() throws {
    var first = makeRecord(1, lag: 3, submission: 4, dependencyWait: 7, waiting: 11, service: 100, cause: .failed)
    first.settles = false
    let result = measure([first, makeRetry(of: first, backoff: 50, waiting: 5, service: 20)])
    let means = Quantity.allCases.map { (result.all[$0]?.sum).map { Int($0 / 1_000) } }
    // lag, submission, dependency wait, waiting 11 + 5, service 100 + 20, backoff, response, uncorrected.
    #expect(means == [3, 4, 7, 16, 120, 50, 200, 197])
    #expect(result.all.retries == 1)
    #expect(result.all.attempts == 2)
    #expect(result.all.parts.addUp)
  }

  @Test func refusedAndCancelledJobsGiveNoResponseTime() {
    var waitingOnly = makeRecord(3, cause: .cancelled)
    waitingOnly.started = TimelineRecord.never
    var dropped = TimelineRecord(number: 4, type: JobTypeID(rawValue: 0), priority: .normal, intended: .zero)
    dropped.settles = true
    let result = measure([makeRecord(1), makeRejected(2), waitingOnly, dropped])
    #expect(result.all[.response]?.count == 1)
    #expect(result.all[.submission]?.count == 3)
    #expect(result.all[.waiting]?.count == 2)
    #expect(result.all.causes.total == 4)
    #expect((result[.rejected], result[.cancelled], result[.dropped], result[.completed]) == (1, 1, 1, 1))
    // Of four jobs the submitter cancelled one; one of the other three completed.
    #expect(result[.success] == 1.0 / 3)
    #expect(result.all.parts.addUp)
    #expect(result[.lost] == 0)
  }

  @Test func plantedGapIsFound() {
    var first = makeRecord(1, cause: .failed)
    first.settles = false
    var second = makeRetry(of: first)
    second.previousFinished = second.previousFinished + .microseconds(1)
    let result = measure([first, second])
    #expect(!result.all.parts.addUp)
    #expect(result.all.parts.gap == 1_000)
  }

  @Test func gapsThatCancelOutAreFound() {
    let records = [(UInt64(1), Int64(5)), (2, -5)].flatMap { job, shift in
      var first = makeRecord(job, cause: .failed)
      first.settles = false
      var second = makeRetry(of: first)
      second.previousFinished = second.previousFinished + Nanoseconds(shift)
      return [first, second]
    }
    let result = measure(records)
    #expect(result.all.parts.gap == 0)
    #expect(!result.all.parts.addUp)
  }

  @Test func lostAndDuplicatedJobsAreFoundTogether() {
    // Job 2 is lost and job 1 settles twice: the totals alone would agree.
    let result = measure([makeRecord(1), makeRecord(1), makeRecord(3)], intended: 3)
    #expect(result[.lost] == 1)
    #expect(result[.duplicated] == 1)
  }

  @Test func sparseJobNumbersAreTold() {
    let numbers = (0..<10_000).map { UInt64($0 % 7) << 40 | UInt64($0) }
    let shards = RecorderShards(count: 2, settings: Recorder.RecorderSettings(types: ["a"], attemptLimit: 10))
    for number in numbers {
      withUnsafePointer(to: makeRecord(number)) {
        shards.record(UnsafeBufferPointer(start: $0, count: 1), shard: Int(number % 2))
      }
    }
    withUnsafePointer(to: makeRecord(numbers[5])) {
      shards.record(UnsafeBufferPointer(start: $0, count: 1), shard: Int(1 - numbers[5] % 2))
    }
    let result = shards.merged().measurement(RunFacts(intended: 10_001))
    #expect(result[.lost] == 1)
    #expect(result[.duplicated] == 1)
    #expect(result[.concurrencyMax] == nil)
  }

  @Test func mergingShardsIsTheSameAsOneRecorder() {
    var records: [TimelineRecord] = []
    for index in 0..<Int64(4_000) {
      let priority: Priority = index % 3 == 0 ? .high : .low
      let (type, worker) = (UInt16(index % 2), UInt16(index % 4))
      let record = makeRecord(
        UInt64(index), type: type, priority: priority, intended: index * 700, waiting: index % 97,
        service: index % 13 * 1_000, worker: worker)
      records.append(record)
    }
    let shards = RecorderShards(count: 3, settings: Recorder.RecorderSettings(types: ["a", "b"], attemptLimit: 10_000))
    // In rows of every size: few are put aside, many are taken at once.
    var (first, turn) = (0, 0)
    while first < records.count {
      let row = records[first..<min(first + [1, 3, 63, 64, 127, 128, 200][turn % 7], records.count)]
      row.withUnsafeBufferPointer { shards.record($0, shard: turn % 3) }
      (first, turn) = (row.endIndex, turn + 1)
    }
    let merged = shards.merged().measurement(RunFacts(intended: 4_000))
    #expect(merged == measure(records, attemptLimit: 10_000))
    #expect(
      merged.classes.map(\.key.name) == [
        "all", "a", "b", "priority=high", "priority=low", "a,priority=high", "a,priority=low", "b,priority=high",
        "b,priority=low",
      ])
  }

  @Test func onlyJobsIntendedWithinTheWindowAreMeasured() {
    let records = (0..<10).map { makeRecord(UInt64($0), intended: Int64($0) * 1_000_000) }
    let window = MeasurementWindow(start: .seconds(2), end: .seconds(7))
    let result = measure(records, window: window)
    #expect(result.all[.response]?.count == 5)
    #expect(result.all.causes.total == 5)
    #expect(result.unmeasured.total == 5)
    #expect(result[.throughput] == 1)
    #expect(result.intendedInWindow == 5 && result.submittedInWindow == 5)
    #expect(result[.lost] == 0)
  }

  @Test func concurrencyStartsAndDepthAreExact() {
    // Three jobs become eligible at 3 µs; two run at once, the third starts as the first finishes.
    let records = [
      makeRecord(0, waiting: 0, service: 100), makeRecord(1, waiting: 0, service: 300),
      makeRecord(2, waiting: 100, service: 100),
    ]
    let result = measure(records)
    #expect(result[.concurrencyMax] == 2)
    #expect(result[.queueDepthMax] == 3)
    let starts = (0..<21).map { makeRecord(UInt64($0), intended: Int64($0) * 200_000) }
    #expect(measure(starts)[.startsPerSecondMax] == 5)
  }

  @Test func earlyStartsAreCounted() {
    let parent = makeRecord(0, service: 1_000)
    let early = makeRecord(1, waiting: 5)
    let late = makeRecord(2, waiting: 1_010)
    let result = measure([parent, early, late]) { $0 == 0 ? [] : [0] }
    #expect(result[.earlyStarts] == 1)
  }

  @Test func utilizationIsBusyOverAvailable() {
    let records = [makeRecord(0, lag: 0, submission: 0, waiting: 0, service: 100, worker: 1)]
    let result = measure(records, workers: [(.async, 4), (.thread, 4)])
    #expect(result[.utilization] == 0.25)
    #expect(result.workers.map(\.name) == ["async-0", "async-1", "async-2", "async-3"])
    #expect(result.workers.map(\.utilization) == [0, 1, 0, 0])
    #expect(result[.makespan] == 100_000)
  }

  @Test func seriesIntegrateToTheTimelines() {
    // 2,000 s in jobs of 1 s, two at a time: slots must grow to stay within their number.
    let records = (0..<4_000).map {
      makeRecord(
        UInt64($0), intended: Int64($0 / 2) * 1_000_000, lag: 0, submission: 0, waiting: 0, service: 1_000_000)
    }
    let result = measure(records, attemptLimit: 10)
    #expect(result.running.values.count <= 1_024)
    #expect(result.running.values.dropLast().allSatisfy { $0 == 2 })
    let width = result.throughput.width.seconds
    let jobs = result.throughput.values.dropLast().reduce(0) { $0 + $1 * width }
    #expect(jobs > 3_990 && jobs <= 4_000)
  }

  @Test func resultRoundTripsThroughJSON() throws {
    let run = makeRun((0..<50).map { makeRecord(UInt64($0), intended: Int64($0) * 10) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let data = try encoder.encode(run)
    let decoded = try JSONDecoder().decode(RunResult.self, from: data)
    #expect(decoded == run)
    #expect(try encoder.encode(decoded) == data)
  }

  // MARK: - What a policy does to jobs

  private func recorder(_ adjust: (inout Recorder.RecorderSettings) -> Void) -> Recorder {
    var settings = Recorder.RecorderSettings(
      types: ["a", "b"], window: MeasurementWindow(end: .milliseconds(100)), attemptLimit: 100)
    adjust(&settings)
    return Recorder(settings)
  }

  @Test func aJobIsLateWhenItEndsAfterItsDeadline() {
    let recorder = recorder { $0.deadlines = [.microseconds(113), nil] }
    // Each takes 113 µs; the rejected one never ran.
    let inTime = makeRecord(1)
    let late = makeRecord(2, service: 101)
    for record in [inTime, late, makeRecord(3, type: 1, service: 10_000), makeRejected(4)] { recorder.record(record) }
    let result = recorder.measurement(RunFacts(intended: 4))
    #expect(result[.late] == 1)
    #expect(result[ClassKey(type: "a")]?.value(of: .late) == 1 && result[ClassKey(type: "b")]?.value(of: .late) == 0)
  }

  @Test func aStartPastAMoreUrgentOneThatGoesOnWaitingIsAnInversion() {
    func record(_ job: UInt64, _ priority: Priority, eligible: Int64, waits: Int64) -> TimelineRecord {
      makeRecord(job, priority: priority, intended: eligible, lag: 0, submission: 0, waiting: waits, service: 1)
    }
    let records = [
      record(1, .low, eligible: 0, waits: 10),
      // Waits from 5 to 20: the low one at 10 overtakes it.
      record(2, .high, eligible: 5, waits: 15),
      // Starts with it, at the same instant: no inversion.
      record(3, .low, eligible: 0, waits: 20),
      // Became eligible in the instant in which a low one started: nobody was overtaken.
      record(4, .critical, eligible: 30, waits: 5), record(5, .low, eligible: 0, waits: 30),
      // In another pool nobody is overtaken.
      record(6, .critical, eligible: 40, waits: 20), record(7, .low, eligible: 41, waits: 2),
    ]
    var apart = records
    apart[6].pool = .thread
    #expect(measure(apart, types: ["a"])[.inversions] == 1)
    #expect(measure(records, types: ["a"])[.inversions] == 2)
  }

  @Test func theShareErrorIsTheGreatestDistanceFromTheWeights() {
    let recorder = recorder { $0.weights = [3, 1] }
    for job in 0..<8 as Range<UInt64> { recorder.record(makeRecord(job, type: job < 4 ? 0 : 1)) }
    // Beyond the window.
    recorder.record(makeRecord(9, type: 1, intended: 100_000))
    #expect(recorder.measurement(RunFacts(intended: 9))[.shareError] == 0.25)
    #expect(measure([makeRecord(1)])[.shareError] == nil)
  }

  @Test func recoveryEndsWhenNoMoreJobsAreThereThanWorkers() throws {
    let recorder = recorder { $0.peakEnd = .milliseconds(20) }
    // Ten jobs of one worker, a hundred milliseconds together: from 90 ms on a single one is left.
    for job in 0..<10 as Range<UInt64> {
      recorder.record(makeRecord(job, lag: 0, submission: 0, waiting: Int64(job) * 10_000, service: 10_000))
    }
    let recovery = try #require(
      recorder.measurement(RunFacts(intended: 10, workers: [(.async, 1)]))[.recovery])
    #expect((69e6...73e6).contains(recovery), "\(recovery)")
  }
}
