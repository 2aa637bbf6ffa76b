import CPlatform
import Foundation
import Glibc
import TailraceCore
import TailracePlatform

/// What it costs on this machine to wake a sleeping thread: from the signal to the first instruction of the other.
///
/// No system that hands jobs to idle workers can be faster. At low rates waiting times consist of little else, so this
/// figure stands beside them. On virtual machines it takes ten times longer on an idle processor than on a busy one.
package enum WakeUpCalibration {
  /// Wakes a thread `samples` times with a pause before each, so that the processors fall idle; takes about
  /// `samples` × `pause`. Blocks the calling thread. Nil where the system gives no thread to wake.
  package static func measure(samples: Int = 200, pause: Nanoseconds = .milliseconds(1)) -> ProbeQuantiles? {
    let handOff = HandOff()
    let received = Locked<[Nanoseconds]>([])
    let finished = DispatchSemaphore(value: 0)
    do {
      try DedicatedThread.start {
        while let sent = handOff.take() {
          let delay = MonotonicClock.now() - sent
          received.withLock { $0.append(delay) }
        }
        finished.signal()
      }
    } catch {
      return nil
    }
    for _ in 0..<max(0, samples) {
      _ = cplatform_sleep_until_ns((MonotonicClock.now() + pause).nanoseconds)
      handOff.give()
    }
    handOff.close()
    finished.wait()
    return ProbeQuantiles(received.withLock { $0 })
  }

  /// One instant, handed from one thread to another through a condition variable.
  private final class HandOff: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    // Both are read and written under `mutex` only.
    private var sent: Instant?
    private var isClosed = false

    init() {
      pthread_mutex_init(mutex, nil)
      pthread_cond_init(condition, nil)
    }

    deinit {
      pthread_cond_destroy(condition)
      pthread_mutex_destroy(mutex)
      condition.deallocate()
      mutex.deallocate()
    }

    func give() {
      pthread_mutex_lock(mutex)
      sent = MonotonicClock.now()
      pthread_mutex_unlock(mutex)
      pthread_cond_signal(condition)
    }

    func close() {
      pthread_mutex_lock(mutex)
      isClosed = true
      pthread_mutex_unlock(mutex)
      pthread_cond_signal(condition)
    }

    /// Waits for an instant; nil once closed.
    func take() -> Instant? {
      pthread_mutex_lock(mutex)
      defer { pthread_mutex_unlock(mutex) }
      while sent == nil && !isClosed { pthread_cond_wait(condition, mutex) }
      defer { sent = nil }
      return sent
    }
  }
}
