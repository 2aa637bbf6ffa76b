import TailraceCore
import TailraceMeasurement

/// Records samples and timelines, for benchmarks only; the API may change at any time.
public final class SampleRecording {
  private var histogram = LatencyHistogram()
  private var values: [Nanoseconds]
  private var records: [TimelineRecord]

  /// Prepares samples from 1 µs to about 100 ms, distributed like response times: mostly short.
  public init() {
    // A linear congruential generator (Knuth, MMIX) is random enough here, and the same in every run.
    var state: UInt64 = 1
    values = (0..<4_096).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Nanoseconds(1_000 << Int64(state >> 60) + Int64(state >> 40 & 0xfff))
    }
    records = values.indices.map { index in
      var record = TimelineRecord(
        number: UInt64(index), type: JobTypeID(rawValue: 0),
        priority: Priority.allCases[index % Priority.allCases.count],
        intended: Instant(nanoseconds: Int64(index) * 10_000))
      record.submitted = record.intended + .microseconds(1)
      record.accepted = record.submitted + .microseconds(1)
      record.eligible = record.accepted
      record.started = record.eligible + .microseconds(20)
      record.finished = record.started + SampleRecording.half(of: index)
      record.worker = UInt16(index % 2)
      record.outcome = .succeeded
      record.settles = true
      record.cause = .succeeded
      return record
    }
    for value in values { histogram.record(value) }
  }

  private static func half(of index: Int) -> Nanoseconds { Nanoseconds(1_000 + Int64(index) * 500) }

  /// Records this many samples in one histogram that has already seen values of this magnitude.
  public func recordSamples(_ count: Int) {
    for index in 0..<count { histogram.record(values[index & 4_095]) }
  }

  /// Records this many settled jobs, one attempt each, in a recorder like that of a worker.
  ///
  /// - Returns: how many of them were counted as settled.
  public func recordTimelines(_ count: Int) -> Int {
    let recorder = Recorder(Recorder.RecorderSettings(types: ["no_op"], attemptLimit: 0))
    var left = count
    while left > 0 {
      let size = min(left, records.count)
      records.withUnsafeBufferPointer { recorder.record(UnsafeBufferPointer(rebasing: $0[..<size])) }
      left -= size
    }
    return count
  }

  /// An observer that measures every job as in a live run, for a scheduler with this many shards.
  public static func makeObserver(shards: Int) -> any TimelineObserver {
    RecorderShards(count: shards, settings: Recorder.RecorderSettings(types: ["no_op"]))
  }
}
