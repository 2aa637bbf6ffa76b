import TailraceCore

/// One intended job: all that is known of it before any system has seen it.
package struct TapeJob: Sendable, Hashable {
  /// Its number on the tape, from 0, in order of intended arrival.
  package var index: UInt64
  /// Index into ``Scenario/jobs``.
  package var type: Int
  package var priority: Priority
  /// From the start of the run. In a closed stream: from the client's readiness, so zero until the harness sets it.
  package var intended: Instant
  /// Tape numbers of jobs that must complete first; all lower than `index`.
  package var dependencies: [UInt64]
  /// Between admission and eligibility.
  package var delay: Nanoseconds
  /// When its submitter cancels it, counted from its intended arrival; nil: never.
  package var cancelAfter: Nanoseconds?
  /// How long its first attempt will take, where the scheduler is told; nil: it is not.
  package var expectedService: Nanoseconds? = nil
  /// Its unique key: its type's name and a number; nil: it has none.
  package var uniqueKey: String? = nil
  /// Whose job it is; nil: nobody's.
  package var tagKey: String? = nil
  /// Jobs with the same number form one batch; nil: none.
  package var batch: UInt32?

  /// What is recorded of it when it is dropped: it was never submitted.
  ///
  /// - Parameter intended: its intended arrival on the records' clock.
  package func droppedRecord(intended: Instant) -> TimelineRecord {
    var record = TimelineRecord(
      job: index, type: JobTypeID(rawValue: UInt16(type)), priority: priority, intended: intended)
    record.settles = true
    record.finished = intended
    record.cause = .dropped
    return record
  }

  /// To be written over.
  package static let blank = TapeJob(
    index: 0, type: 0, priority: .normal, intended: .zero, dependencies: [], delay: .zero, cancelAfter: nil, batch: nil)
}

/// What one attempt of a job will do, whoever runs it.
package struct AttemptPlan: Sendable, Hashable {
  /// How long the work takes; zero for real operations that take what they take.
  package var service: Nanoseconds
  package var ending: AttemptEnding
  /// For `cycles`: how many cycles the job needs, and for each cycle that will run whether it fails is drawn by
  /// ``Tape/cycleFails(job:type:attempt:cycle:)``. Otherwise 0.
  package var cycles: Int
}

/// How an attempt is meant to end.
package enum AttemptEnding: UInt8, Sendable, Hashable {
  case succeeds
  case fails
  /// Never ends by itself: only a timeout or a cancellation ends it.
  case hangs
  case failsPermanently
}
