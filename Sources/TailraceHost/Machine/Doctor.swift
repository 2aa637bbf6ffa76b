import CPlatform
import Foundation
import TailraceCore
import TailracePlatform

/// Finds out what this machine is good for, in about a second.
package enum Doctor {
  /// Probes the machine on a thread of its own, and blocks the calling thread meanwhile: never call it on a thread of
  /// Swift's cooperative pool while anything else should run there.
  package static func examine(allocator: String) -> DoctorReport {
    onOwnThread {
      let before = HostTimes.now()
      let environment = RunEnvironment.capture(allocator: allocator)
      let clock = clockCost()
      let slack = RunEnvironment.text(of: "/proc/self/timerslack_ns")
        .flatMap { Int64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }.map { Nanoseconds($0) }
      let coarse = sleepErrors(samples: 100)
      let isRealTimeAllowed = onOwnThread { cplatform_set_fifo() == 0 }
      let hasFineTimer = FineTimer.enable()
      let fine = sleepErrors(samples: 200)
      let wakeUp = WakeUpCalibration.measure()
      let spin = SpinCalibration.measure()
      let noise = before.flatMap { start in HostTimes.now().flatMap { HostNoise(from: start, to: $0) } }
      return DoctorReport(
        environment: environment, processors: RunEnvironment.processorCount, clockCost: clock, timerSlack: slack,
        hasFineTimer: hasFineTimer, sleepErrorDefault: coarse, sleepError: fine, wakeUp: wakeUp, spin: spin,
        isRealTimeAllowed: isRealTimeAllowed, noise: noise)
    }
  }

  /// The cost of one reading of the monotonic clock: the fastest of ten rounds.
  package static func clockCost() -> Double {
    let reads = 10_000
    var fastest = Int64.max
    for _ in 0..<10 {
      let start = cplatform_monotonic_ns()
      var last = start
      for _ in 0..<reads { last = cplatform_monotonic_ns() }
      fastest = min(fastest, last - start)
    }
    return Double(fastest) / Double(reads)
  }

  /// How late absolute sleeps of 1 ms end on the calling thread.
  package static func sleepErrors(samples: Int) -> ProbeQuantiles? {
    var errors: [Nanoseconds] = []
    for _ in 0..<max(0, samples) {
      let deadline = MonotonicClock.now() + .milliseconds(1)
      _ = cplatform_sleep_until_ns(deadline.nanoseconds)
      errors.append(max(.zero, MonotonicClock.now() - deadline))
    }
    return ProbeQuantiles(errors)
  }

  /// Runs `body` on a new thread, so that what it changes about its thread ends with it; on this one where the system
  /// gives none.
  private static func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value {
    let slot = Slot<Value>()
    do {
      try DedicatedThread.start { slot.fill(body()) }
    } catch {
      return body()
    }
    return slot.take()
  }

  /// One value on its way from a thread to the one that waits for it.
  private final class Slot<Value: Sendable>: Sendable {
    private let value = Locked<Value?>(nil)
    private let filled = DispatchSemaphore(value: 0)

    func fill(_ new: Value) {
      value.withLock { $0 = new }
      filled.signal()
    }

    func take() -> Value {
      filled.wait()
      guard let value = value.withLock({ $0 }) else { preconditionFailure("\(#function): signalled while empty") }
      return value
    }
  }
}
