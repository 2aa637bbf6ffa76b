import TailraceCore

/// An observer with one recorder per shard of a run.
///
/// It takes no locks, because calls for the same shard never overlap. Call ``merged()`` only after the last record.
package final class RecorderShards: TimelineObserver, @unchecked Sendable {
  private let shards: [Shard]
  private let settings: Recorder.RecorderSettings

  /// Creates entries for shards 0 to `count` − 1.
  package init(count: Int, settings: Recorder.RecorderSettings) {
    self.settings = settings
    shards = (0..<max(1, count)).map { _ in Shard(settings) }
  }

  package func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) { shards[shard].take(records) }

  /// Merges all shards into one recorder. Call it once.
  package func merged() -> Recorder {
    let whole = Recorder(settings)
    for shard in shards { shard.fold(into: whole) }
    return whole
  }
}

/// The records of one shard: a buffer of pending records, and a recorder with the earlier ones.
///
/// Adding a single record touches a dozen lists, which are out of cache by the next record if jobs are few and workers
/// many. Therefore records are buffered and added in batches or at the end of the run. A shard whose records fit the
/// buffer needs no recorder. With tens of thousands of workers this is the common case, and a recorder with a few jobs
/// uses 160 KB and takes half a millisecond to merge.
private final class Shard {
  private static let capacity = 128
  private let settings: Recorder.RecorderSettings
  @exclusivity(unchecked) private var recorder: Recorder?
  private let aside = UnsafeMutableBufferPointer<TimelineRecord>.allocate(capacity: capacity)
  @exclusivity(unchecked) private var count = 0

  init(_ settings: Recorder.RecorderSettings) { self.settings = settings }

  // Records are trivial values and need no deinitialization.
  deinit { aside.deallocate() }

  func take(_ records: UnsafeBufferPointer<TimelineRecord>) {
    guard let source = records.baseAddress else { return }
    if count + records.count > Self.capacity { fold() }
    guard records.count < Self.capacity / 2 else { return own().record(records) }
    (aside.baseAddress! + count).initialize(from: source, count: records.count)
    count += records.count
  }

  private func own() -> Recorder {
    if let recorder { return recorder }
    let made = Recorder(settings)
    recorder = made
    return made
  }

  private func fold() {
    own().record(UnsafeBufferPointer(rebasing: aside[..<count]))
    count = 0
  }

  /// Adds all records to `whole`, in order.
  func fold(into whole: Recorder) {
    if let recorder {
      fold()
      whole.merge(recorder)
    } else {
      whole.record(UnsafeBufferPointer(rebasing: aside[..<count]))
      count = 0
    }
  }
}
