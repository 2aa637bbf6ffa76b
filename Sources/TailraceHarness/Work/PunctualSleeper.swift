import CPlatform
import Glibc
import Synchronization
import TailraceCore
import TailracePlatform

/// Sleeps with another sleeper, and aims early by that sleeper's median lateness.
///
/// Sleeps end late: a timer fires, a thread wakes, a task resumes, which takes 0.2 ms on an idle virtual machine. Work
/// with a declared time of 10 ms would take 10.2 ms, and four workers would do 2 % less than declared. A sleep that
/// ends early yields until its deadline, which costs less than the lead.
final class PunctualSleeper: PreciseSleeper {
  private let base: any PreciseSleeper
  private let lead = WakeUpLead()

  init(_ base: any PreciseSleeper) { self.base = base }

  func sleep(until deadline: Instant) async throws {
    let now = MonotonicClock.now()
    let aim = lead.aim(at: deadline, from: now)
    try await base.sleep(until: aim)
    if aim > now { lead.learn(MonotonicClock.now() - aim) }
    while MonotonicClock.now() < deadline { await Task.yield() }
  }
}

/// Sleeps on the calling thread, and aims ahead in the same way.
enum ThreadSleeper {
  /// The longest sleep between checks for cancellation.
  private static let slice = Nanoseconds.milliseconds(10)

  /// Blocks until `deadline`.
  ///
  /// - Throws: `CancellationError` within 10 ms of `isCancelled` turning true.
  static func sleep(until deadline: Instant, lead: borrowing WakeUpLead, isCancelled: () -> Bool) throws {
    var now = MonotonicClock.now()
    let aim = lead.aim(at: deadline, from: now)
    let sleeps = aim > now
    while true {
      if isCancelled() { throw CancellationError() }
      guard now < aim else { break }
      _ = cplatform_sleep_until_ns(min(aim, now + slice).nanoseconds)
      now = MonotonicClock.now()
    }
    if sleeps { lead.learn(now - aim) }
    while MonotonicClock.now() < deadline { sched_yield() }
  }
}

/// A running median of the lateness of sleeps.
struct WakeUpLead: ~Copyable, Sendable {
  /// Greater lateness has other causes, such as too few processors, and is ignored.
  static let greatest = Nanoseconds.microseconds(250)
  /// The maximum share of a sleep that is spent awake.
  private static let share: Int64 = 8
  private let nanoseconds = Atomic<Int64>(0)

  /// When to wake up in order to meet a deadline.
  func aim(at deadline: Instant, from now: Instant) -> Instant {
    let most = max(0, (deadline - now).rawValue / Self.share)
    return deadline - Nanoseconds(min(most, nanoseconds.load(ordering: .relaxed)))
  }

  /// Records a lateness. Steps up and down are equally long, so the estimate converges to the median (H. Robbins,
  /// S. Monro, *A Stochastic Approximation Method*, Ann. Math. Stat. 22, 1951). Concurrent updates may lose a step.
  func learn(_ lateness: Nanoseconds) {
    let lead = nanoseconds.load(ordering: .relaxed)
    let step = 500 + lead / 64
    let next = lateness.rawValue > lead ? lead + step : lead - step
    nanoseconds.store(min(max(0, next), Self.greatest.rawValue), ordering: .relaxed)
  }
}
