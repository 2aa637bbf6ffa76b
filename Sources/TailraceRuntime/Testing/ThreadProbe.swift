import CPlatform
import Synchronization
import TailraceCore
import TailracePlatform

/// Measures whether tasks get a thread of Swift concurrency: starts an empty task and measures how long it waits. Only
/// callers of the probe pay for it.
final class ThreadProbe: Sendable {
  /// When the task was created, in nanoseconds of the monotonic clock; 0: no task is pending.
  private let made = Atomic<Int64>(0)

  /// Since when a task has waited for a thread. nil: none is known to wait; ask again later.
  func ask() -> Instant? {
    let now = MonotonicClock.now().nanoseconds
    let (isFirst, before) = made.compareExchange(expected: 0, desired: now, ordering: .acquiringAndReleasing)
    guard isFirst else { return Instant(nanoseconds: before) }
    Task.detached { [self] in
      var turn: UInt64 = 0
      _ = cplatform_thread_turn(&turn)
      made.store(0, ordering: .releasing)
    }
    return nil
  }
}

extension Worker {
  /// Records that the handler begins on the calling thread.
  @inline(never)
  func takeThread() {
    var count: UInt64 = 0
    let place = cplatform_thread_turn(&count)
    turn.store(count, ordering: .relaxed)
    turnPlace.store(UInt(bitPattern: place), ordering: .relaxed)
  }

  /// Whether the handler may still occupy the thread on which it began: nothing else is known to have run there since.
  /// A handler that suspended and continued elsewhere is not detected.
  var mayHoldThread: Bool {
    guard let place = UnsafeRawPointer(bitPattern: turnPlace.load(ordering: .relaxed)) else { return true }
    return cplatform_turns_at(place) == turn.load(ordering: .relaxed)
  }
}

extension DriverState {
  /// Which workers of the async pool wait for a thread, and which may occupy one.
  mutating func lookForBlockedThreads(_ facts: inout HealthFacts) {
    for worker in workers[Int(PoolID.async.rawValue)] {
      if let job = worker.liveJob {
        guard worker.mayHoldThread, worker.sleepers.isEmpty,
          !worker.waits.values.contains(where: { $0.waiter == job }), let type = typeOfHandler(on: worker)
        else { continue }
        facts.unsuspended.insert(type)
      } else if !worker.isParked, !worker.isStopping, !time.isVirtual, let first = worker.inbox.first,
        let handedOut = core.startedInstant(of: first.token.job)
      {
        // The worker was woken for these attempts and has not taken them.
        facts.threadWantedSince = min(facts.threadWantedSince ?? handedOut, handedOut)
      }
    }
  }

  /// The name of the type of the job that a worker runs.
  func typeOfHandler(on worker: Worker) -> String? {
    worker.liveJob.flatMap { core.description(of: $0) }.map { types[$0.type].name }
  }
}
