// Goal: results are kept within a bound of bytes, or until they are awaited, or not at all; handles keep their own, and
// a shutdown drops the rest.

import Foundation
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(1)))
struct RetentionTests {
  struct Page: Job {
    typealias Output = Kept
    var number: Int
  }

  /// A value whose release can be seen.
  final class Kept: SizedResult, Sendable {
    let number: Int
    let bytes: Int
    init(_ number: Int, bytes: Int = 1_000) { (self.number, self.bytes) = (number, bytes) }
    var resultBytes: Int { bytes }
  }

  private func scheduler(_ results: ResultRetention, retainedCount: Int = 10_000) throws -> Scheduler {
    let scheduler = try Scheduler(
      Scheduler.quietConfiguration {
        $0.asyncPool.workers = 1
        $0.retainedCount = retainedCount
      }, observers: [], results: results)
    try scheduler.register(Page.self) { job, _ in Kept(job.number) }
    try scheduler.register("page") { context in Kept(context.payload as? Int ?? 0) }
    scheduler.start()
    return scheduler
  }

  private func run(_ count: Int, on scheduler: Scheduler) async throws -> [JobID] {
    var ids: [JobID] = []
    for number in 0..<count { ids.append(try await scheduler.submit(JobRequest("page", payload: number))) }
    await eventually { scheduler.metrics().gauges.settledByCause[.succeeded] == count }
    return ids
  }

  private func kept(_ ids: [JobID], _ scheduler: Scheduler) async throws -> [Int?] {
    var numbers: [Int?] = []
    for id in ids {
      let result = try await scheduler.result(of: id)
      #expect(result.state == .completed && result.isValueDropped == (result.value == nil))
      numbers.append((result.value as? Kept)?.number)
    }
    return numbers
  }

  @Test func theOldestAreDroppedBeyondTheBound() async throws {
    let scheduler = try scheduler(.bytes(3_500))
    let ids = try await run(6, on: scheduler)
    #expect(try await kept(ids, scheduler) == [nil, nil, nil, 3, 4, 5])
    #expect(try await kept(ids, scheduler) == [nil, nil, nil, 3, 4, 5])
    #expect(scheduler.withState { $0.results.bytes } == 3_000)
    await scheduler.shutdown()
    #expect(scheduler.withState { $0.results.bytes } == 0)
    #expect(try await kept(ids, scheduler) == [nil, nil, nil, nil, nil, nil])
  }

  @Test func forgottenJobsCountNoMore() async throws {
    let scheduler = try scheduler(.bytes(1 << 20), retainedCount: 2)
    let ids = try await run(10, on: scheduler)
    #expect(scheduler.withState { $0.results.bytes } == 2_000)
    #expect(try await kept(Array(ids.suffix(2)), scheduler) == [8, 9])
    await scheduler.shutdown()
  }

  @Test func untilAwaitedAndNotAtAll() async throws {
    let once = try scheduler(.untilAwaited(bytes: 1 << 20))
    let ids = try await run(2, on: once)
    #expect(try await kept(ids, once) == [0, 1])
    #expect(try await kept(ids, once) == [nil, nil])
    await once.shutdown()
    let never = try scheduler(.none)
    let gate = Gate()
    try never.register("late") { _ in
      await gate.wait()
      return Kept(7)
    }
    let late = try await never.submit(JobRequest("late"))
    async let first = never.result(of: late)
    async let second = never.result(of: late)
    await eventually { never.withState { $0.watch(late).onSettled.count } == 2 }
    gate.open()
    // Who waits when it settles gets it, and nobody later.
    let numbers = try await [first, second].map { ($0.value as? Kept)?.number }
    #expect(numbers == [7, 7])
    #expect(try await never.result(of: late).isValueDropped)
    #expect(never.withState { $0.results.bytes } == 0)
    await never.shutdown()
  }

  @Test(arguments: [ResultRetention.bytes(0), .untilAwaited(bytes: 0), .none, .standard], [0, 10_000])
  func aHandleKeepsItsOwnResult(results: ResultRetention, retained: Int) async throws {
    let scheduler = try scheduler(results, retainedCount: retained)
    weak var value: Kept?
    var id = JobID(rawValue: 0)
    do {
      let handle = try await scheduler.submit(Page(number: 3))
      id = handle.id
      await eventually { scheduler.metrics().gauges.settledByCause[.succeeded] == 1 }
      for _ in 0..<2 { #expect(try await handle.value().number == 3) }
      await scheduler.shutdown()
      value = try await handle.value()
      #expect(value?.number == 3 && handle.status?.state == (retained == 0 ? nil : .completed))
      #expect(try await handle.result().cause == .succeeded)
    }
    // What the handle let go of nobody keeps.
    while value != nil { await Task.yield() }
    if retained > 0 {
      let late = try scheduler.handle(of: id, as: Page.self)
      let error = await #expect(throws: JobFailure.self) { try await late.value() }
      #expect(error?.error is ResultDropped)
    }
  }

  @Test func valuesAreMeasured() {
    #expect(ResultSize.of([UInt8](repeating: 0, count: 1_000_000)) == 1_000_008)
    #expect(ResultSize.of(Data(count: 5_000)) >= 5_000)
    #expect(ResultSize.of(String(repeating: "ä", count: 500)) == 1_016)
    #expect(ResultSize.of(String(repeating: "a", count: 500).prefix(1)) >= 500)
    #expect(ResultSize.of(7) == 8)
    #expect(ResultSize.of([String(repeating: "a", count: 100), ""]) == 8 + 116 + 16)
    #expect(ResultSize.of(["key": [UInt8](repeating: 0, count: 100)]) > 100)
    #expect(ResultSize.of(Optional(Kept(1, bytes: 77))) == 77)
    #expect(ResultSize.of(Set([1, 2, 3])) == 8 + 24)
  }

  @Test func absurdSizesDoNoHarm() async throws {
    let scheduler = try scheduler(.bytes(1_000))
    try scheduler.register("absurd") { context in Kept(1, bytes: context.payload as! Int) }
    for bytes in [Int.max, .max, .min, -1, 0] {
      let id = try await scheduler.submit(JobRequest("absurd", payload: bytes))
      _ = try await scheduler.result(of: id)
    }
    #expect(scheduler.withState { $0.results.bytes } == 0)
    await scheduler.shutdown()
    #expect(throws: InvalidValues.self) {
      try Scheduler(SchedulerConfiguration(), observers: [], results: .bytes(-1))
    }
  }
}
