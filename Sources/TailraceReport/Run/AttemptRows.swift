import TailraceCore
import TailraceMeasurement

/// `jobs.csv`: one row per attempt; instants in ns from the run's start, empty for stages that were not reached.
package enum AttemptRows {
  /// The first line.
  package static let header =
    "job,job_type,priority,attempt,worker,intended_ns,submitted_ns,accepted_ns,eligible_ns,started_ns,finished_ns,outcome\n"

  /// Appends the row of a record to `text`.
  ///
  /// - Parameters:
  ///   - record: The record. `outcome` is the attempt's outcome, or the settlement cause if no attempt started.
  ///   - name: The job's name; nil: its number.
  ///   - types: The names of the job types, by number.
  ///   - origin: The run's start on the records' clock.
  ///   - text: A UTF-8 buffer, to be written in chunks.
  package static func append(
    _ record: TimelineRecord, name: String? = nil, types: [String], origin: Instant, to text: inout [UInt8]
  ) {
    let type = Int(record.type.rawValue)
    let worker = record.worker == TimelineRecord.noWorker ? "" : "\(record.pool.name)-\(record.worker)"
    var row = name.map { CommaSeparated.quoted($0) + "," } ?? "\(record.number),"
    row += CommaSeparated.quoted(type < types.count ? types[type] : ClassKey.unknownType)
    row += ",\(record.priority.name),\(record.attempt),\(worker)"
    for instant in [
      record.intended, record.submitted, record.accepted, record.eligible, record.started, record.finished,
    ] {
      row += instant == TimelineRecord.never ? "," : ",\((instant - origin).rawValue)"
    }
    row += ",\(outcome(of: record))\n"
    text.append(contentsOf: row.utf8)
  }

  private static func outcome(of record: TimelineRecord) -> String {
    if record.settles, record.started == TimelineRecord.never { return record.cause.name }
    switch record.outcome {
    case .succeeded: return "succeeded"
    case .failed: return "failed"
    case .timedOut: return "timed_out"
    case .cancelled: return "cancelled"
    case .failedPermanently: return "failed_permanently"
    case .crashed: return "crashed"
    }
  }
}
