import TailraceCore
import TailracePlatform
import TailraceRuntime
import TailraceWorkload

/// Submits a generator's jobs to the live scheduler.
///
/// Submissions are written in place into a reused buffer and never copied, because this path must handle a million per
/// second.
final class LiveSink: JobSink, @unchecked Sendable {
  private let scheduler: Scheduler
  private let types: [JobTypeID]
  private let interruption: StopFlag
  /// Whether identifiers are needed after submission.
  private let remembers: Bool
  private let hasClients: Bool
  /// Streams whose batch ends with the first job that fails; a batch has its stream's number.
  private let failFast: Set<UInt32>
  /// Identifiers of recent jobs, by number on the tape. Used only by the generator's thread.
  private var identifiers = RecentJobs()
  /// No list of attempts is longer that they could be compared with.
  private static let dependenciesKept = 1_000_000
  private var dependencyLists: [UInt64: [UInt64]] = [:]
  private var batches: [UInt32: BatchID] = [:]
  private let submissions: UnsafeMutableBufferPointer<JobSubmission>

  init(_ scheduler: Scheduler, types: [JobTypeID], scenario: Scenario, interruption: StopFlag) {
    self.interruption = interruption
    self.scheduler = scheduler
    self.types = types
    hasClients = scenario.hasClosedArrivals
    remembers = scenario.hasDependencies || scenario.jobs.contains { $0.cancel != nil } || hasClients
    failFast = scenario.failFastBatches
    submissions = .allocate(capacity: LoadGenerator.chunk)
    submissions.initialize(repeating: JobSubmission(type: JobTypeID(rawValue: 0), intended: .zero, submitted: .zero))
  }

  deinit {
    submissions.deinitialize()
    submissions.deallocate()
  }

  func submit(_ jobs: UnsafeBufferPointer<DueJob>) -> Nanoseconds {
    var heldBack = Nanoseconds.zero
    var heldUntil: Instant?
    // A job's dependencies must have identifiers before it is submitted, so jobs with some go one at a time.
    var start = 0
    while start < jobs.count {
      var end = start + 1
      if jobs[start].job.dependencies.isEmpty {
        while end < jobs.count, jobs[end].job.dependencies.isEmpty { end += 1 }
      }
      let waited = submit(jobs, start..<end, heldUntil: heldUntil)
      if waited > .zero {
        heldBack += waited
        // Jobs behind one that waited for room are submitted only now.
        heldUntil = MonotonicClock.now()
      }
      start = end
    }
    return heldBack
  }

  /// - Parameter heldUntil: until when the jobs before these waited for room; nil: they did not.
  private func submit(
    _ jobs: UnsafeBufferPointer<DueJob>, _ range: Range<Int>, heldUntil: Instant?
  ) -> Nanoseconds {
    for index in range { write(jobs.baseAddress! + index, to: submissions.baseAddress! + index) }
    if let heldUntil { for index in range { submissions[index].submitted = heldUntil } }
    var heldBack = Nanoseconds.zero
    var next = range.lowerBound
    while next < range.upperBound {
      let first = next
      let (count, waiting) = scheduler.submit(
        UnsafeBufferPointer(start: submissions.baseAddress! + first, count: range.upperBound - first)
      ) { index, admission in
        if remembers { remember(jobs[first + index].job.index, admission) }
      }
      next += count
      guard let waiting else { continue }
      let start = MonotonicClock.now()
      let interruption = interruption
      scheduler.waitForRoom(waiting) { interruption.isSet }
      let now = MonotonicClock.now()
      heldBack += now - start
      // So is whoever is behind it among these.
      for index in next..<range.upperBound { submissions[index].submitted = now }
    }
    if hasClients {
      for index in range { if let action = jobs[index].onSettled { watch(jobs[index].job.index, action) } }
    }
    return heldBack
  }

  private func write(_ due: UnsafePointer<DueJob>, to submission: UnsafeMutablePointer<JobSubmission>) {
    submission.pointee.type = types[due.pointee.job.type]
    submission.pointee.tag = due.pointee.job.index
    submission.pointee.intended = due.pointee.intended
    submission.pointee.submitted = due.pointee.submitted
    submission.pointee.priority = due.pointee.job.priority
    submission.pointee.delay = due.pointee.job.delay
    submission.pointee.expectedService = due.pointee.job.expectedService
    submission.pointee.uniqueKey = due.pointee.job.uniqueKey
    submission.pointee.tagKey = due.pointee.job.tagKey
    if !due.pointee.job.dependencies.isEmpty {
      submission.pointee.dependencies = due.pointee.job.dependencies.map { identifiers[$0] ?? .refused }
      if dependencyLists.count < Self.dependenciesKept {
        dependencyLists[due.pointee.job.index] = due.pointee.job.dependencies
      }
    } else if !submission.pointee.dependencies.isEmpty {
      submission.pointee.dependencies = []
    }
    if !failFast.isEmpty { submission.pointee.batch = batch(of: due.pointee.job.batch) }
  }

  private func batch(of number: UInt32?) -> BatchID? {
    guard let number, failFast.contains(number) else { return nil }
    guard let id = batches[number] ?? (try? scheduler.openBatch(failFast: true)) else {
      invariantViolated("a scenario has more fail-fast batches than job types")
    }
    batches[number] = id
    return id
  }

  private func remember(_ job: UInt64, _ admission: Admission) {
    switch admission {
    case .accepted(let id), .waiting(let id): identifiers[job] = id
    case .refused: identifiers[job] = .refused
    }
  }

  private func watch(_ job: UInt64, _ action: @escaping @Sendable () -> Void) {
    guard let id = identifiers[job], id != .refused else { return action() }
    scheduler.onSettled(id, action)
  }

  func cancel(_ job: UInt64) {
    if let id = identifiers[job], id != .refused { scheduler.cancel(id) }
  }

  /// No more jobs come.
  func sealBatches() {
    for batch in batches.keys.sorted() { scheduler.sealBatch(batches[batch]!) }
  }

  /// For checking starts against the ends of dependencies, once the run is over.
  func dependencies(of job: UInt64) -> [UInt64] { dependencyLists[job] ?? [] }
}
