// Resizes three pictures, two at a time, from an unreliable store, and publishes a gallery once all are done.

import Logging
import TailraceRuntime

struct Thumbnail: Sendable {
  var name: String
  var bytes: Int
}

/// The parameters of a job type. The compiler checks the types of handler, submission and result.
struct ResizePicture: Job {
  typealias Output = Thumbnail
  static var configuration: JobTypeConfiguration {
    JobTypeConfiguration(
      timeout: .seconds(30),
      retry: RetryPolicy(limit: 3, backoff: .exponential(base: .milliseconds(20), factor: 2), jitter: .equal),
      concurrency: 2)
  }
  var path: String
  var width: Int
}

struct PublishGallery: Job {
  typealias Output = String
  var title: String
}

struct StoreBusy: Error {}
/// Retrying cannot fix this error: the job is dead-lettered immediately.
struct NoPicture: PermanentFailure {}

@main
struct Thumbnails {
  static func main() async throws {
    // Failed attempts are printed below; the scheduler would log them too.
    let scheduler = Scheduler(logger: Logger(label: "thumbnails") { _ in SwiftLogNoOpLogHandler() })
    try scheduler.register(ResizePicture.self) { picture, context in
      guard picture.path.hasSuffix(".png") else { throw NoPicture() }
      // The store is busy on the first request for the second picture.
      if picture.path == "lake.png", context.attempt == 1 { throw StoreBusy() }
      try await context.sleep(for: .milliseconds(50))
      return Thumbnail(name: "\(picture.path)@\(picture.width)", bytes: picture.width * picture.width / 8)
    }
    try scheduler.register(PublishGallery.self) { gallery, _ in "gallery '\(gallery.title)' is public" }
    scheduler.start()

    var pictures: [JobHandle<ResizePicture>] = []
    for path in ["hill.png", "lake.png", "wood.png"] {
      pictures.append(try await scheduler.submit(ResizePicture(path: path, width: 64), priority: .high))
    }
    // Starts when all three have completed; until then it occupies no worker.
    let gallery = try await scheduler.submit(PublishGallery(title: "Summer"), after: pictures.map(\.id))
    for picture in pictures {
      let thumbnail = try await picture.value()
      print("\(thumbnail.name): \(thumbnail.bytes) bytes, attempt \(picture.status?.attempts ?? 0)")
    }
    print(try await gallery.value())

    let notes = try await scheduler.submit(ResizePicture(path: "notes.txt", width: 64))
    do { _ = try await notes.value() } catch let failure as JobFailure { print("notes.txt: \(failure.cause.name)") }
    print("dead letters: \(scheduler.deadLetters().count)")
    await scheduler.shutdown()
  }
}
