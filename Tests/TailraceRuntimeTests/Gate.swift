// Goal: what the tests of the live runtime share: events to wait for instead of sleeping, a silent scheduler, and an
// observer that proves what it was told.

import Dispatch
import Foundation
import Logging
import Synchronization
import TailraceCore
import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

/// An event that happens once: tasks and threads wait for it.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [UnsafeContinuation<Void, Never>] = []
  }
  private let state = Locked(State())
  private let threads = DispatchSemaphore(value: 0)

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
    threads.signal()
  }

  var isOpen: Bool { state.withLock { $0.isOpen } }

  /// Suspends until it is open; cancellation does not end it.
  func wait() async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  /// Blocks the calling thread until it is open.
  func waitBlocking() {
    threads.wait()
    threads.signal()
  }
}

/// What several handlers note, in the order in which they did.
final class Log<Element: Sendable>: Sendable {
  private let elements = Locked<[Element]>([])
  func append(_ element: Element) { elements.withLock { $0.append(element) } }
  var all: [Element] { elements.withLock { $0 } }
}

/// How many are inside at once, and the most there ever were.
final class Occupancy: Sendable {
  private let inside = Atomic<Int>(0)
  private let highest = Atomic<Int>(0)
  func enter() { highest.max(inside.add(1, ordering: .relaxed).newValue, ordering: .relaxed) }
  func leave() { inside.subtract(1, ordering: .relaxed) }
  var most: Int { highest.load(ordering: .relaxed) }
}

/// Keeps every record by shard, without a lock: that calls for one shard never overlap is what it relies on and checks.
final class Collector: TimelineObserver {
  private final class Shard: @unchecked Sendable {
    let isBusy = Atomic<Bool>(false)
    var records: [TimelineRecord] = []
  }
  private let shards: [Shard]
  private let counted = Atomic<Int>(0)
  /// Calls that found another one for the same shard at work.
  var overlaps: Int { counted.load(ordering: .relaxed) }

  init(_ configuration: SchedulerConfiguration, spares: Int = 0) {
    shards = (0...(configuration.asyncPool.workers + configuration.threadPool.workers + spares)).map { _ in Shard() }
  }

  func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {
    if shards[shard].isBusy.exchange(true, ordering: .relaxed) { counted.add(1, ordering: .relaxed) }
    shards[shard].records.append(contentsOf: records)
    shards[shard].isBusy.store(false, ordering: .relaxed)
  }

  /// Every record, shard by shard; complete once the scheduler has shut down.
  var records: [TimelineRecord] { shards.flatMap(\.records) }
}

struct Broken: Error, CustomStringConvertible {
  var description: String { "the oven is cold" }
}

struct Hopeless: PermanentFailure, CustomStringConvertible {
  var description: String { "there is no oven" }
}

extension Scheduler {
  /// A silent scheduler.
  static func quiet(
    asyncWorkers: Int = 2, threads: Int = 1, observer: (any TimelineObserver)? = nil,
    _ change: (inout SchedulerConfiguration) -> Void = { _ in }
  ) -> Scheduler {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = asyncWorkers
    configuration.threadPool.workers = threads
    configuration.retry = .never
    configuration.timeout = nil
    change(&configuration)
    return try! Scheduler(
      configuration, observer: observer, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  /// What the core finds wrong with its own state.
  var violatedInvariants: [String] { withState { state in state.core.violatedInvariants() } }

  /// Registers a handler that opens `started` and then waits for `gate`.
  func registerBlocker(_ name: String, started: Gate, until gate: Gate) throws {
    try register(name) { _ in
      started.open()
      await gate.wait()
      return nil
    }
  }
}

/// Suspends until the condition holds, for what has no event to wait for.
func eventually(_ condition: @Sendable () -> Bool) async {
  while !condition() { try? await Task.sleep(for: .milliseconds(1)) }
}
