import TailraceCore
import TailraceMeasurement

/// Takes the records of a replay: into recorders, one a shard, and into the log when `jobs.csv` is wanted.
final class ReplayObserver: TimelineObserver, Sendable {
  private let recorders: RecorderShards
  private let log: AttemptLog?

  init(shards: Int, replay: Replay, origin: Instant) {
    recorders = RecorderShards(count: shards, settings: replay.recorderSettings(origin: origin))
    log = replay.log
    log?.start = origin
  }

  func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {
    recorders.record(records, shard: shard)
    log?.add(records)
  }

  /// A single record, from whoever has the shard to itself.
  func recordOne(_ record: TimelineRecord, shard: Int) {
    withUnsafePointer(to: record) { self.record(UnsafeBufferPointer(start: $0, count: 1), shard: shard) }
  }

  func merged() -> Recorder { recorders.merged() }
}
