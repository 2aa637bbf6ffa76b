import TailraceCore

extension Tape {
  /// The columns of ``csv(limit:)``. Times are in nanoseconds from the start of the run; `intended_ns` of a closed
  /// client's first job counts from the client's readiness.
  package static let csvHeader = """
    job,job_type,priority,intended_ns,delay_ns,cancel_after_ns,batch,dependencies,service_ns,ending
    """

  /// The tape as CSV lines, header first: the open-loop jobs in order, then the first job of each closed client.
  /// `service_ns` and `ending` are those of the first attempt; dependencies are separated by spaces.
  ///
  /// - Parameter limit: Maximum number of jobs.
  package func csv(limit: Int) -> [String] {
    var lines: [String] = []
    writeCSV(limit: limit) { lines.append($0) }
    return lines
  }

  /// Passes each line of ``csv(limit:)`` to `write` as it is generated, because a tape may exceed memory.
  package func writeCSV(limit: Int, to write: (String) -> Void) {
    write(Self.csvHeader)
    var left = limit
    var cursor = makeCursor()
    while left > 0, let job = cursor.next() {
      write(csvLine(job))
      left -= 1
    }
    for client in clients {
      guard left > 0 else { break }
      write(csvLine(closedJob(client: client, sequence: 0).job))
      left -= 1
    }
  }

  private func csvLine(_ job: TapeJob) -> String {
    let plan = attempt(job: job.number, type: job.type, attempt: 1)
    let fields: [String] = [
      String(job.number), scenario.jobs[job.type].name, job.priority.name, String(job.intended.nanoseconds),
      String(job.delay.rawValue), job.cancelAfter.map { String($0.rawValue) } ?? "",
      job.batch.map { String($0) } ?? "", job.dependencies.map { String($0) }.joined(separator: " "),
      String(plan.service.rawValue), "\(plan.ending)",
    ]
    return fields.joined(separator: ",")
  }
}
