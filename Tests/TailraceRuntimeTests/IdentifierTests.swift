// Goal: an identifier of one scheduler is unknown to every other, whoever takes it.

import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(2)))
struct IdentifierTests {
  struct Bake: Job { typealias Output = Int }

  private func scheduler() async throws -> (Scheduler, [JobID], BatchID, ScheduleID) {
    let scheduler = Scheduler.quiet()
    try scheduler.register(Bake.self) { _, _ in 1 }
    try scheduler.register("fail") { _ in throw Broken() }
    let schedule = try scheduler.schedule(
      RecurringJob("hourly", .every(.seconds(3_600)), job: JobRequest("fail")))
    let batch = try scheduler.openBatch(failFast: false)
    var ids: [JobID] = []
    for _ in 0..<20 { ids.append(try await scheduler.submit(Bake()).id) }
    for _ in 0..<5 { ids.append(try await scheduler.submit(JobRequest("fail"))) }
    scheduler.start()
    for id in ids { _ = try await scheduler.result(of: id) }
    return (scheduler, ids, batch, schedule)
  }

  @Test func identifiersOfAnotherSchedulerAreUnknown() async throws {
    let (one, ids, batch, schedule) = try await scheduler()
    let (other, _, _, _) = try await scheduler()
    for id in ids {
      #expect(one.status(of: id) != nil)
      #expect(other.status(of: id) == nil && other.history(of: id) == nil)
      #expect(!other.cancel(id) && !other.purgeDeadLetter(id))
      #expect(throws: SchedulerError.self) { try other.handle(of: id, as: Bake.self) }
      #expect(throws: SchedulerError.self) { try other.replay(id) }
      #expect(throws: SchedulerError.self) { try other.onSettled(of: id) { _ in } }
      await #expect(throws: SchedulerError.self) { try await other.result(of: id) }
      await #expect(throws: SchedulerError.self) {
        try await other.submit(JobRequest("fail", dependencies: [id]))
      }
    }
    await #expect(throws: SchedulerError.self) { try await other.submit(JobRequest("fail", batch: batch)) }
    #expect(!other.removeSchedule(schedule) && !other.pauseSchedule(schedule) && !other.resumeSchedule(schedule))
    #expect(one.pauseSchedule(schedule))
    try await one.submit(JobRequest("fail", batch: batch))
    await one.settleBatch(batch)
    for scheduler in [one, other] { await scheduler.shutdown() }
  }
}
