import Synchronization
import TailraceCore
import TailraceMeasurement
import TailracePlatform

/// Jobs in the system at one moment, by what they do there.
package struct JobCounts: Sendable, Hashable {
  /// Eligible and waiting for a worker: the depth of the queue.
  package var waiting: Int
  package var running: Int
  /// Waiting for something else: a later instant, jobs that they depend on, or room in the queue.
  package var later: Int

  package init(waiting: Int, running: Int, later: Int = 0) {
    self.waiting = waiting
    self.running = running
    self.later = later
  }

  package init(_ gauges: SchedulerGauges) {
    self.init(
      waiting: gauges.available, running: gauges.running,
      later: gauges.scheduled + gauges.blocked + gauges.waitingForRoom)
  }
}

/// A run's progress, written by the load generator and the system, and read by the display.
package final class RunProgress: Sendable {
  private let submitted = Atomic<Int>(0)
  private let latest = Atomic<Int64>(0)
  private let state = Locked(State())
  /// Whether someone looks at figures while it runs, so that the records must pass by.
  package let isWatched: Bool

  private struct State {
    var counts: JobCounts?
    /// Asks the system; nil: it tells by itself, or never.
    var ask: (@Sendable () -> JobCounts)?
    var tap: (records: RecordTap, settings: Recorder.RecorderSettings)?
  }

  package init(isWatched: Bool = false) { self.isWatched = isWatched }

  /// Jobs submitted so far.
  package var jobs: Int { submitted.load(ordering: .relaxed) }
  /// How far the tape is played, from the run's start: the intended instant of the latest job or, in virtual time, the
  /// present.
  package var reached: Nanoseconds { Nanoseconds(latest.load(ordering: .relaxed)) }
  /// The jobs in the system; nil: unavailable.
  package var counts: JobCounts? {
    let (known, ask) = state.withLock { ($0.counts, $0.ask) }
    // Outside the lock, because the system has its own.
    return ask?() ?? known
  }
  /// The records that pass by, and what a recorder of theirs must know; nil: the run has not begun, or nobody watches.
  package var tap: (records: RecordTap, settings: Recorder.RecorderSettings)? { state.withLock { $0.tap } }

  package func submitted(_ count: Int, reached: Nanoseconds) {
    submitted.add(count, ordering: .relaxed)
    latest.store(reached.rawValue, ordering: .relaxed)
  }

  /// The system says what is in it.
  package func present(_ gauges: SchedulerGauges) {
    guard isWatched else { return }
    state.withLock { $0.counts = JobCounts(gauges) }
  }

  /// The system can be asked what is in it, from any thread, a few times a second.
  package func ask(_ counts: @escaping @Sendable () -> JobCounts) {
    guard isWatched else { return }
    state.withLock { $0.ask = counts }
  }

  /// A run begins. Returns where its records must pass by; nil: no display watches.
  package func openTap(shards: Int, _ settings: Recorder.RecorderSettings) -> RecordTap? {
    guard isWatched else { return nil }
    let tap = RecordTap(shards: shards)
    state.withLock { $0.tap = (tap, settings) }
    return tap
  }
}
