import TailraceCore
import TailracePlatform

/// Keeps the records of a run for `jobs.csv`, up to a limit.
package final class AttemptLog: Sendable {
  private struct State {
    var records: [TimelineRecord] = []
    var left = 0
  }
  private let state = Locked(State())
  /// Records kept at most.
  package let limit: Int
  private let origin = Locked(Instant.zero)
  /// The run's start, from which its instants are counted; set by the system that replays.
  package var start: Instant {
    get { origin.withLock { $0 } }
    set { origin.withLock { $0 = newValue } }
  }

  package init(limit: Int = 5_000_000) { self.limit = limit }

  package func add(_ records: UnsafeBufferPointer<TimelineRecord>) {
    state.withLock { state in
      let room = min(records.count, limit - state.records.count)
      state.records.append(contentsOf: records.prefix(room))
      state.left += records.count - room
    }
  }

  /// What was kept, by job and attempt, and how many records found no room.
  package func take() -> (records: [TimelineRecord], leftOut: Int) {
    state.withLock { state in
      defer { state = State() }
      return (state.records.sorted { ($0.number, $0.attempt) < ($1.number, $1.attempt) }, state.left)
    }
  }
}
