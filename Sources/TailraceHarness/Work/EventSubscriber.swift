import TailracePlatform

/// One subscription to an ``EventBus``: a bounded queue, and a task that handles what is in it.
package final class EventSubscriber: Sendable {
  /// Which topics it wants.
  package let pattern: TopicPattern

  private struct Delivery: Sendable {
    let event: BusEvent
    let receipt: EventReceipt
  }

  private let queue: AsyncStream<Delivery>.Continuation
  private let task: Task<Void, Never>

  /// - Parameter onOutcome: Called after each delivery, before its receipt learns of it, so that whoever waited for an
  ///   event finds it counted.
  init(
    pattern: TopicPattern, pendingLimit: Int, handler: @escaping EventBus.Handler,
    onOutcome: @escaping @Sendable (EventReceipt.Outcome) -> Void
  ) {
    self.pattern = pattern
    let (stream, continuation) = AsyncStream.makeStream(
      of: Delivery.self, bufferingPolicy: .bufferingOldest(pendingLimit))
    queue = continuation
    task = Task {
      for await delivery in stream {
        let outcome: EventReceipt.Outcome
        do {
          try await handler(delivery.event)
          outcome = .handled
        } catch {
          outcome = .failed
        }
        onOutcome(outcome)
        delivery.receipt.settle(outcome)
      }
    }
  }

  /// Queues an event; false when the queue is full or the subscription has ended.
  func accept(_ event: BusEvent, receipt: EventReceipt) -> Bool {
    switch queue.yield(Delivery(event: event, receipt: receipt)) {
    case .enqueued: true
    case .dropped, .terminated: false
    @unknown default: false
    }
  }

  /// Takes no more events; those in the queue are still handled.
  func finish() { queue.finish() }

  /// Returns once everything in the queue of a finished subscription is handled.
  func drained() async { await task.value }
}

/// Tells its holder when every subscriber has handled one event.
package final class EventReceipt: Sendable {
  enum Outcome: Sendable { case handled, failed, dropped }

  /// How the deliveries of an event ended.
  package struct Summary: Hashable, Sendable {
    package var handled = 0
    /// Subscribers whose handler threw.
    package var failed = 0
    /// Subscribers whose queue was full.
    package var dropped = 0

    package init(handled: Int = 0, failed: Int = 0, dropped: Int = 0) {
      self.handled = handled
      self.failed = failed
      self.dropped = dropped
    }
  }

  private struct State {
    var remaining: Int
    var summary = Summary()
    var waiters: [(id: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    var nextWaiter = 0
  }

  /// The event as published.
  package let event: BusEvent
  private let state: Locked<State>

  init(event: BusEvent, deliveries: Int) {
    self.event = event
    state = Locked(State(remaining: deliveries))
  }

  /// Returns once every subscriber is done with the event.
  ///
  /// - Throws: `CancellationError` when the task is cancelled meanwhile; the event is handled nevertheless.
  @discardableResult
  package func handled() async throws -> Summary {
    try Task.checkCancellation()
    let id = state.withLock { state in
      defer { state.nextWaiter += 1 }
      return state.nextWaiter
    }
    let isComplete = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // Cancelled before the waiter was listed: its handler found nothing to resume.
        let answer: Bool? = state.withLock { state in
          if state.remaining == 0 { return true }
          if Task.isCancelled { return false }
          state.waiters.append((id, continuation))
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let continuation = state.withLock { state in
        state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0).continuation }
      }
      continuation?.resume(returning: false)
    }
    guard isComplete else { throw CancellationError() }
    return state.withLock { $0.summary }
  }

  func settle(_ outcome: Outcome) {
    let waiters = state.withLock { state in
      switch outcome {
      case .handled: state.summary.handled += 1
      case .failed: state.summary.failed += 1
      case .dropped: state.summary.dropped += 1
      }
      state.remaining -= 1
      guard state.remaining == 0 else { return [] as [(id: Int, continuation: CheckedContinuation<Bool, Never>)] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.continuation.resume(returning: true) }
  }
}
