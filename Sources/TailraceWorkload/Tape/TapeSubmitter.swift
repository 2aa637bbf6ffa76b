import TailraceCore

/// Turns a tape's jobs into submissions for a scheduler: the one way for the live system and for the simulation.
///
/// It remembers the identifiers that the scheduler gave to recent jobs, so that dependencies, cancellations and clients
/// can refer to them, and which batches are open. It submits nothing itself. Its owner does this for each job:
///
/// 1. If ``unopenedBatch(of:)`` returns a number, open a batch and call ``opened(_:as:)``.
/// 2. Call ``write(_:type:intended:submitted:to:)`` and submit.
/// 3. Call ``submitted(_:_:)`` with the scheduler's answer.
package struct TapeSubmitter {
  /// Whether a job is referred to once it is submitted.
  package let remembersJobs: Bool
  /// The numbers of streams whose batch ends with the first job that fails.
  private let failFast: Set<UInt32>
  private var identifiers = RecentJobs()
  private var batches: [UInt32: BatchID] = [:]
  /// What each job depends on, by numbers on the tape, for the first million jobs that depend on others. No list of
  /// attempts is longer.
  package private(set) var dependencies: [UInt64: [UInt64]] = [:]
  private static let dependenciesKept = 1_000_000

  /// - Parameter watchesClients: Whether the owner asks for the identifiers of jobs that clients wait for.
  package init(_ scenario: Scenario, watchesClients: Bool) {
    remembersJobs = scenario.namesSubmittedJobs || (watchesClients && scenario.hasClosedArrivals)
    failFast = scenario.failFastBatches
  }

  /// The number of the job's batch, if the batch must be opened before the job is submitted.
  @inline(__always)
  package func unopenedBatch(of job: borrowing TapeJob) -> UInt32? {
    guard !failFast.isEmpty, let number = job.batch, failFast.contains(number), batches[number] == nil else {
      return nil
    }
    return number
  }

  package mutating func opened(_ batch: UInt32, as id: BatchID) { batches[batch] = id }

  /// Writes a job into a submission that is used again and again, so that no allocation is needed.
  ///
  /// The jobs that it depends on must have been submitted. Dependencies that the scheduler refused are written as
  /// `JobID.refused`.
  package func write(
    _ job: borrowing TapeJob, type: JobTypeID, intended: Instant, submitted: Instant,
    to submission: inout JobSubmission
  ) {
    submission.type = type
    submission.number = job.number
    submission.intended = intended
    submission.submitted = submitted
    submission.priority = job.priority
    submission.delay = job.delay
    submission.expectedService = job.expectedService
    if submission.uniqueKey != nil || job.uniqueKey != nil { submission.uniqueKey = job.uniqueKey }
    if submission.tenant != nil || job.tenant != nil { submission.tenant = job.tenant }
    if !job.dependencies.isEmpty {
      submission.dependencies = job.dependencies.map { identifiers[$0] ?? .refused }
    } else if !submission.dependencies.isEmpty {
      submission.dependencies = []
    }
    if !failFast.isEmpty { submission.batch = job.batch.flatMap { batches[$0] } }
  }

  /// Remembers the scheduler's answer to a job's submission.
  package mutating func submitted(_ job: borrowing TapeJob, _ admission: Admission) {
    if !job.dependencies.isEmpty, dependencies.count < Self.dependenciesKept {
      dependencies[job.number] = job.dependencies
    }
    guard remembersJobs else { return }
    switch admission {
    case .accepted(let id), .waiting(let id): identifiers[job.number] = id
    case .refused: identifiers[job.number] = .refused
    }
  }

  /// The scheduler's identifier of a recent job; nil if the scheduler refused it, or it is too long ago.
  package func identifier(of job: UInt64) -> JobID? {
    guard let id = identifiers[job], id != .refused else { return nil }
    return id
  }

  /// The open batches, by number on the tape. They are sealed when no more jobs come.
  package var openBatches: [BatchID] { batches.keys.sorted().map { batches[$0]! } }
}
