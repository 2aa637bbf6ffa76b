import TailraceCore
import TailraceMeasurement
import TailracePlatform

/// Copies of a run's records for the live display.
///
/// A worker copies what it has just recorded into its shard's place, of which there are two: the watcher takes the full
/// one by handing over the empty one, and folds it on a thread of its own. So a worker never waits for more than the
/// exchange of two pointers. A place holds so many records and no more: beyond them only how many jobs settled is
/// counted until the watcher comes by again, and its figures are those of a part of the jobs, which it says.
package final class RecordTap: Sendable {
  /// Records that all places of a kind hold together.
  private static let capacity = 16_384
  private let places: [Place]

  init(shards: Int) {
    let capacity = max(64, Self.capacity / max(1, shards))
    places = (0..<max(1, shards)).map { _ in Place(capacity: capacity) }
  }

  /// Called by the shard's recorder.
  package func add(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) { places[shard].add(records) }

  /// Hands over what has come since the last time, shard by shard; for one watcher only.
  package func drain(_ body: (UnsafeBufferPointer<TimelineRecord>) -> Void) -> Missed {
    var missed = Missed()
    for place in places { missed.merge(place.take(body)) }
    return missed
  }

  /// What found no room.
  package struct Missed {
    package init() {}

    package var records = 0
    /// Jobs that settled with them.
    package var settled = 0
    /// Of these, the jobs that ran to their end.
    package var ended = 0

    package mutating func merge(_ other: Missed) {
      records += other.records
      settled += other.settled
      ended += other.ended
    }
  }
}

/// The records of one shard.
private final class Place: @unchecked Sendable {
  // Guarded by the lock; the watcher has `aside` to itself.
  private let lock = Lock()
  @exclusivity(unchecked) private var filling: UnsafeMutableBufferPointer<TimelineRecord>
  @exclusivity(unchecked) private var count = 0
  @exclusivity(unchecked) private var missed = RecordTap.Missed()
  @exclusivity(unchecked) private var aside: UnsafeMutableBufferPointer<TimelineRecord>

  /// The memory is there from the start, so that the workers allocate nothing: what is allocated is measured.
  init(capacity: Int) {
    filling = .allocate(capacity: capacity)
    aside = .allocate(capacity: capacity)
  }

  // Records are plain values: nothing to deinitialize.
  deinit {
    filling.deallocate()
    aside.deallocate()
  }

  func add(_ records: UnsafeBufferPointer<TimelineRecord>) {
    lock.withLock {
      let room = min(records.count, filling.count - count)
      if room > 0 {
        (filling.baseAddress! + count).initialize(from: records.baseAddress!, count: room)
        count += room
      }
      guard room < records.count else { return }
      missed.records += records.count - room
      for index in room..<records.count where records[index].settles {
        missed.settled += 1
        if records[index].cause.ranToItsEnd { missed.ended += 1 }
      }
    }
  }

  func take(_ body: (UnsafeBufferPointer<TimelineRecord>) -> Void) -> RecordTap.Missed {
    let (taken, without) = lock.withLock {
      swap(&filling, &aside)
      defer {
        count = 0
        missed = RecordTap.Missed()
      }
      return (count, missed)
    }
    body(UnsafeBufferPointer(rebasing: aside[..<taken]))
    return without
  }
}
