import Foundation
import Synchronization

@testable import TailraceRuntime

/// The handlers of a round: short, long, hostile, stubborn for a while, and such that submit and await other jobs.
enum SoakHandlers {
  static let names = ["nop", "yield", "sleep", "block", "hostile", "parent", "stubborn", "few", "rated"]

  static func register(on scheduler: Scheduler, _ reach: SoakReach) throws {
    try scheduler.register("nop") { context in context.payload }
    try scheduler.register("yield") { context in
      for _ in 0..<(number(context) % 20) { await Task.yield() }
      context.report(progress: 0.5, "half")
      return HostileObject(number(context), reach)
    }
    try scheduler.register("sleep") { context in
      try await context.sleep(for: .microseconds(number(context) % 2_000))
      return number(context)
    }
    try scheduler.registerBlocking("block") { context in
      try context.sleep(for: .microseconds(number(context) % 2_000))
      if number(context) % 5 == 0 { throw HostileError(held: HostileObject(number(context), reach), reach: reach) }
      return HostileObject(number(context), reach)
    }
    try scheduler.register(
      "hostile",
      validate: { payload in
        if let object = payload as? HostileObject, object.number % 20 == 19 {
          throw HostileError(held: object, reach: reach)
        }
      },
      recover: { context, error in
        reach.callBack(context.attempt)
        return number(context) % 3 == 0 ? .complete(HostileObject(number(context), reach)) : .giveUp
      }
    ) { context in
      let error = HostileError(held: HostileObject(number(context), reach), reach: reach)
      switch number(context) % 4 {
      case 0: throw error
      case 1: throw HostilePermanentError(inner: error)
      case 2: throw CancellationError()
      default: return HostileObject(number(context), reach)
      }
    }
    try scheduler.register("parent") { context in try await parent(context, reach) }
    // Ignores its time-out and its cancellation for a while.
    try scheduler.registerBlocking("stubborn") { context in
      usleep(UInt32(number(context) % 30) * 1_000)
      return nil
    }
    try scheduler.register(JobTypeConfiguration(name: "few", concurrency: 1)) { context in
      try await Task.sleep(for: .microseconds(number(context) % 500))
      return nil
    }
    try scheduler.register(
      JobTypeConfiguration(name: "rated", rate: RateLimit(rate: Rate(perSecond: 2_000), burst: 5))
    ) { _ in nil }
    try scheduler.register(SoakJob.self) { job, _ in job.number }
  }

  /// Submits children, awaits one; ends by its time-out where all workers do so.
  private static func parent(_ context: JobContext, _ reach: SoakReach) async throws -> (any Sendable)? {
    guard let scheduler = reach.scheduler else { return nil }
    let first = try await scheduler.submit(JobRequest("nop", payload: number(context)))
    if number(context) % 2 == 0 { try await scheduler.submit(JobRequest("sleep", payload: 100)) }
    return try await scheduler.result(of: first, timeout: .milliseconds(100)).value
  }

  private static func number(_ context: JobContext) -> Int {
    (context.payload as? Int) ?? (context.payload as? HostileObject)?.number ?? 0
  }
}
