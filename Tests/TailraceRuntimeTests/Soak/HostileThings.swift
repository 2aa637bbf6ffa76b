import Foundation
import Synchronization
@testable import TailracePlatform

@testable import TailraceRuntime

/// The way of hostile things back to the scheduler, which they must not keep alive.
final class SoakReach: @unchecked Sendable {
  private let lock = Lock()
  private weak var target: Scheduler?
  /// Hostile things that are alive.
  let alive = Atomic<Int>(0)
  /// Calls that hostile things made.
  let calls = Atomic<Int>(0)

  func aim(at scheduler: Scheduler) { lock.withLock { target = scheduler } }
  var scheduler: Scheduler? { lock.withLock { target } }

  /// Calls the scheduler from wherever it is that hostile code runs.
  func callBack(_ number: Int) {
    guard let scheduler else { return }
    calls.wrappingAdd(1, ordering: .relaxed)
    switch number % 7 {
    case 0: _ = scheduler.metrics()
    case 1: _ = scheduler.health()
    case 2: _ = scheduler.deadLetters().count
    case 3: _ = scheduler.status(of: JobID(rawValue: UInt64(number % 50)))
    case 4: _ = scheduler.schedules()
    case 5: scheduler.cancel(JobID(rawValue: UInt64(number % 50)))
    // Would wait for room where a full queue blocks, on whatever thread this is.
    default: if scheduler.configuration.whenFull != .block { _ = try? scheduler.submitBlocking(JobRequest("nop")) }
    }
  }
}

/// A payload, a value or what a callback holds: calls the scheduler when it is released.
final class HostileObject: Sendable {
  let number: Int
  private let reach: SoakReach

  init(_ number: Int, _ reach: SoakReach) {
    (self.number, self.reach) = (number, reach)
    reach.alive.wrappingAdd(1, ordering: .relaxed)
  }

  deinit {
    reach.callBack(number)
    reach.alive.wrappingSubtract(1, ordering: .relaxed)
  }
}

/// Calls the scheduler when it is described, and takes its time.
struct HostileError: Error, CustomStringConvertible {
  let held: HostileObject
  let reach: SoakReach

  var description: String {
    reach.callBack(held.number + 1)
    if held.number % 16 == 0 { usleep(1_000) }
    return "hostile error \(held.number)"
  }
}

struct HostilePermanentError: PermanentFailure, CustomStringConvertible {
  let inner: HostileError
  var description: String { inner.description }
}

struct SoakJob: Job {
  typealias Output = Int
  var number: Int
  func validate() throws { if number % 50 == 49 { throw SoakInvalid() } }
}

struct SoakInvalid: Error {}
