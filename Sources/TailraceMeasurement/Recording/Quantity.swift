import TailraceCore

/// A duration measured for jobs or attempts.
///
/// Six *parts* (``parts``) divide a job's time. Over all its records they add up, to the nanosecond, to the time from
/// its intended arrival to its settlement. For this sum, a stage that a job did not reach ends when the job settles: a
/// job cancelled while waiting has waited until then.
package enum Quantity: Int, CaseIterable, Sendable, Codable {
  /// Intended arrival → submit called, for every submitted job: the load generator's own lateness plus, with a queue
  /// that blocks, the time that a full queue blocked it.
  case submissionLag
  /// Submit called → accepted or rejected, for every submitted job.
  case submission
  /// Accepted → eligible, for every accepted job: dependencies and delay.
  case dependencyWait
  /// Eligible → started, for every attempt that became eligible; until settlement if the attempt never started.
  case waiting
  /// Started → finished, for every attempt that started.
  case service
  /// Previous attempt finished → eligible again, for every attempt but the first.
  case backoff
  /// Intended arrival → settled, for every completed or dead-lettered job. Dropped, rejected, shed, stopped and
  /// cancelled jobs are counted by cause and add no sample, so that rejecting quickly cannot make a system look fast.
  case response
  /// Submit called → settled, for the same jobs as ``response``. It hides the delay of a stalled system (coordinated
  /// omission) and is printed only next to ``response``.
  case responseUncorrected

  /// The name in targets, tables and files.
  package var name: String {
    switch self {
    case .submissionLag: "submission_lag"
    case .submission: "submission"
    case .dependencyWait: "dependency_wait"
    case .waiting: "waiting"
    case .service: "service"
    case .backoff: "backoff"
    case .response: "response"
    case .responseUncorrected: "response_uncorrected"
    }
  }

  /// The quantity with this name, or nil.
  package init?(name: some StringProtocol) {
    guard let match = Quantity.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// The quantities that add up to the time from intended arrival to settlement, in chronological order.
  package static let parts: [Quantity] = [.submissionLag, .submission, .dependencyWait, .waiting, .service, .backoff]

  /// The start and end of the quantity, for readers.
  package var span: String {
    switch self {
    case .submissionLag: "intended arrival → submit called"
    case .submission: "submit called → accepted or refused"
    case .dependencyWait: "accepted → eligible"
    case .waiting: "eligible → started"
    case .service: "started → finished"
    case .backoff: "attempt failed → eligible again"
    case .response: "intended arrival → settled"
    case .responseUncorrected: "submit called → settled"
    }
  }
}

extension TimelineRecord {
  /// Whether submit was called for the job.
  @inline(__always) package var wasSubmitted: Bool { submitted != Self.never }
  /// Whether the scheduler admitted the job.
  @inline(__always) package var wasAccepted: Bool { accepted != Self.never }
  /// Whether the attempt could have started.
  @inline(__always) package var becameEligible: Bool { eligible != Self.never }
  /// Whether the attempt started.
  @inline(__always) package var wasStarted: Bool { started != Self.never }
}

extension SettlementCause {
  /// Whether the job finished, completed or dead-lettered, rather than being rejected, removed or cancelled.
  package var ranToItsEnd: Bool {
    switch self {
    case .succeeded, .failed, .timedOut, .failedPermanently, .crashed: true
    case .cancelled, .dependencyFailed, .batchFailed, .shed, .rejected, .duplicate, .stopped, .dropped, .invalid: false
    }
  }

  /// Whether the job was dead-lettered.
  package var isDeadLettered: Bool {
    switch self {
    case .failed, .timedOut, .failedPermanently, .crashed, .invalid: true
    case .succeeded, .cancelled, .dependencyFailed, .batchFailed, .shed, .rejected, .duplicate, .stopped, .dropped:
      false
    }
  }

  /// Whether the job was cancelled: by its submitter, a dependency, its batch or a shutdown.
  package var isCancelled: Bool {
    switch self {
    case .cancelled, .dependencyFailed, .batchFailed, .stopped: true
    case .succeeded, .failed, .timedOut, .failedPermanently, .crashed, .shed, .rejected, .duplicate, .dropped, .invalid:
      false
    }
  }
}
