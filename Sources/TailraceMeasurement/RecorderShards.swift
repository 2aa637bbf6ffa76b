import TailraceCore

/// Recorders for the shards of one run, as the observer that a scheduler's driver calls.
///
/// Each shard has a recorder of its own, so no lock is taken. It relies on the promise that calls for one shard never
/// overlap; read ``merged()`` only after the last call.
package final class RecorderShards: TimelineObserver, @unchecked Sendable {
  private let shards: [Shard]

  /// Makes recorders for shards 0 to `count` − 1.
  package init(count: Int, settings: Recorder.Settings) {
    shards = (0..<max(1, count)).map { _ in Shard(settings) }
  }

  package func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) { shards[shard].take(records) }

  /// One recorder with everything that all shards have seen. Call it once.
  package func merged() -> Recorder {
    for shard in shards { shard.fold() }
    for other in shards.dropFirst() { shards[0].recorder.merge(other.recorder) }
    return shards[0].recorder
  }
}

/// A recorder, and the records that it has yet to take.
///
/// Folding a single record touches a dozen lists, which are cold by the next when jobs are few and workers many: then
/// records are put aside, and folded some at a time or when the run is over.
private final class Shard {
  private static let capacity = 128
  let recorder: Recorder
  private let aside = UnsafeMutableBufferPointer<TimelineRecord>.allocate(capacity: capacity)
  @exclusivity(unchecked) private var count = 0

  init(_ settings: Recorder.Settings) { recorder = Recorder(settings) }

  // Records are plain values: nothing to deinitialize.
  deinit { aside.deallocate() }

  func take(_ records: UnsafeBufferPointer<TimelineRecord>) {
    guard let source = records.baseAddress else { return }
    if count + records.count > Self.capacity { fold() }
    guard records.count < Self.capacity / 2 else { return recorder.record(records) }
    (aside.baseAddress! + count).initialize(from: source, count: records.count)
    count += records.count
  }

  func fold() {
    recorder.record(UnsafeBufferPointer(rebasing: aside[..<count]))
    count = 0
  }
}
