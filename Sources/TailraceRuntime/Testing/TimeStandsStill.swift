import Synchronization
import TailraceCore
import TailracePlatform

/// The error for a wait under ``VirtualTime`` that cannot end because time does not advance.
public struct TimeStandsStill: Error, Sendable, CustomStringConvertible {
  /// What the caller waits for.
  public var waiting: String
  /// Handlers that sleep in virtual time.
  public var sleeping: Int
  /// Jobs that wait for a delay, a retry or dependencies.
  public var scheduled: Int
  /// The current virtual time.
  public var at: Instant
  /// How long virtual time has not advanced, in real time.
  public var patience: Duration

  /// What happened and what to do.
  public var description: String {
    let handlers = "\(sleeping) handler\(sleeping == 1 ? " sleeps" : "s sleep")"
    let jobs = "\(scheduled) job\(scheduled == 1 ? " waits" : "s wait")"
    let stood = "virtual time has stood at \((at - .zero).seconds) s for \(patience) of real time"
    return "\(waiting), but \(stood) and nothing can happen: \(handlers) and \(jobs) for time to advance; "
      + "call advance(by:) before or concurrently"
  }
}

extension Scheduler {
  /// Under virtual time: calls `action` once nothing has happened for the configured patience, unless `isOver`.
  ///
  /// - Parameter alsoWhileBusy: whether to call it even if handlers are running.
  func whenTimeStandsStill(
    _ waiting: @autoclosure () -> String, alsoWhileBusy: Bool = false, isOver: @escaping @Sendable () -> Bool,
    _ action: @escaping @Sendable (TimeStandsStill) -> Void
  ) {
    guard let time = virtualTime else { return }
    let waiting = waiting()
    Task.detached { [weak self] in
      var (since, seen) = (MonotonicClock.now(), (time.now, 0))
      while !isOver() {
        try? await Task.sleep(for: .milliseconds(10))
        guard let self else { return }
        let mark = withState { state in (time.now, state.attempts &+ state.core.gauges.admitted) }
        if mark != seen || !alsoWhileBusy && !time.isAtRest || time.isMoving {
          (since, seen) = (MonotonicClock.now(), mark)
        }
        guard MonotonicClock.now() - since > Nanoseconds(time.standstillPatience) else { continue }
        let (sleeping, scheduled) = withState { state in
          (
            state.workers.joined().count { !$0.sleepers.isEmpty },
            state.core.gauges.scheduled + state.core.gauges.blocked
          )
        }
        guard !isOver() else { return }
        return action(
          TimeStandsStill(
            waiting: waiting, sleeping: sleeping, scheduled: scheduled, at: time.now,
            patience: time.standstillPatience))
      }
    }
  }
}
