// Goal: the examples of the comments on public declarations, and that of the first page, compile and run.

import TailraceRuntime
import Testing

private struct Thumbnail: Sendable { var width: Int }

private func resize(_ path: String, to width: Int) async throws -> Thumbnail { Thumbnail(width: width) }

@Suite(.timeLimit(.minutes(2)))
struct CommentExamples {
  @Test func firstPage() async throws {
    struct Greet: Job {
      typealias Output = String
      var name: String
    }
    let scheduler = Scheduler()
    try scheduler.register(Greet.self) { job, context in "Hello, \(job.name)" }
    scheduler.start()
    let greeting = try await scheduler.submit(Greet(name: "world"), priority: .high, retry: .never)
    print(try await greeting.value(timeout: .seconds(60)))  // Hello, world
    await scheduler.shutdown(grace: .seconds(10))
    #expect(try await greeting.value() == "Hello, world")
  }

  @Test func greeting() async throws {
    let scheduler = Scheduler()
    try scheduler.register("greet") { context in "Hello, \(context.payload as! String)" }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("greet", payload: "world"))
    print(try await scheduler.result(of: id, timeout: .seconds(60)).value!)
    await scheduler.shutdown()
  }

  @Test func virtualTime() async throws {
    var configuration = SchedulerConfiguration()
    configuration.unknownTypes = .park
    let time = VirtualTime()
    let scheduler = try Scheduler(configuration, time: time)
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("nightly", delay: .seconds(3_600)))
    try await time.advance(by: .seconds(3_600))
    #expect(scheduler.status(of: id)?.isParked == true)
    await scheduler.shutdown(grace: .zero)
  }

  @Test func children() async throws {
    let scheduler = Scheduler()
    try scheduler.register("child") { _ in nil }
    try scheduler.register("parent") { context in
      let child = try await context.scheduler.submit(JobRequest("child"))
      return child
    }
    scheduler.start()
    let parent = try await scheduler.submit(JobRequest("parent"))
    #expect(try await scheduler.result(of: parent).value is JobID)
    await scheduler.shutdown()
  }

  @Test func values() {
    var request = JobRequest("report")
    enum TenantKey: JobValueKey { typealias Value = String }
    request[TenantKey.self] = "school-7"
    #expect(request[TenantKey.self] == "school-7")
  }

  @Test func typedJobs() async throws {
    let scheduler = Scheduler()
    scheduler.start()
    struct ResizeImage: Job {
      typealias Output = Thumbnail
      var path: String
      var width: Int
    }
    try scheduler.register(ResizeImage.self) { job, context in try await resize(job.path, to: job.width) }
    let handle = try await scheduler.submit(ResizeImage(path: "a.png", width: 64), priority: .high)
    let thumbnail = try await handle.value(timeout: .seconds(60))
    #expect(thumbnail.width == 64)
    await scheduler.shutdown()
  }

  @Test func manyJobs() async throws {
    let scheduler = Scheduler()
    try scheduler.register("page") { _ in nil }
    try scheduler.register("resize") { _ in nil }
    let results = await scheduler.submit(contentsOf: (1...100).map { JobRequest("page", payload: $0) })
    let ids = try results.map { try $0.get() }
    #expect(Set(ids).count == 100)
    for job in try scheduler.jobs(in: [.available, .running], ofType: "resize", limit: 20) { print(job) }
    await scheduler.shutdown()
  }
}
