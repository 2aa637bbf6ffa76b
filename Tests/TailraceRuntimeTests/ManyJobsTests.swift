// Goal: many jobs are submitted under one lock, each with its own result, and the jobs that a scheduler knows can be
// listed.

import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(1)))
struct ManyJobsTests {
  struct Page: Job {
    typealias Output = Int
    var number: Int
    func validate() throws { if number < 0 { throw Broken() } }
  }

  /// Each locked section reads the clock once, and its events have that instant.
  @Test func allAreSubmittedUnderOneLock() async throws {
    let scheduler = Scheduler.quiet { $0.queueCapacity = 2_000 }
    try scheduler.register(Page.self) { job, _ in job.number }
    let events = try scheduler.events(bufferingNewest: 100_000)
    scheduler.start()
    let handles = try await scheduler.submit(contentsOf: (0..<1_000).map { Page(number: $0) }, labels: ["book"])
      .map { try $0.get() }
    for (number, handle) in handles.enumerated() { #expect(try await handle.value(timeout: .seconds(60)) == number) }
    await scheduler.shutdown()
    var instants: [Instant] = []
    for await event in events { if case .submitted = event.kind { instants.append(event.instant) } }
    #expect(instants.count == 1_000 && Set(instants).count == 1)
  }

  @Test func eachHasItsOwnResult() async throws {
    let scheduler = Scheduler.quiet { $0.queueCapacity = 3 }
    try scheduler.register(Page.self) { job, _ in job.number }
    var unique = JobRequest(Page(number: 2))
    unique.uniqueKey = "two"
    let requests = [
      JobRequest("nobody's"), JobRequest(Page(number: 1)), JobRequest("Page", payload: "no page"),
      unique, unique,
      JobRequest("Page", payload: Page(number: 3), delay: .seconds(-1)), JobRequest(Page(number: -1)),
      JobRequest(Page(number: 4)), JobRequest(Page(number: 5)),
    ]
    let results = await scheduler.submit(contentsOf: requests)
    let words = results.map { result in
      switch result {
      case .success: "admitted"
      case .failure(SchedulerError.unknownJobType): "unknown"
      case .failure(SchedulerError.wrongParameters): "wrong"
      case .failure(SchedulerError.refused(.duplicate)): "duplicate"
      case .failure(SchedulerError.refused(.queueFull)): "full"
      case .failure(is InvalidValues): "invalid"
      case .failure(let error): "\(error)"
      }
    }
    #expect(
      words == ["unknown", "admitted", "wrong", "admitted", "duplicate", "invalid", "admitted", "admitted", "full"])
    #expect(scheduler.status(of: try results[6].get())?.cause == .invalid)
    #expect(await scheduler.submit(contentsOf: [JobRequest]()).isEmpty)
    #expect(scheduler.violatedInvariants == [])
    await scheduler.shutdown(grace: .zero)
  }

  @Test func whereTheQueueIsFullTheCallWaits() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1) {
      $0.queueCapacity = 2
      $0.whenFull = .block
    }
    try scheduler.register(Page.self) { job, _ in job.number }
    scheduler.start()
    let handles = try await scheduler.submit(contentsOf: (0..<100).map { Page(number: $0) }).map { try $0.get() }
    for (number, handle) in handles.enumerated() { #expect(try await handle.value(timeout: .seconds(60)) == number) }
    await scheduler.shutdown()
  }

  @Test func jobsAreListedByStateTypeAndTag() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1)
    let (started, gate) = (Gate(), Gate())
    try scheduler.registerBlocker("block", started: started, until: gate)
    try scheduler.register(Page.self) { job, _ in job.number }
    scheduler.start()
    let running = try await scheduler.submit(JobRequest("block"))
    await started.wait()
    let pages = try await scheduler.submit(contentsOf: (0..<3_000).map { Page(number: $0) }).map { try $0.get().id }
    let tagged = try await scheduler.submit(Page(number: 0), delay: .seconds(3_600), labels: ["a", "b"]).id
    #expect(try scheduler.jobs(in: [.running]).map(\.id) == [running])
    #expect(try scheduler.jobs().count == 100)
    #expect(Set(try scheduler.jobs(in: [.available], ofType: "Page", limit: 10_000).map(\.id)) == Set(pages))
    #expect(try scheduler.jobs(ofType: "nobody's").isEmpty && scheduler.jobs(in: []).isEmpty)
    let found = try scheduler.jobs(ofType: "Page", label: "b", limit: 1)
    #expect(found.map(\.id) == [tagged] && found[0].state == .scheduled && found[0].labels == ["a", "b"])
    scheduler.cancel(tagged)
    #expect(try scheduler.jobs(label: "b").isEmpty)
    #expect(try scheduler.jobs(in: [.cancelled], label: "b").map(\.id) == [tagged])
    for limit in [Int.min, 0, 10_001, .max] { #expect(throws: InvalidValues.self) { try scheduler.jobs(limit: limit) } }
    gate.open()
    await scheduler.shutdown()
  }

  /// Forgotten jobs leave free slots behind, which are not listed.
  @Test func forgottenJobsAreNotListed() async throws {
    let scheduler = Scheduler.quiet { $0.retainedCount = 5 }
    try scheduler.register(Page.self) { job, _ in job.number }
    scheduler.start()
    for handle in await scheduler.submit(contentsOf: (0..<500).map { Page(number: $0) }) {
      _ = try await handle.get().value(timeout: .seconds(60))
    }
    #expect(try scheduler.jobs(in: [.completed], limit: 1_000).count == 5)
    await scheduler.shutdown()
  }
}
