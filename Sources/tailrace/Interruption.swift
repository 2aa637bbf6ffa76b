import Foundation
import Synchronization
import TailraceCore
import TailraceHost
import TailracePlatform

/// What becomes of the program when SIGINT, SIGTERM, SIGHUP or SIGQUIT comes.
///
/// The first SIGINT, SIGTERM or SIGHUP ends a command that has nothing to keep at once. It asks one that measures to
/// end early (``ask(grace:)``): what was measured is reported, within the grace period and two seconds more, or else
/// the program ends without it. The second ends the program at once, and so does SIGQUIT. Whoever was interrupted says
/// *not finished* and ends with status 4.
enum Interruption {
  private enum Mode: Int, AtomicRepresentable { case endsAtOnce, asks, delivers }

  private static let flag = StopFlag()
  private static let count = Atomic<Int>(0)
  private static let mode = Atomic<Mode>(.endsAtOnce)
  /// How long the program may go on after the first signal, in milliseconds.
  private static let allowed = Atomic<Int>(0)
  /// What of the two seconds beside the grace period the report may take.
  private static let reporting = Nanoseconds.milliseconds(1_700)

  /// Whether a signal has come.
  static var hasCome: Bool { flag.isSet }

  /// Listens from now on. Called before anything else is done.
  static func listen() {
    // The handlers must find everything made: making it is not safe in them.
    _ = flag.isSet
    _ = count.load(ordering: .relaxed)
    _ = mode.load(ordering: .relaxed)
    _ = allowed.load(ordering: .relaxed)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      let before = signal(number) { Interruption.arrived($0) }
      // Under nohup the terminal's end is nobody's affair.
      if number == SIGHUP, unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
        signal(number, SIG_IGN)
      }
    }
    signal(SIGALRM) { _ in Interruption.ranOut() }
    signal(SIGQUIT) { Interruption.quit($0) }
  }

  /// From now on the first signal asks for an early end.
  ///
  /// - Parameter grace: how long running jobs may go on after it; by default as long as `--grace` has it.
  /// - Returns: a flag that is set at the first signal.
  static func ask(grace: Nanoseconds = .seconds(10)) -> StopFlag {
    let most = min(grace, .seconds(365 * 86_400)) + reporting
    allowed.store(Int(most.rawValue / 1_000_000), ordering: .relaxed)
    mode.store(.asks, ordering: .releasing)
    return flag
  }

  /// Everything is measured: what is left is to hand it over, which a signal cuts short no more.
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
      // 128 and the signal's number, as shells report a program that a signal ended.
      _exit(128 + number)
    }
    switch mode.load(ordering: .acquiring) {
    case .endsAtOnce: end("\nNot finished: it was interrupted.\n")
    case .asks:
      flag.stop()
      say("\nInterrupted: running jobs may finish, then what is known is reported. Again to end at once.\n")
    case .delivers:
      flag.stop()
      say("\nInterrupted: everything is measured, and the report is written. Again to end at once.\n")
    }
    let most = allowed.load(ordering: .relaxed)
    var timer = itimerval()
    timer.it_value = timeval(tv_sec: most / 1_000, tv_usec: most % 1_000 * 1_000)
    setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }

  private static func ranOut() {
    end("\nNot finished: it was interrupted, and could not report in time what it had measured.\n")
  }

  private static func quit(_ number: Int32) {
    ProcessGroup.killAll()
    // As if it had never been caught: it comes again when the handler is left.
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
