import Synchronization
import TailraceCore
import TailracePlatform

/// Somebody waits under ``VirtualTime`` for what happens only when time moves on, and nobody moves it.
public struct TimeStandsStill: Error, Sendable, CustomStringConvertible {
  /// What is waited for.
  public var waiting: String
  /// Handlers that sleep in virtual time.
  public var sleeping: Int
  /// Jobs that wait for their delay, their retry or their dependencies.
  public var scheduled: Int
  /// Where virtual time stands.
  public var at: Instant
  /// Since when, in real time.
  public var patience: Duration

  /// What happened, and what to do.
  public var description: String {
    let handlers = "\(sleeping) handler\(sleeping == 1 ? " sleeps" : "s sleep")"
    let jobs = "\(scheduled) job\(scheduled == 1 ? " waits" : "s wait")"
    let stood = "virtual time has stood at \((at - .zero).seconds) s for \(patience) of real time"
    return "\(waiting), but \(stood) with nothing left to happen: \(handlers) and \(jobs) for time to move on; "
      + "call advance(by:) first, or beside"
  }
}

extension Scheduler {
  /// Under virtual time: calls `action` once nothing has happened for as long as the time is patient, unless `isOver`.
  ///
  /// - Parameter alsoWhileBusy: whether handlers that run count as nothing too.
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
