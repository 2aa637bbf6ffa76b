import TailracePlatform

/// An event on an ``EventBus``.
package struct BusEvent: Hashable, Sendable {
  /// Its number on its bus, from 1, in order of publication.
  package let number: UInt64
  /// Words separated by dots: `job.progress`.
  package let topic: String
  /// Identifies related events, here those of one job; nil: none.
  package let correlation: UInt64?
  package let payload: [UInt8]
}

/// The topics of a subscription.
package enum TopicPattern: Hashable, Sendable {
  /// Every topic.
  case all
  /// This topic alone.
  case exactly(String)
  /// This topic and those below it: `job` covers `job` and `job.progress`, not `jobs`.
  case under(String)

  package func matches(_ topic: String) -> Bool {
    switch self {
    case .all: true
    case .exactly(let wanted): topic == wanted
    case .under(let wanted): topic == wanted || topic.hasPrefix(wanted + ".")
    }
  }
}

/// What an event bus has done so far.
package struct EventBusMetrics: Hashable, Sendable {
  package var published = 0
  /// Deliveries: one event handled by one subscriber without an error.
  package var handled = 0
  /// Deliveries whose handler threw.
  package var failed = 0
  /// Deliveries lost, as the subscriber's queue was full.
  package var dropped = 0
  /// Deliveries queued or being handled.
  package var pending = 0
  /// The most deliveries pending at once.
  package var pendingMax = 0
  package var subscribers = 0
  /// Events in the history.
  package var remembered = 0
  /// Events that were removed from the history to make room.
  package var forgotten = 0
  /// For each correlation id in the history, the number of its events, ascending. If events were removed, the id of
  /// the oldest remaining event is left out, because some of its events may be gone, unless it is the only one.
  package var perCorrelation: [Int] = []
  package init() {}
}

/// An in-process event bus for jobs.
///
/// Each subscriber handles events one at a time, in order of publication, on a task of its own; a slow or failing
/// subscriber does not delay others. Publishing never suspends; to learn that an event was handled, wait for its
/// ``EventReceipt``. Queues and history are bounded, and overflow is counted.
package final class EventBus: Sendable {
  package typealias Handler = @Sendable (BusEvent) async throws -> Void

  private struct State {
    var history: EventHistory
    var subscribers: [EventSubscriber] = []
    var metrics = EventBusMetrics()
    var lastNumber: UInt64 = 0
    var isClosed = false
  }

  private let state: Locked<State>
  private let pendingLimit: Int

  /// Makes a bus without subscribers.
  ///
  /// - Parameters:
  ///   - historyLimit: Events remembered at most; at least 0.
  ///   - pendingLimit: Events that wait for one subscriber at most; at least 1.
  package init(historyLimit: Int = 1_000, pendingLimit: Int = 10_000) {
    state = Locked(State(history: EventHistory(limit: max(0, historyLimit))))
    self.pendingLimit = max(1, pendingLimit)
  }

  /// What the bus has done so far.
  package var metrics: EventBusMetrics {
    state.withLock { state in
      var metrics = state.metrics
      metrics.subscribers = state.subscribers.count
      metrics.remembered = state.history.count
      metrics.forgotten = state.history.forgotten
      metrics.perCorrelation = state.history.perCorrelation
      return metrics
    }
  }

  /// Calls `handler` with every event published from now on whose topic matches.
  package func subscribe(to pattern: TopicPattern, handler: @escaping Handler) {
    let subscriber = EventSubscriber(pattern: pattern, pendingLimit: pendingLimit, handler: handler) {
      [weak self] outcome in self?.count(outcome)
    }
    let isClosed = state.withLock { state in
      if !state.isClosed { state.subscribers.append(subscriber) }
      return state.isClosed
    }
    if isClosed { subscriber.finish() }
  }

  /// Publishes an event to every matching subscriber.
  ///
  /// - Returns: A receipt to wait on; it is complete at once if there is no subscriber.
  @discardableResult
  package func publish(topic: String, payload: [UInt8] = [], correlation: UInt64? = nil) -> EventReceipt {
    // Events enter the queues under the lock, so that each subscriber sees them in order of their numbers.
    let (receipt, rejected) = state.withLock { state in
      state.lastNumber += 1
      state.metrics.published += 1
      let event = BusEvent(number: state.lastNumber, topic: topic, correlation: correlation, payload: payload)
      state.history.append(event)
      let listeners = state.subscribers.filter { $0.pattern.matches(topic) }
      let receipt = EventReceipt(event: event, deliveries: listeners.count)
      let rejected = listeners.count { !$0.accept(event, receipt: receipt) }
      state.metrics.dropped += rejected
      state.metrics.pending += listeners.count - rejected
      state.metrics.pendingMax = max(state.metrics.pendingMax, state.metrics.pending)
      return (receipt, rejected)
    }
    for _ in 0..<rejected { receipt.settle(.dropped) }
    return receipt
  }

  /// Ends every subscription and returns once all pending events are handled. Later events find no subscriber.
  package func close() async {
    let subscribers = state.withLock { state in
      state.isClosed = true
      defer { state.subscribers = [] }
      return state.subscribers
    }
    for subscriber in subscribers { subscriber.finish() }
    for subscriber in subscribers { await subscriber.drained() }
  }

  private func count(_ outcome: EventReceipt.Outcome) {
    state.withLock { state in
      state.metrics.pending -= 1
      switch outcome {
      case .handled: state.metrics.handled += 1
      case .failed: state.metrics.failed += 1
      case .dropped: state.metrics.dropped += 1
      }
    }
  }
}

/// The last events of a bus, in a ring.
struct EventHistory {
  private let limit: Int
  private var ring: [BusEvent] = []
  private var oldest = 0
  /// Events that left to make room.
  private(set) var forgotten = 0

  init(limit: Int) { self.limit = limit }

  mutating func append(_ event: BusEvent) {
    if ring.count < limit {
      ring.append(event)
      return
    }
    forgotten += 1
    guard limit > 0 else { return }
    ring[oldest] = event
    oldest = (oldest + 1) % limit
  }

  var count: Int { ring.count }

  /// As ``EventBusMetrics/perCorrelation``.
  var perCorrelation: [Int] {
    var counts: [UInt64: Int] = [:]
    for case let id? in ring.map(\.correlation) { counts[id, default: 0] += 1 }
    if forgotten > 0, counts.count > 1, let id = ring[oldest].correlation { counts[id] = nil }
    return counts.values.sorted()
  }
}
