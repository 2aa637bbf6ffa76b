import TailraceCore

/// Recorders for the shards of one run, as the observer that a scheduler's driver calls.
///
/// Each shard has a recorder of its own, so no lock is taken. It relies on the promise that calls for one shard never
/// overlap; read ``merged()`` only after the last call.
package final class RecorderShards: TimelineObserver, @unchecked Sendable {
  private let recorders: [Recorder]

  /// Makes recorders for shards 0 to `count` − 1.
  package init(count: Int, settings: Recorder.Settings) {
    recorders = (0..<max(1, count)).map { _ in Recorder(settings) }
  }

  package func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {
    recorders[shard].record(records)
  }

  /// One recorder with everything that all shards have seen. Call it once.
  package func merged() -> Recorder {
    for other in recorders.dropFirst() { recorders[0].merge(other) }
    return recorders[0]
  }
}
