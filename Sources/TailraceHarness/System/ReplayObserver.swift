import CPlatform
import Synchronization
import TailraceCore
import TailraceMeasurement
import TailraceReplay

/// Receives a replay's records and passes them to recorders (one per shard), to the log for `jobs.csv`, and to the live
/// display.
///
/// A handler that ignores its cancellation may report after the run is over. Each shard has a gate, which the merge
/// closes. A late record is then dropped and counted, and never races with reading the results.
final class ReplayObserver: TimelineObserver, Sendable {
  private let recorders: RecorderShards
  private let gates: [ShardGate]
  /// Places for records, one for each side that records on its own.
  var shards: Int { gates.count }
  private let log: AttemptLog?
  private let tap: RecordTap?
  private let late = Atomic<Int>(0)

  init(shards: Int, replay: Replay, origin: Instant) {
    let settings = Recorder.RecorderSettings(replay.scenario, origin: origin)
    recorders = RecorderShards(count: shards, settings: settings)
    gates = (0..<max(1, shards)).map { _ in ShardGate() }
    log = replay.log
    log?.start = origin
    tap = replay.progress?.openTap(shards: shards, settings)
  }

  /// Records that came after ``merged()`` and were dropped.
  var lateRecords: Int { late.load(ordering: .relaxed) }

  func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {
    let gate = gates[shard]
    guard gate.enter() else {
      late.add(records.count, ordering: .relaxed)
      return
    }
    recorders.record(records, shard: shard)
    log?.add(records)
    tap?.add(records, shard: shard)
    gate.leave()
  }

  /// Records a single record, from the only user of the shard.
  func recordOne(_ record: TimelineRecord, shard: Int) {
    withUnsafePointer(to: record) { self.record(UnsafeBufferPointer(start: $0, count: 1), shard: shard) }
  }

  /// One recorder with everything recorded so far; what comes later is dropped. Call it once.
  func merged() -> Recorder {
    for gate in gates { gate.close() }
    return recorders.merged()
  }
}

/// A lock-free gate that admits the one caller of a shard until it is closed.
private final class ShardGate: Sendable {
  private static let open: UInt8 = 0
  private static let occupied: UInt8 = 1
  private static let closed: UInt8 = 2
  private let state = Atomic<UInt8>(open)

  /// Whether the caller may record; it must ``leave()`` then.
  @inline(__always)
  func enter() -> Bool {
    state.compareExchange(expected: Self.open, desired: Self.occupied, ordering: .acquiring).exchanged
  }

  @inline(__always)
  func leave() { state.store(Self.open, ordering: .releasing) }

  /// Waits until the caller has finished recording, which takes microseconds, and closes the gate.
  func close() {
    while true {
      let (exchanged, seen) = state.compareExchange(
        expected: Self.open, desired: Self.closed, ordering: .acquiring)
      if exchanged || seen == Self.closed { return }
      _ = cplatform_sleep_until_ns(cplatform_monotonic_ns() + 10_000)
    }
  }
}
