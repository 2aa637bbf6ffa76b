import TailraceCore

// How values print, in logs and in a debugger. The texts are for people; read the properties in programs.

extension JobStatus: CustomStringConvertible {
  /// The job, its type, state, attempts and error: `job 17 'resize': running, attempt 2`.
  public var description: String {
    var text = "job \(id) '\(type)': \(isParked ? "waits for a handler" : "\(state)")"
    if let cause { text += " (\(cause.name))" }
    if attempts > 0 { text += state == .running ? ", attempt \(attempts)" : ", attempts \(attempts)" }
    if !labels.isEmpty { text += ", labels \(labels.joined(separator: " "))" }
    if let progress { text += ", \(Int(progress.fraction * 100)) %" }
    if let error { text += ": \(error)" }
    return text
  }
}

extension JobResult: CustomStringConvertible {
  /// The job, its state, attempts, and value or error: `job 17: completed (succeeded), attempts 1: 640`.
  public var description: String {
    var text = "job \(id): \(state) (\(cause.name)), attempts \(attempts)"
    if isRecovered { text += ", recovered" }
    if isValueDropped { text += ", value dropped" }
    if let value { text += ": \(value)" } else if let error { text += ": \(error)" }
    return text
  }
}

extension JobAttempt: CustomStringConvertible {
  /// Its number, worker, outcome and times: `attempt 2 on async-0: timedOut, waited 0.5 seconds, ran 30.0 seconds`.
  public var description: String {
    let end = "attempt \(number) on \(pool.name)-\(worker): \(outcome), waited \(waiting), ran \(service)"
    return error.map { "\(end): \($0)" } ?? end
  }
}

extension JobEvent: CustomStringConvertible {
  /// The job, its type and what happened: `job 17 'resize': started, attempt 1`.
  public var description: String {
    let subject = job.map { "job \($0) '\(type)': " } ?? (type.isEmpty ? "" : "job of type '\(type)': ")
    return subject + kind.description
  }
}

extension JobEvent.Kind: CustomStringConvertible {
  /// What happened.
  public var description: String {
    switch self {
    case .submitted(let state, let due): "submitted, \(state)\(due.map { " until \($0)" } ?? "")"
    case .refused(let refusal): "rejected: \(SchedulerError.refused(refusal))"
    case .admitted: "admitted"
    case .started(let attempt, let worker): "started, attempt \(attempt), worker \(worker)"
    case .progress(let progress): "\(Int(progress.fraction * 100)) % \(progress.note)"
    case .stuck(let attempt, let worker, let since, let isReplaced):
      "stuck for \(since), attempt \(attempt), worker \(worker)\(isReplaced ? ", replaced" : "")"
    case .attemptEnded(let attempt): attempt.description
    case .retrying(let attempt, let backoff): "retries after \(backoff), attempt \(attempt)"
    case .settled(let state, let cause): "\(state) (\(cause.name))"
    case .dropped(let count, let since): "\(count) events dropped since \(since)"
    }
  }
}

extension DeadLetter: CustomStringConvertible {
  /// The job, its cause and its error.
  public var description: String { "dead letter, \(status)" }
}

extension SchedulerHealth: CustomStringConvertible {
  /// `healthy`, or the problems.
  public var description: String {
    switch self {
    case .healthy: "healthy"
    case .degraded(let reasons): "degraded: \(reasons.map(\.description).joined(separator: "; "))"
    case .unhealthy(let reason): "unhealthy: \(reason)"
    }
  }
}

extension ShutdownReport: CustomStringConvertible {
  /// Whether the scheduler drained, and what it left.
  public var description: String {
    "\(drained ? "drained" : "not drained"), \(cancelled) cancelled, \(leftRunning) left running, \(refused) rejected"
  }
}

extension ScheduleStatus: CustomStringConvertible {
  /// The name, the next slot and the counts.
  public var description: String {
    let next = isPaused ? "paused" : next.map { "next \($0)" } ?? "no slot left"
    return "schedule '\(name)': \(next), \(fired) fired, \(missed) missed, \(refused) rejected"
  }
}

extension JobHandle: CustomStringConvertible {
  /// The job and its type.
  public var description: String { "job \(id) '\(Parameters.name)'" }
}

extension SchedulerMetrics: CustomStringConvertible {
  /// The main counts.
  public var description: String {
    """
    \(gauges.waiting) waiting, \(gauges.running) running, \(gauges.settled(as: .completed)) completed, \
    \(gauges.settled(as: .deadLettered)) dead-lettered, \(gauges.settled(as: .cancelled)) cancelled, \
    \(attempts) attempts, \(workers.count) workers, \(Int(utilization * 100)) % busy
    """
  }
}
