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
  private let hasClients: Bool
  /// Used only by the generator's thread, and once the run is over.
  private var submitter: TapeSubmitter
  private let submissions: UnsafeMutableBufferPointer<JobSubmission>

  init(_ scheduler: Scheduler, types: [JobTypeID], scenario: Scenario, interruption: StopFlag) {
    self.interruption = interruption
    self.scheduler = scheduler
    self.types = types
    hasClients = scenario.hasClosedArrivals
    submitter = TapeSubmitter(scenario, watchesClients: true)
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
    for index in range { write(jobs.baseAddress! + index, to: index) }
    if let heldUntil { for index in range { submissions[index].submitted = heldUntil } }
    var heldBack = Nanoseconds.zero
    var next = range.lowerBound
    while next < range.upperBound {
      let first = next
      let (count, waiting) = scheduler.submit(
        UnsafeBufferPointer(start: submissions.baseAddress! + first, count: range.upperBound - first)
      ) { index, admission in
        submitter.submitted((jobs.baseAddress! + first + index).pointee.job, admission)
      }
      next += count
      guard let waiting else { continue }
      let start = MonotonicClock.now()
      let interruption = interruption
      scheduler.waitForRoom(waiting) { interruption.isSet }
      let now = MonotonicClock.now()
      heldBack += now - start
      // The jobs behind it are submitted only now.
      for index in next..<range.upperBound { submissions[index].submitted = now }
    }
    if hasClients {
      for index in range { if let action = jobs[index].onSettled { watch(jobs[index].job.number, action) } }
    }
    return heldBack
  }

  private func write(_ due: UnsafePointer<DueJob>, to place: Int) {
    if let batch = submitter.unopenedBatch(of: due.pointee.job) { open(batch) }
    submitter.write(
      due.pointee.job, type: types[due.pointee.job.type], intended: due.pointee.intended,
      submitted: due.pointee.submitted, to: &submissions[place])
  }

  private func open(_ batch: UInt32) {
    guard let id = try? scheduler.openBatch(failFast: true) else {
      invariantViolated("a scenario has more fail-fast batches than job types")
    }
    submitter.opened(batch, as: id)
  }

  private func watch(_ job: UInt64, _ action: @escaping @Sendable () -> Void) {
    guard let id = submitter.identifier(of: job) else { return action() }
    scheduler.onSettled(id, action)
  }

  func cancel(_ job: UInt64) {
    if let id = submitter.identifier(of: job) { scheduler.cancel(id) }
  }

  /// No more jobs come.
  func sealBatches() {
    for batch in submitter.openBatches { scheduler.sealBatch(batch) }
  }

  /// For checking starts against the ends of dependencies, once the run is over.
  func dependencies(of job: UInt64) -> [UInt64] { submitter.dependencies[job] ?? [] }
}
