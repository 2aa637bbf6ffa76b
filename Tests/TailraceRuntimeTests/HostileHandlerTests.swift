// Goal: what a handler does with threads of its own, or with its scheduler, costs its pool no worker and hangs nobody.

import Foundation
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(2)))
struct HostileHandlerTests {
  /// Sleeps through a call that is not asynchronous, wherever that is made.
  private static func nap(_ context: JobContext, _ time: Duration) throws { try context.sleep(for: time) }

  /// A sleeper on a thread that the handler started must not take the wake-ups of the pool's own thread.
  @Test func threadsOfAHandlerTakeNoWakeUpsFromItsWorker() async throws {
    let scheduler = Scheduler.quiet(threads: 1)
    let ended = Log<String>()
    try scheduler.registerBlocking("spawns") { context in
      for _ in 0..<4 {
        Thread.detachNewThread {
          try? Self.nap(context, .milliseconds(300))
          ended.append("slept")
        }
      }
      try context.sleep(for: .milliseconds(20))
      return nil
    }
    try scheduler.registerBlocking("nop") { _ in nil }
    scheduler.start()
    for _ in 0..<3 {
      _ = try await scheduler.result(of: scheduler.submit(JobRequest("spawns")), timeout: .seconds(60))
      for _ in 0..<20 {
        let id = try await scheduler.submit(JobRequest("nop"))
        #expect(try await scheduler.result(of: id, timeout: .seconds(20)).state == .completed)
        // The worker has parked by the time of the next.
        try await Task.sleep(for: .milliseconds(1))
      }
    }
    await eventually { ended.all.count == 12 }
    await scheduler.shutdown()
  }

  @Test func aCancellationEndsEverySleepOfAHandler() async throws {
    let scheduler = Scheduler.quiet(threads: 1)
    let (ended, asleep) = (Log<String>(), Log<String>())
    try scheduler.registerBlocking("spawns") { context in
      let group = DispatchGroup()
      for _ in 0..<4 {
        group.enter()
        Thread.detachNewThread {
          asleep.append("another thread")
          do { try Self.nap(context, .seconds(3_600)) } catch { ended.append("\(error)") }
          group.leave()
        }
      }
      group.wait()
      return nil
    }
    try scheduler.register("sleeps without suspending") { context in
      asleep.append("async")
      do { try Self.nap(context, .seconds(3_600)) } catch { ended.append("\(error)") }
      return nil
    }
    scheduler.start()
    let ids = [
      try await scheduler.submit(JobRequest("spawns")),
      try await scheduler.submit(JobRequest("sleeps without suspending")),
    ]
    await eventually { asleep.all.count == 5 }
    for id in ids { scheduler.cancel(id) }
    await eventually { ended.all.count == 5 }
    #expect(ended.all.allSatisfy { $0 == "CancellationError()" })
    #expect(await scheduler.shutdown().leftRunning == 0)
  }

  /// It waits for itself, so the periods decide.
  @Test func aHandlerMayShutItsSchedulerDown() async throws {
    let scheduler = Scheduler.quiet()
    let reports = Log<ShutdownReport>()
    try scheduler.register("ends it all") { context in
      reports.append(try await context.scheduler.shutdown(grace: .milliseconds(20), stopping: .milliseconds(20)))
      return nil
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("ends it all"))
    #expect(try await scheduler.result(of: id, timeout: .seconds(60)).cause == .stopped)
    await eventually { reports.all.count == 1 }
    #expect(reports.all[0].leftRunning == 1 && reports.all[0].cancelled == 1)
    #expect(await scheduler.shutdown().leftRunning == 0)
  }
}
