import TailraceCore
import TailraceMeasurement

/// A run as a trace, with one row per job (intended arrival and service time), and the scenario that replays it.
package enum RecordedTape {
  /// The first line. Times are in seconds, exact to the nanosecond; `submitted_s` is the intended arrival.
  package static let header = "job,submitted_s,service_s,job_type,priority,outcome\n"

  /// The rows of a run's records.
  ///
  /// - Parameters:
  ///   - records: Sorted by job, then attempt. A job's service time is the sum of its attempts', empty if none started.
  ///   - name: The name of a job; nil: its number.
  ///   - types: The names of the job types, by number.
  ///   - origin: The run's start on the records' clock.
  package static func csv(
    _ records: [TimelineRecord], name: (UInt64) -> String?, types: [String], origin: Instant
  ) -> [UInt8] {
    var text = Array(header.utf8)
    var service: Int64?
    for record in records {
      if record.started != TimelineRecord.never {
        service = (service ?? 0) + (record.finished - record.started).rawValue
      }
      guard record.settles else { continue }
      let type = Int(record.type.rawValue)
      let cells = [
        CommaSeparated.quoted(name(record.number) ?? "\(record.number)"), seconds((record.intended - origin).rawValue),
        service.map(seconds) ?? "", CommaSeparated.quoted(type < types.count ? types[type] : ClassKey.unknownType),
        record.priority.name, record.cause.name,
      ]
      text.append(contentsOf: (cells.joined(separator: ",") + "\n").utf8)
      service = nil
    }
    return text
  }

  private static func seconds(_ nanoseconds: Int64) -> String {
    let fraction = String(abs(nanoseconds) % 1_000_000_000)
    let sign = nanoseconds < 0 ? "-" : ""
    return "\(sign)\(abs(nanoseconds) / 1_000_000_000).\(String(repeating: "0", count: 9 - fraction.count))\(fraction)"
  }

  /// The scenario that replays the rows.
  ///
  /// - Parameters:
  ///   - scenario: The name of the scenario that was run.
  ///   - file: The rows' file, relative to the scenario file.
  ///   - records: The records of the rows. The scenario names only outcomes that occur.
  package static func scenario(named scenario: String, file: String, _ records: [TimelineRecord]) -> [UInt8] {
    let causes = Set(records.lazy.filter(\.settles).map(\.cause))
    let failures = [SettlementCause.failed, .timedOut, .failedPermanently, .crashed].filter(causes.contains).map(\.name)
    let failed = failures.isEmpty ? "" : "\n  failed: [\(failures.joined(separator: ", "))]"
    return Array(
      """
      name: \(scenario.prefix(55))-recorded
      summary: The jobs of a run of \(scenario), with their measured service times.
      load:
        trace: \(file)
        columns:
          {id: job, submitted: submitted_s, service: service_s, job_type: job_type, priority: priority,
           outcome: outcome}\(failed)
      # The scheduler for the replay; the original run's settings are in its report.
      scheduler: {workers: 4, policy: priority}

      """.utf8)
  }
}
