import Foundation
import Synchronization
import TailraceHarness

/// Turns SIGINT, SIGTERM and SIGHUP into a stop flag: the first asks the run to end early, the second ends the program.
enum Interruption {
  private static let flag = StopFlag()
  private static let count = Atomic<Int>(0)

  /// Whether a signal has come.
  static var hasCome: Bool { flag.isSet }

  /// Listens from now on; the flag is set at the first signal.
  static func listen() -> StopFlag {
    // The handler must find both made: making them is not safe in it.
    _ = flag.isSet
    _ = count.load(ordering: .relaxed)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      let before = signal(number) { Interruption.arrived($0) }
      // Under nohup the terminal's end is nobody's affair.
      if number == SIGHUP, unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
        signal(number, SIG_IGN)
      }
    }
    return flag
  }

  /// Runs in a signal handler: does only what POSIX allows there.
  private static func arrived(_ number: Int32) {
    // 128 and the signal's number, as shells report a program that a signal ended.
    guard count.add(1, ordering: .relaxed).oldValue == 0 else {
      ProcessGroup.killAll()
      _exit(128 + number)
    }
    flag.stop()
    let words: StaticString =
      "\nInterrupted: running jobs may finish, then the report is written. Again to end at once.\n"
    _ = write(STDERR_FILENO, words.utf8Start, words.utf8CodeUnitCount)
  }
}
