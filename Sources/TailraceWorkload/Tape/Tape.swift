import TailraceCore

/// An intended job, independent of any system.
package struct TapeJob: Sendable, Hashable {
  /// Its number on the tape, from 0, in order of intended arrival.
  package var number: UInt64
  /// Index into ``Scenario/jobs``.
  package var type: Int
  package var priority: Priority
  /// The intended arrival from the start of the run. In a closed stream it is zero until the harness sets it.
  package var intended: Instant
  /// Tape numbers of jobs that must complete first; all lower than `number`.
  package var dependencies: [UInt64]
  /// The delay between admission and eligibility.
  package var delay: Nanoseconds
  /// When its submitter cancels it, from its intended arrival; nil: never.
  package var cancelAfter: Nanoseconds?
  /// The duration of its first attempt, if the scheduler is to receive it; otherwise nil.
  package var expectedService: Nanoseconds? = nil
  /// Its unique key: its type's name and a number; nil: none.
  package var uniqueKey: String? = nil
  /// Its tenant; nil: none.
  package var tenant: String? = nil
  /// Jobs with the same number form one batch; nil: none.
  package var batch: UInt32?

  /// The record of the job if it is dropped, that is, never submitted.
  ///
  /// - Parameter intended: its intended arrival on the records' clock.
  package func droppedRecord(intended: Instant) -> TimelineRecord {
    var record = TimelineRecord(
      number: number, type: JobTypeID(rawValue: UInt16(type)), priority: priority, intended: intended)
    record.settles = true
    record.finished = intended
    record.cause = .dropped
    return record
  }

  /// A placeholder to be overwritten.
  package static let blank = TapeJob(
    number: 0, type: 0, priority: .normal, intended: .zero, dependencies: [], delay: .zero, cancelAfter: nil, batch: nil
  )
}

/// The plan of an attempt, independent of the system that runs it.
package struct AttemptPlan: Sendable, Hashable {
  /// The service time; zero for real operations.
  package var service: Nanoseconds
  package var ending: AttemptEnding
  /// For `cycles`: how many cycles the job needs; ``Tape/cycleFails(job:type:attempt:cycle:)`` draws whether each
  /// fails. Otherwise 0.
  package var cycles: Int
}

/// How an attempt ends by plan.
package enum AttemptEnding: UInt8, Sendable, Hashable {
  case succeeds
  case fails
  /// Never ends by itself; only a timeout or a cancellation ends it.
  case hangs
  case failsPermanently
}
