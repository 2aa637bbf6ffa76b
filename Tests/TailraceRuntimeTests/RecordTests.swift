// Goal: the records of a live run prove that every job settled once, without a gap in its time, and that the live
// driver starts jobs in the core's order.

import TailraceCore
import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(5)))
struct RecordTests {
  @Test func hundredThousandJobsSettleExactlyOnce() async throws {
    let count = 100_000
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 6
    configuration.threadPool.workers = 2
    let collector = Collector(configuration)
    let scheduler = Scheduler.quiet(asyncWorkers: 6, threads: 2, observer: collector) {
      $0.queueCapacity = count
      $0.retainedCount = 1_000
    }
    let nop = try scheduler.register("nop") { _ in nil }
    let block = try scheduler.registerBlocking("nop on a thread") { _ in nil }
    scheduler.start()
    await withTaskGroup(of: Void.self) { group in
      for submitter in 0..<2 {
        group.addTask {
          for chunk in 0..<(count / 2_000) {
            let now = MonotonicClock.now()
            let first = (chunk * 2 + submitter) * 1_000
            let submissions = (first..<(first + 1_000)).map { number in
              JobSubmission(type: number % 4 == 0 ? block : nop, number: UInt64(number), intended: now, submitted: now)
            }
            _ = submissions.withUnsafeBufferPointer { scheduler.submit($0) }
          }
        }
      }
    }
    #expect(await scheduler.shutdown(grace: .seconds(240)).drained)
    #expect(collector.overlaps == 0)
    checkTimelines(collector.records, jobs: count)
    let metrics = scheduler.metrics()
    #expect(metrics.attempts == count && metrics.gauges.settledByCause[.succeeded] == count)
    #expect(scheduler.violatedInvariants == [])
  }

  @Test(arguments: [DispatchPolicy.priority, .fifo])
  func oneWorkerStartsJobsInTheCoresOrder(policy: DispatchPolicy) async throws {
    var configuration = SchedulerConfiguration()
    configuration.policy = policy
    configuration.asyncPool.workers = 1
    configuration.threadPool.workers = 0
    configuration.retry = RetryPolicy(limit: 2, backoff: .none)
    configuration.timeout = nil
    // Few enough that the worker has not learnt yet how short they are: it claims one at a time.
    let requests = (0..<70).map { number -> JobRequest in
      let dependencies = number % 10 == 9 ? [number - 3, number - 7] : []
      return JobRequest(
        "job", payload: dependencies, priority: Priority.allCases[(number * 7 + number / 11) % Priority.allCases.count])
    }
    let live = try await liveOrder(of: requests, configuration)
    #expect(live == coreOrder(of: requests, configuration))
    #expect(live.count > requests.count)
  }

  /// Whether the attempt fails: a fixed pattern, the same live and in the core alone.
  private static func fails(_ number: UInt64, attempt: Int) -> Bool { (number + UInt64(attempt)) % 8 == 0 }

  private func liveOrder(of requests: [JobRequest], _ configuration: SchedulerConfiguration) async throws -> [UInt64] {
    let order = Log<UInt64>()
    let scheduler = Scheduler.quiet { $0 = configuration }
    try scheduler.register("job") { context in
      order.append(context.number)
      if Self.fails(context.number, attempt: context.attempt) { throw Broken() }
      return nil
    }
    var ids: [JobID] = []
    for var request in requests {
      request.dependencies = (request.payload as? [Int] ?? []).map { ids[$0] }
      ids.append(try await scheduler.submit(request))
    }
    scheduler.start()
    #expect(await scheduler.shutdown(grace: .seconds(300)).drained)
    return order.all
  }

  private func coreOrder(of requests: [JobRequest], _ configuration: SchedulerConfiguration) -> [UInt64] {
    var core = try! SchedulerCore(configuration)
    let type = try! core.register(JobTypeConfiguration(name: "job"))
    var outbox = Outbox()
    var (order, ids, now) = ([UInt64](), [JobID](), Instant.zero)
    for (number, request) in requests.enumerated() {
      now = now + .microseconds(1)
      let admission = core.jobSubmitted(
        JobSubmission(
          type: type, number: UInt64(number), intended: now, submitted: now, priority: request.priority,
          dependencies: (request.payload as? [Int] ?? []).map { ids[$0] }), at: now, into: &outbox)
      if case .accepted(let id) = admission { ids.append(id) }
    }
    core.startJobs(at: now, into: &outbox)
    while case .startAttempt(let token)? = Array(outbox.orders).first(where: {
      if case .startAttempt = $0 { true } else { false }
    }) {
      outbox.clear()
      order.append(token.number)
      let started = now
      now = now + .microseconds(1)
      let outcome = Self.fails(token.number, attempt: Int(token.attempt)) ? AttemptOutcome.failed : .succeeded
      core.attemptEnded(token, started: started, finished: now, outcome: outcome, at: now, into: &outbox)
      core.startJobs(at: now, into: &outbox)
    }
    return order
  }
}

/// Checks that the records of jobs 0..<jobs have one settling record each, and parts that follow each other without a
/// gap.
func checkTimelines(_ records: [TimelineRecord], jobs: Int) {
  var settled = [Int](repeating: 0, count: jobs)
  var byJob = [[TimelineRecord]](repeating: [], count: jobs)
  for record in records { byJob[Int(record.number)].append(record) }
  var problems: [String] = []
  for (job, records) in byJob.enumerated() {
    let records = records.sorted { $0.attempt < $1.attempt }
    settled[job] = records.count(where: \.settles)
    for (index, record) in records.enumerated() {
      let stages = [
        record.intended, record.submitted, record.accepted, record.eligible, record.started, record.finished,
      ]
      .filter { $0 != TimelineRecord.never }
      if stages != stages.sorted() { problems.append("job \(job): its stages are out of order: \(stages)") }
      if Int(record.attempt) != index + 1 {
        problems.append("job \(job): attempt \(record.attempt) is number \(index)")
      }
      let before = index == 0 ? TimelineRecord.never : records[index - 1].finished
      if record.previousFinished != before { problems.append("job \(job): a gap before attempt \(record.attempt)") }
      if record.settles != (index == records.count - 1) { problems.append("job \(job): settles too early") }
    }
  }
  #expect(settled.allSatisfy { $0 == 1 }, "settling records a job: \(Set(settled).sorted())")
  #expect(problems.prefix(5) == [])
}
