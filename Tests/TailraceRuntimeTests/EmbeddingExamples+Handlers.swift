// Goal: the examples of docs/embedding.md on what handlers can do compile, run and do what the page says.

import Synchronization
import TailraceRuntime
import Testing

extension EmbeddingExamples {
  struct Thumbnail: Sendable { var width: Int }

  struct ResizeImage: Job {
    typealias Output = Thumbnail
    static let name = "resize-image"
    static var configuration: JobTypeConfiguration {
      JobTypeConfiguration(timeout: .seconds(30), concurrency: 3)
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

  @Test func manyJobs() async throws {
    let scheduler = Scheduler()
    try scheduler.register(ResizeImage.self) { job, context in Thumbnail(width: job.width) }
    scheduler.start()
    let sizes = [64, 128, 256].map { ResizeImage(path: "a.png", width: $0) }
    let handles = try await scheduler.submit(contentsOf: sizes, priority: .low).map { try $0.get() }
    for handle in handles { _ = try await handle.value(timeout: .seconds(60)) }
    #expect(try scheduler.jobs(in: [.completed], ofType: "resize-image", limit: 20).count == 3)
    await scheduler.shutdown()
  }

  struct Download: Job {
    typealias Output = Int
    var address: String
  }

  final class Network: Sendable {
    private let state = Atomic<Bool>(false)
    var isUp: Bool {
      get { state.load(ordering: .relaxed) }
      set { state.store(newValue, ordering: .relaxed) }
    }
  }

  @Test func deadLetters() async throws {
    let scheduler = Scheduler()
    let network = Network()
    try scheduler.register(Download.self) { job, context in
      guard network.isUp else { throw Unreachable() }
      return job.address.count
    }
    scheduler.start()
    let first = try await scheduler.submit(Download(address: "https://a.example"), retry: .never)
    _ = try await first.result()
    let letter = try #require(scheduler.deadLetters().first)
    #expect(letter.cause == .failed && letter.failure is Unreachable && !letter.isPoison)
    #expect(letter.payloadDescription == #"{"address":"https://a.example"}"#)
    network.isUp = true
    let again = try scheduler.handle(of: scheduler.replay(letter.id), as: Download.self)
    #expect(try await again.value(timeout: .seconds(60)) == 17)
    let report = scheduler.replayAll { !$0.isPoison && $0.attempts < 10 }
    #expect(report.replayed.isEmpty && report.refused.isEmpty)
    scheduler.purgeDeadLetters(olderThan: .seconds(86_400))
    await scheduler.shutdown()
  }

  struct NotAWidth: Error { var width: Int }
  struct NoAddress: Error {}

  struct Convert: Job {
    var width: Int
    func validate() throws {
      guard width > 0 else { throw NotAWidth(width: width) }
    }
  }

  @Test func validation() async throws {
    let scheduler = Scheduler()
    try scheduler.register(Convert.self) { job, context in }
    try scheduler.register("mail", validate: { payload in if payload == nil { throw NoAddress() } }) { _ in nil }
    scheduler.start()
    let convert = try await scheduler.submit(Convert(width: -1))
    let mail = try await scheduler.submit(JobRequest("mail"))
    let result = try await convert.result(timeout: .seconds(60))
    #expect(result.cause == .invalid && result.attempts == 0 && result.failure is NotAWidth)
    #expect(scheduler.deadLetters().map(\.id) == [convert.id, mail])
    await scheduler.shutdown()
  }

  struct Connection: Sendable {
    static func open() async -> Connection { Connection() }
    func answer() async throws -> Int { 42 }
    func close() async {}
  }

  @Test func resources() async throws {
    let scheduler = Scheduler()
    let connections = ResourceProvider(
      open: { context in await Connection.open() },
      close: { connection in await connection.close() })
    try scheduler.register(JobTypeConfiguration(name: "query", concurrency: 2), resource: connections) {
      context, connection in try await connection.answer()
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("query"))
    #expect(try await scheduler.result(of: id).value as? Int == 42)
    await scheduler.shutdown()
  }

  @Test func recoveryAndProgress() async throws {
    let scheduler = Scheduler()
    try scheduler.register(
      Download.self, recover: { job, context, error in error is Unreachable ? .complete(0) : .giveUp }
    ) { job, context in
      context.report(progress: 0.1, "connecting")
      throw Unreachable()
    }
    scheduler.start()
    let handle = try await scheduler.submit(Download(address: ""), retry: .never)
    #expect(try await handle.value(timeout: .seconds(60)) == 0)
    #expect(try await handle.result().isRecovered && handle.status?.isRecovered == true)
    await scheduler.shutdown()
  }

  @Test func stuckHandlersAndUnknownTypes() async throws {
    var configuration = SchedulerConfiguration()
    configuration.stuckAfter = .seconds(10)
    configuration.replacementLimit = 2
    configuration.unknownTypes = .park
    let scheduler = try Scheduler(configuration)
    try scheduler.register("known") { _ in nil }
    scheduler.start()
    let early = try await scheduler.submit(JobRequest("not-known-yet", payload: 7))
    #expect(scheduler.status(of: early)?.isParked == true)
    #expect(scheduler.health() == .degraded([.unknownJobTypes(["not-known-yet"])]))
    try scheduler.register("not-known-yet") { context in context.payload }
    #expect(try await scheduler.result(of: early).value as? Int == 7)
    await scheduler.shutdown()
  }
}
