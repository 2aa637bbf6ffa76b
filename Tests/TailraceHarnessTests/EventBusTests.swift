// Goal: every event reaches every subscriber that wants it, once and in order, and what does not is counted.

import TailraceCore
import TailraceHarness
import TailraceRuntime
import Testing
@testable import TailracePlatform

struct EventBusTests {
  @Test func deliversInOrderToEachMatchingSubscriber() async throws {
    let bus = EventBus()
    let all = Log()
    let jobs = Log()
    let exact = Log()
    bus.subscribe(to: .all) { all.add($0.number) }
    bus.subscribe(to: .under("job")) { jobs.add($0.number) }
    bus.subscribe(to: .exactly("job.done")) { exact.add($0.number) }
    var receipts: [EventReceipt] = []
    for topic in ["job", "job.done", "jobs", "audit", "job.done"] {
      receipts.append(bus.publish(topic: topic))
    }
    for receipt in receipts { _ = try await receipt.handled() }
    #expect(all.numbers == [1, 2, 3, 4, 5])
    #expect(jobs.numbers == [1, 2, 5])
    #expect(exact.numbers == [2, 5])
    #expect(bus.metrics.published == 5 && bus.metrics.handled == 10 && bus.metrics.subscribers == 3)
  }

  @Test func receiptWaitsForTheSlowestSubscriber() async throws {
    let bus = EventBus()
    let gate = Gate()
    let log = Log()
    bus.subscribe(to: .all) { log.add($0.number) }
    bus.subscribe(to: .all) { event in
      await gate.passed()
      log.add(event.number)
    }
    let receipt = bus.publish(topic: "a")
    async let summary = receipt.handled()
    gate.open()
    #expect(try await summary == EventReceipt.Summary(handled: 2, failed: 0, dropped: 0))
    #expect(log.numbers == [1, 1])
  }

  @Test func receiptIsCompleteAtOnceWithoutSubscribers() async throws {
    let receipt = EventBus().publish(topic: "nobody.listens")
    #expect(try await receipt.handled() == EventReceipt.Summary())
  }

  @Test func failingSubscriberHoldsUpNoOther() async throws {
    let bus = EventBus()
    let log = Log()
    bus.subscribe(to: .all) { _ in throw Broken() }
    bus.subscribe(to: .all) { log.add($0.number) }
    for _ in 0..<3 {
      let summary = try await bus.publish(topic: "a").handled()
      #expect(summary.failed == 1 && summary.handled == 1)
    }
    #expect(log.numbers == [1, 2, 3])
    #expect(bus.metrics.failed == 3)
  }

  @Test func fullQueueDropsAndCounts() async throws {
    let bus = EventBus(pendingLimit: 2)
    let gate = Gate()
    bus.subscribe(to: .all) { _ in await gate.passed() }
    let receipts = (0..<10).map { _ in bus.publish(topic: "a") }
    gate.open()
    var handled = 0
    var dropped = 0
    for receipt in receipts {
      let summary = try await receipt.handled()
      handled += summary.handled
      dropped += summary.dropped
    }
    #expect(handled + dropped == 10)
    // Two wait and at most one is in the handler's hands.
    #expect(dropped >= 7)
    #expect(bus.metrics.dropped == dropped)
  }

  @Test func pendingDeliveriesAreCounted() async throws {
    let bus = EventBus()
    let gate = Gate()
    bus.subscribe(to: .all) { _ in await gate.passed() }
    bus.subscribe(to: .exactly("b")) { _ in await gate.passed() }
    let receipts = ["a", "b", "a"].map { bus.publish(topic: $0) }
    #expect(bus.metrics.pending == 4)
    gate.open()
    for receipt in receipts { try await receipt.handled() }
    #expect(bus.metrics.pending == 0 && bus.metrics.pendingMax == 4)
  }

  @Test func historyIsBoundedAndCountsByCorrelation() {
    let bus = EventBus(historyLimit: 4)
    #expect(bus.metrics.perCorrelation == [])
    for id: UInt64? in [1, 1, 1, nil] { bus.publish(topic: "a", correlation: id) }
    #expect(bus.metrics.perCorrelation == [3])
    #expect(bus.metrics.remembered == 4 && bus.metrics.forgotten == 0)
    for id: UInt64 in [2, 3] { bus.publish(topic: "a", correlation: id) }
    // One event of the first id, whose others are gone, and those without an id do not count.
    #expect(bus.metrics.perCorrelation == [1, 1])
    for _ in 0..<6 { bus.publish(topic: "a", correlation: 4) }
    #expect(bus.metrics.perCorrelation == [4])
    #expect(bus.metrics.remembered == 4 && bus.metrics.forgotten == 8)
    let forgetful = EventBus(historyLimit: 0)
    forgetful.publish(topic: "a", correlation: 1)
    #expect(forgetful.metrics.perCorrelation == [] && forgetful.metrics.forgotten == 1)
  }

  @Test func closingHandlesWhatIsPending() async {
    let bus = EventBus()
    let log = Log()
    bus.subscribe(to: .all) { event in
      await Task.yield()
      log.add(event.number)
    }
    for _ in 0..<100 { bus.publish(topic: "a") }
    await bus.close()
    #expect(log.numbers == Array(1...100))
    bus.subscribe(to: .all) { log.add($0.number) }
    bus.publish(topic: "a")
    #expect(bus.metrics.subscribers == 0)
  }

  @Test func cancelledWaiterReturnsWhileTheEventIsStillHandled() async throws {
    let bus = EventBus()
    let gate = Gate()
    bus.subscribe(to: .all) { _ in await gate.passed() }
    let receipt = bus.publish(topic: "a")
    let waiter = Task { try await receipt.handled() }
    waiter.cancel()
    await #expect(throws: CancellationError.self) { try await waiter.value }
    gate.open()
    #expect(try await receipt.handled().handled == 1)
  }

  @Test func publishersOnManyTasksLoseNothing() async throws {
    let bus = EventBus()
    let log = Log()
    bus.subscribe(to: .all) { log.add($0.number) }
    try await withThrowingTaskGroup { group in
      for correlation in 0..<20 {
        group.addTask {
          for _ in 0..<50 {
            _ = try await bus.publish(topic: "a", correlation: UInt64(correlation)).handled()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(log.numbers == Array(1...1_000))
  }

  private struct Broken: Error {}
}

/// Collects numbers from any task.
private final class Log: Sendable {
  private let list = Locked<[UInt64]>([])
  var numbers: [UInt64] { list.withLock { $0 } }
  func add(_ number: UInt64) { list.withLock { $0.append(number) } }
}

/// Holds tasks up until it is opened, then lets everyone through.
private final class Gate: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation
  init() { (stream, continuation) = AsyncStream.makeStream() }
  func open() { continuation.finish() }
  func passed() async { for await _ in stream {} }
}
