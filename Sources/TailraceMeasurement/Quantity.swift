import TailraceCore

/// A length of time that is measured of jobs or of their attempts.
///
/// Six *parts* (``parts``) tell where a job's time went; over all its records they add up, to the nanosecond, to the
/// time from its intended arrival until it was settled. A stage that a job never reached ends, for this sum, when the
/// job settled: a job cancelled while it waited has waited until then.
package enum Quantity: Int, CaseIterable, Sendable, Codable {
  /// Intended arrival → submit called, of every submitted job: the load generator's own lateness and, with a queue that
  /// blocks, the time it was held back.
  case submissionLag
  /// Submit called → accepted or refused, of every submitted job.
  case submission
  /// Accepted → eligible, of every accepted job; dependencies and delay.
  case dependencyWait
  /// Eligible → started, of every attempt that became eligible; until the job settled where the attempt never started.
  case waiting
  /// Started → finished, of every attempt that started.
  case service
  /// Previous attempt finished → eligible again, of every attempt but the first.
  case backoff
  /// Intended arrival → settled, of every job that ran to an end of its own: completed or dead-lettered. Jobs that were
  /// dropped, rejected, shed, stopped or cancelled are counted by cause and give no sample, so that refusing quickly
  /// cannot make a system look fast.
  case response
  /// Submit called → settled, of the same jobs as ``response``. A stalled system hides its own delay in it
  /// (coordinated omission); it is printed only beside ``response``.
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

  /// The quantities that add up to the time from intended arrival to settlement, in the order in which a job passes
  /// them.
  package static let parts: [Quantity] = [.submissionLag, .submission, .dependencyWait, .waiting, .service, .backoff]

  /// The instants between which the quantity is taken, for a reader.
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

  /// How long the record says that a quantity lasted; nil where it gives no sample of it.
  package func length(of quantity: Quantity) -> Nanoseconds? {
    switch quantity {
    case .submissionLag:
      return attempt == 1 && wasSubmitted ? submitted - intended : nil
    case .submission:
      return attempt == 1 && wasSubmitted ? (wasAccepted ? accepted : finished) - submitted : nil
    case .dependencyWait:
      return attempt == 1 && wasAccepted ? (becameEligible ? eligible : finished) - accepted : nil
    case .backoff:
      return attempt > 1 ? (becameEligible ? eligible : finished) - previousFinished : nil
    case .waiting:
      return becameEligible ? (wasStarted ? started : finished) - eligible : nil
    case .service:
      return wasStarted ? finished - started : nil
    case .response:
      return settles && cause.ranToItsEnd && wasSubmitted ? finished - intended : nil
    case .responseUncorrected:
      return settles && cause.ranToItsEnd && wasSubmitted ? finished - submitted : nil
    }
  }
}

extension SettlementCause {
  /// Whether the job ended by its own doing, completed or dead-lettered, rather than being refused, removed or
  /// cancelled.
  package var ranToItsEnd: Bool {
    switch self {
    case .succeeded, .failed, .timedOut, .failedPermanently, .crashed: true
    case .cancelled, .dependencyFailed, .batchFailed, .shed, .rejected, .duplicate, .stopped, .dropped, .invalid: false
    }
  }

  /// Whether the job went to the dead letters.
  package var isDeadLettered: Bool {
    switch self {
    case .failed, .timedOut, .failedPermanently, .crashed, .invalid: true
    case .succeeded, .cancelled, .dependencyFailed, .batchFailed, .shed, .rejected, .duplicate, .stopped, .dropped:
      false
    }
  }

  /// Whether the job was cancelled: by its submitter, a dependency, its batch or a stop.
  package var isCancelled: Bool {
    switch self {
    case .cancelled, .dependencyFailed, .batchFailed, .stopped: true
    case .succeeded, .failed, .timedOut, .failedPermanently, .crashed, .shed, .rejected, .duplicate, .dropped, .invalid:
      false
    }
  }
}
