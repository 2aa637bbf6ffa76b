// Goal: a job that is named by its parameters' type reaches its handler as a value, its result comes back with its
// type, and whatever does not fit is refused before it waits.

import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(1)))
struct TypedJobTests {
  struct Thumbnail: Sendable, Hashable { var width: Int }

  struct ResizeImage: Job {
    typealias Output = Thumbnail
    static let name = "resize-image"
    static var configuration: JobTypeConfiguration {
      JobTypeConfiguration(name: "ignored", priority: .high, pool: .thread)
    }
    var width: Int
  }

  struct CleanUp: Job { var path: String }

  struct Impostor: Job {
    static let name = "resize-image"
    var width: Int
  }

  @Test func aJobComesBackWithTheTypeOfItsResult() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register(ResizeImage.self) { job, context in
      #expect(context.pool == .thread && context.priority == .high)
      return Thumbnail(width: job.width)
    }
    try scheduler.registerBlocking(CleanUp.self) { job, _ in #expect(job.path == "/tmp/a") }
    scheduler.start()
    let resize = try await scheduler.submit(ResizeImage(width: 64))
    let cleanUp = try await scheduler.submit(CleanUp(path: "/tmp/a"), priority: .low, after: [resize.id])
    #expect(try await resize.value(timeout: .seconds(60)) == Thumbnail(width: 64))
    try await cleanUp.value(timeout: .seconds(60))
    #expect(cleanUp.status?.type == "CleanUp" && cleanUp.status?.priority == .low)
    #expect(resize.status?.type == "resize-image")
    #expect(try scheduler.handle(of: resize.id, as: ResizeImage.self) == resize)
    #expect(throws: SchedulerError.self) { try scheduler.handle(of: resize.id, as: CleanUp.self) }
    await scheduler.shutdown()
  }

  @Test func aFailureTellsCauseErrorAndAttempts() async throws {
    let scheduler = Scheduler.quiet { $0.retry = RetryPolicy(limit: 2, backoff: .fixed(.zero)) }
    try scheduler.register(ResizeImage.self) { _, _ in throw Broken() }
    scheduler.start()
    let handle = try await scheduler.submit(ResizeImage(width: 1))
    let failure = try #require(
      await #expect(throws: JobFailure.self) { try await handle.value(timeout: .seconds(60)) })
    #expect(failure.cause == .failed && failure.state == .deadLettered && failure.attempts == 3)
    #expect(failure.error is Broken)
    #expect(
      failure.description
        == "job \(handle.id.rawValue) of type 'resize-image' did not complete: failed after 3 attempts: "
        + "the oven is cold"
    )
    #expect(try await handle.result().failure is Broken)
    await scheduler.shutdown()
  }

  @Test func aCancelledJobHasNoValue() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register(CleanUp.self) { _, _ in }
    let handle = try await scheduler.submit(CleanUp(path: ""))
    #expect(handle.cancel())
    let failure = try #require(await #expect(throws: JobFailure.self) { try await handle.value() })
    #expect(failure.cause == .cancelled && failure.attempts == 0 && failure.error == nil)
    await scheduler.shutdown()
  }

  @Test func whatDoesNotFitIsRefusedAtOnce() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register(ResizeImage.self) { job, _ in Thumbnail(width: job.width) }
    try scheduler.register("CleanUp") { _ in nil }
    #expect(throws: SchedulerError.self) { try scheduler.register(Impostor.self) { _, _ in } }
    func refusal(_ submit: () async throws -> Void) async -> String? {
      do { try await submit() } catch { return "\(error)" }
      return nil
    }
    #expect(
      await refusal { try await scheduler.submit(Impostor(width: 1)) }
        == "job type 'resize-image' is registered for ResizeImage, not for Impostor; give one of them another name")
    #expect(
      await refusal { try await scheduler.submit(CleanUp(path: "")) }
        == "job type 'CleanUp' is registered without a Swift type, not for CleanUp; give one of them another name")
    #expect(
      await refusal { try await scheduler.submit(JobRequest("resize-image", payload: 7)) }
        == "job type 'resize-image' takes a ResizeImage, but this job has a payload of type Int; "
        + "submit a ResizeImage"
    )
    #expect(
      await refusal { try await scheduler.submit(JobRequest("resize-image")) }
        == "job type 'resize-image' takes a ResizeImage, but this job has no payload; submit a ResizeImage")
    #expect(scheduler.metrics().gauges.admitted == 0)
    await scheduler.shutdown()
  }

  @Test func aRequestCanBeMadeOfParametersAndOfAPayload() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register(ResizeImage.self) { job, context in
      #expect(context.labels == ["a"] || context.labels.isEmpty)
      return Thumbnail(width: job.width)
    }
    scheduler.start()
    var request = JobRequest(ResizeImage(width: 3))
    request.labels = ["a"]
    let typed = try await scheduler.submit(request)
    let named = try await scheduler.submit(JobRequest("resize-image", payload: ResizeImage(width: 4)))
    #expect(try await scheduler.handle(of: typed, as: ResizeImage.self).value() == Thumbnail(width: 3))
    #expect(try await scheduler.result(of: named).value as? Thumbnail == Thumbnail(width: 4))
    await scheduler.shutdown()
  }

  @Test func anotherResultThanTheHandlersIsNoValue() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register(ResizeImage.self) { job, _ in Thumbnail(width: job.width) }
    try scheduler.use(attempt: Replacing())
    scheduler.start()
    let handle = try await scheduler.submit(ResizeImage(width: 3))
    let failure = try #require(await #expect(throws: JobFailure.self) { try await handle.value() })
    #expect(failure.error is WrongOutput && failure.cause == .succeeded)
    await scheduler.shutdown()
  }

  private struct Replacing: AttemptMiddleware {
    func attempt(
      _ context: JobContext, next: @Sendable (JobContext) async throws -> (any Sendable)?
    ) async throws -> (any Sendable)? { "something else" }

    func blockingAttempt(
      _ context: JobContext, next: @Sendable (JobContext) throws -> (any Sendable)?
    ) throws -> (any Sendable)? { "something else" }
  }
}
