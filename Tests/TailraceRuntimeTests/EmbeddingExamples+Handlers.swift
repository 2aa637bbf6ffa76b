// Goal: the examples of docs/embedding.md on what handlers can do compile, run and do what the page says.

import TailraceRuntime
import Testing

extension EmbeddingExamples {
  struct Thumbnail: Sendable { var width: Int }

  struct ResizeImage: Job {
    typealias Output = Thumbnail
    static let name = "resize-image"
    static var configuration: JobTypeConfiguration {
      JobTypeConfiguration(name: name, timeout: .seconds(30), concurrency: 3)
    }
    var path: String
    var width: Int
  }

  struct Publish: Job { var path: String }

  @Test func typedJobs() async throws {
    let scheduler = Scheduler()
    try scheduler.register(ResizeImage.self) { job, context in Thumbnail(width: job.width) }
    try scheduler.registerBlocking(Publish.self) { job, context in #expect(job.path == "a.png") }
    scheduler.start()
    let resize = try await scheduler.submit(ResizeImage(path: "a.png", width: 64), priority: .high)
    let publish = try await scheduler.submit(Publish(path: "a.png"), after: [resize.id])
    #expect(try await resize.value(timeout: .seconds(60)).width == 64)
    do {
      try await publish.value(timeout: .seconds(60))
    } catch let failure as JobFailure {
      print("\(failure.cause.name) after \(failure.attempts) attempts: \(failure.error as Any)")
    }
    await scheduler.shutdown()
  }
}
