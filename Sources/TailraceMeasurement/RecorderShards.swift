import TailraceCore

/// Recorders for the shards of one run, as the observer that a scheduler's driver calls.
///
/// Each shard has a recorder of its own, so no lock is taken. It relies on the promise that calls for one shard never
/// overlap; read ``merged()`` only after the last call.
package final class RecorderShards: TimelineObserver, @unchecked Sendable {
  private let shards: [Shard]
  private let settings: Recorder.Settings

  /// Makes places for the records of shards 0 to `count` − 1.
  package init(count: Int, settings: Recorder.Settings) {
    self.settings = settings
    shards = (0..<max(1, count)).map { _ in Shard(settings) }
  }

  package func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) { shards[shard].take(records) }

  /// One recorder with everything that all shards have seen. Call it once.
  package func merged() -> Recorder {
    let whole = Recorder(settings)
    for shard in shards { shard.fold(into: whole) }
    return whole
  }
}

/// The records of one shard: those that it has yet to take, and a recorder with the others.
///
/// Folding a single record touches a dozen lists, which are cold by the next when jobs are few and workers many: then
/// records are put aside, and folded some at a time or when the run is over. A shard whose records were never more
/// than find room aside has no recorder: of tens of thousands of workers most are of that kind, and a recorder with a
/// few jobs in it takes 160 KB and half a millisecond to merge.
private final class Shard {
  private static let capacity = 128
  private let settings: Recorder.Settings
  @exclusivity(unchecked) private var recorder: Recorder?
  private let aside = UnsafeMutableBufferPointer<TimelineRecord>.allocate(capacity: capacity)
  @exclusivity(unchecked) private var count = 0

  init(_ settings: Recorder.Settings) { self.settings = settings }

  // Records are plain values: nothing to deinitialize.
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

  /// Hands over everything, in the order in which it came.
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
