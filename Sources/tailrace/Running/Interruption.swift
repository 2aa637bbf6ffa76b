import Foundation
import Synchronization
import TailraceCore
import TailraceHost
import TailracePlatform

/// Handles SIGINT, SIGTERM, SIGHUP and SIGQUIT.
///
/// The first SIGINT, SIGTERM or SIGHUP ends a command that has no results at once. A command that measures ends early
/// (``ask(grace:)``): it reports its results within the grace period plus two seconds, or ends without them. A second
/// signal, or SIGQUIT, ends the program at once. An interrupted command prints *not finished* and ends with status 4.
enum Interruption {
  private enum Mode: Int, AtomicRepresentable { case endsAtOnce, asks, delivers }

  private static let flag = StopFlag()
  private static let count = Atomic<Int>(0)
  private static let mode = Atomic<Mode>(.endsAtOnce)
  /// How long the program may run after the first signal, in milliseconds.
  private static let allowed = Atomic<Int>(0)
  /// The share of the two seconds after the grace period that is reserved for the report.
  private static let reporting = Nanoseconds.milliseconds(1_700)

  /// Whether a signal has come.
  static var hasCome: Bool { flag.isSet }

  /// Installs the handlers. Call this before anything else.
  static func listen() {
    // Initialize everything that the handlers use; doing so in a handler is not safe.
    _ = flag.isSet
    _ = count.load(ordering: .relaxed)
    _ = mode.load(ordering: .relaxed)
    _ = allowed.load(ordering: .relaxed)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      let before = signal(number) { Interruption.arrived($0) }
      // Keep SIGHUP ignored under nohup.
      if number == SIGHUP, unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
        signal(number, SIG_IGN)
      }
    }
    signal(SIGALRM) { _ in Interruption.ranOut() }
    signal(SIGQUIT) { Interruption.quit($0) }
  }

  /// Makes the first signal ask for an early end.
  ///
  /// - Parameter grace: How long running jobs may go on after it; the default is that of `--grace`.
  /// - Returns: A flag that is set at the first signal.
  static func ask(grace: Nanoseconds = .seconds(10)) -> StopFlag {
    let most = min(grace, .seconds(365 * 86_400)) + reporting
    allowed.store(Int(most.rawValue / 1_000_000), ordering: .relaxed)
    mode.store(.asks, ordering: .releasing)
    return flag
  }

  /// The results are complete: from now on a signal no longer prevents their delivery.
  static func deliver() {
    if allowed.load(ordering: .relaxed) == 0 { allowed.store(Int(reporting.rawValue / 1_000_000), ordering: .relaxed) }
    mode.store(.delivers, ordering: .releasing)
  }

  // MARK: - In signal handlers, which do only what POSIX allows there

  private static func arrived(_ number: Int32) {
    let code = errno
    defer { errno = code }
    guard count.add(1, ordering: .relaxed).oldValue == 0 else {
      ProcessGroup.killAll()
      // 128 plus the signal's number, as shells report a program ended by a signal.
      _exit(128 + number)
    }
    switch mode.load(ordering: .acquiring) {
    case .endsAtOnce: end("\nNot finished: it was interrupted.\n")
    case .asks:
      flag.stop()
      say("\nInterrupted: running jobs may finish; a report follows. Press Ctrl-C again to stop immediately.\n")
    case .delivers:
      flag.stop()
      say("\nInterrupted: the results are complete; writing the report. Press Ctrl-C again to stop immediately.\n")
    }
    let most = allowed.load(ordering: .relaxed)
    var timer = itimerval()
    timer.it_value = timeval(tv_sec: most / 1_000, tv_usec: most % 1_000 * 1_000)
    setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }

  private static func ranOut() {
    end("\nNot finished: it was interrupted, and results could not be written in time.\n")
  }

  private static func quit(_ number: Int32) {
    ProcessGroup.killAll()
    // Restore the default action; the signal is delivered again when the handler returns.
    signal(number, SIG_DFL)
    raise(number)
  }

  private static func end(_ words: StaticString) -> Never {
    say(words)
    ProcessGroup.killAll()
    _exit(Tailrace.interruptedStatus)
  }

  private static func say(_ words: StaticString) {
    _ = write(STDERR_FILENO, words.utf8Start, words.utf8CodeUnitCount)
  }
}
