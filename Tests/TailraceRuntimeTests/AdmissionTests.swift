// Goal: a full queue refuses, blocks its submitter or sheds the least urgent job, as its policy says.

import Foundation
import TailraceCore
import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(2)))
struct AdmissionTests {
  @Test func fullQueueRefuses() async throws {
    let scheduler = Scheduler.quiet { $0.queueCapacity = 2 }
    try scheduler.register("nop") { _ in nil }
    for _ in 0..<2 { try await scheduler.submit(JobRequest("nop")) }
    await #expect {
      try await scheduler.submit(JobRequest("nop"))
    } throws: {
      "\($0)".hasPrefix("the queue is full (2 waiting jobs)")
    }
    #expect(throws: SchedulerError.self) { try scheduler.submitBlocking(JobRequest("nop")) }
    #expect(scheduler.metrics().gauges.settledByCause[.rejected] == 2)
  }

  @Test func poolWithoutWorkersRefuses() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1, threads: 0)
    try scheduler.registerBlocking("block") { _ in nil }
    await #expect {
      try await scheduler.submit(JobRequest("block"))
    } throws: {
      "\($0)" == "pool 'thread' has no workers; add some in SchedulerConfiguration"
    }
  }

  @Test func fullQueueSuspendsTheSubmitter() async throws {
    let (started, gate) = (Gate(), Gate())
    let scheduler = Scheduler.quiet(asyncWorkers: 1) {
      $0.queueCapacity = 1
      $0.whenFull = .block
    }
    try scheduler.registerBlocker("slow", started: started, until: gate)
    scheduler.start()
    _ = try await scheduler.submit(JobRequest("slow"))
    await started.wait()
    _ = try await scheduler.submit(JobRequest("slow"))
    let admitted = Gate()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        let id = try await scheduler.submit(JobRequest("slow"))
        admitted.open()
        #expect(try await scheduler.result(of: id).state == .completed)
      }
      await eventually { scheduler.metrics().gauges.waitingForRoom == 1 }
      #expect(!admitted.isOpen)
      gate.open()
      try await group.waitForAll()
    }
    await scheduler.shutdown()
  }

  @Test func fullQueueBlocksTheSubmittingThread() async throws {
    let (started, gate, done) = (Gate(), Gate(), Gate())
    let admitted = Log<JobID>()
    let scheduler = Scheduler.quiet(asyncWorkers: 1) {
      $0.queueCapacity = 1
      $0.whenFull = .block
    }
    try scheduler.registerBlocker("slow", started: started, until: gate)
    scheduler.start()
    _ = try await scheduler.submit(JobRequest("slow"))
    await started.wait()
    _ = try await scheduler.submit(JobRequest("slow"))
    Thread.detachNewThread {
      for _ in 0..<20 { if let id = try? scheduler.submitBlocking(JobRequest("slow")) { admitted.append(id) } }
      done.open()
    }
    await eventually { scheduler.metrics().gauges.waitingForRoom == 1 }
    #expect(admitted.all.isEmpty)
    gate.open()
    await done.wait()
    #expect(admitted.all.count == 20)
    #expect(await scheduler.shutdown(grace: .seconds(300)).drained)
    #expect(scheduler.metrics().gauges.settledByCause[.succeeded] == 22)
  }

  @Test func submissionThatWaitsIsWithdrawnWithItsTask() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1) {
      $0.queueCapacity = 1
      $0.whenFull = .block
    }
    try scheduler.register("nop") { _ in nil }
    let first = try await scheduler.submit(JobRequest("nop"))
    let waiting = Task { try await scheduler.submit(JobRequest("nop")) }
    await eventually { scheduler.metrics().gauges.waitingForRoom == 1 }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(scheduler.metrics().gauges.waitingForRoom == 0)
    scheduler.start()
    #expect(try await scheduler.result(of: first).state == .completed)
    #expect(await scheduler.shutdown(grace: .seconds(300)).drained)
    #expect(scheduler.metrics().gauges.settledByCause[.cancelled] == 1)
  }

  @Test func loadGeneratorsThreadWaitsForRoom() async throws {
    let (started, gate, done) = (Gate(), Gate(), Gate())
    let scheduler = Scheduler.quiet(asyncWorkers: 1) {
      $0.queueCapacity = 1
      $0.whenFull = .block
      $0.retainedCount = 0
    }
    let nop = try scheduler.register("nop") { _ in nil }
    try scheduler.registerBlocker("slow", started: started, until: gate)
    scheduler.start()
    _ = try await scheduler.submit(JobRequest("slow"))
    await started.wait()
    Thread.detachNewThread {
      for number in 0..<2_000 {
        let now = MonotonicClock.now()
        let submission = JobSubmission(type: nop, number: UInt64(number), intended: now, submitted: now)
        let waiting = withUnsafePointer(to: submission) {
          scheduler.submit(UnsafeBufferPointer(start: $0, count: 1)).waiting
        }
        if let waiting { scheduler.waitForRoom(waiting) }
      }
      // Known no more: no wait, and no trace.
      scheduler.waitForRoom(JobID(rawValue: 1))
      done.open()
    }
    await eventually { scheduler.metrics().gauges.waitingForRoom == 1 }
    gate.open()
    await done.wait()
    #expect(await scheduler.shutdown(grace: .seconds(300)).drained)
    #expect(scheduler.metrics().gauges.settledByCause[.succeeded] == 2_001)
  }

  @Test func fullQueueShedsTheLeastUrgent() async throws {
    let scheduler = Scheduler.quiet {
      $0.queueCapacity = 2
      $0.whenFull = .shed
    }
    try scheduler.register("nop") { _ in nil }
    let low = try await scheduler.submit(JobRequest("nop", priority: .low))
    let batch = try await scheduler.submit(JobRequest("nop", priority: .batch))
    let high = try await scheduler.submit(JobRequest("nop", priority: .high))
    await #expect(throws: SchedulerError.self) { try await scheduler.submit(JobRequest("nop", priority: .batch)) }
    scheduler.start()
    #expect(try await scheduler.result(of: batch).cause == .shed)
    #expect(try await scheduler.result(of: low).state == .completed)
    #expect(try await scheduler.result(of: high).state == .completed)
    await scheduler.shutdown()
  }

  @Test func memoryBudgetAdmitsWhileThereIsRoom() async throws {
    let occupancy = Occupancy()
    let scheduler = Scheduler.quiet(asyncWorkers: 8) { $0.memoryBudget = 10 << 20 }
    try scheduler.register("image") { _ in
      occupancy.enter()
      for _ in 0..<20 { await Task.yield() }
      occupancy.leave()
      return nil
    }
    for _ in 0..<30 { try await scheduler.submit(JobRequest("image", memory: 4 << 20)) }
    await #expect {
      try await scheduler.submit(JobRequest("image", memory: 11 << 20))
    } throws: {
      "\($0)" == "the job reserves 11534336 bytes, more than the whole memory budget of 10485760"
    }
    scheduler.start()
    #expect(await scheduler.shutdown(grace: .seconds(300)).drained)
    #expect((1...2).contains(occupancy.most))
  }
}
