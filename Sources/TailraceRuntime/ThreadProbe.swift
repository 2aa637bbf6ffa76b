import CPlatform
import Synchronization
import TailraceCore
import TailracePlatform

/// Finds out whether tasks get a thread of Swift's concurrency: starts one that does nothing, and sees how long it
/// waits for its turn. Whoever asks pays for it; jobs do not.
final class ThreadProbe: Sendable {
  /// When the task was made, in nanoseconds of the monotonic clock; 0: none is on its way.
  private let made = Atomic<Int64>(0)

  /// Since when a task waits for a thread. Nil: none waits, as far as is known by now: ask again later.
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
  /// Notes that its handler begins on the calling thread.
  @inline(never)
  func takeThread() {
    var count: UInt64 = 0
    let place = cplatform_thread_turn(&count)
    turn.store(count, ordering: .relaxed)
    turnPlace.store(UInt(bitPattern: place), ordering: .relaxed)
  }

  /// Whether its handler may still be on the thread on which it began: nothing that is known has had that thread since.
  /// A handler that was suspended and went on elsewhere is not found.
  var mayHoldThread: Bool {
    guard let place = UnsafeRawPointer(bitPattern: turnPlace.load(ordering: .relaxed)) else { return true }
    return cplatform_turns_at(place) == turn.load(ordering: .relaxed)
  }
}

extension DriverState {
  /// Which of the async pool's workers wait for a thread, and which may hold one.
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
        // It was woken for these, and has not taken them.
        facts.threadWantedSince = min(facts.threadWantedSince ?? handedOut, handedOut)
      }
    }
  }

  /// The name of the type of the job whose handler a worker runs.
  func typeOfHandler(on worker: Worker) -> String? {
    worker.liveJob.flatMap { core.description(of: $0) }.map { typeNames[Int($0.type.rawValue)] }
  }
}
