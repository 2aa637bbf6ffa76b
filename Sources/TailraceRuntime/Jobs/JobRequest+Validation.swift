import TailraceCore

extension JobRequest {
  /// The maximum number of labels of a job.
  public static let mostLabels = 100
  /// The maximum number of dependencies of a job.
  public static let mostDependencies = 1_000_000

  /// Checks the values of the request.
  ///
  /// - Throws: every value that is out of range, with its allowed range.
  public func validate() throws(InvalidValues) {
    var check = ValueCheck()
    check.check("type", length: type, in: 1...mostNameLength)
    check.require(delay >= .zero, "delay", "\(delay)", "0 s or longer")
    if let timeout { check.require(timeout >= .nanoseconds(1), "timeout", "\(timeout)", "1 ns or longer") }
    if let retry { check.add(retry.problems(named: "retry.")) }
    if let memory { check.check("memory", memory, in: 0...mostMemory) }
    if let deadline { check.require(deadline >= .zero, "deadline", "\(deadline)", "0 s or longer") }
    if let expectedService {
      check.require(expectedService >= .zero, "expectedService", "\(expectedService)", "0 s or longer")
    }
    if let uniqueKey { check.check("uniqueKey", length: uniqueKey, in: 0...mostNameLength) }
    if let tenant { check.check("tenant", length: tenant, in: 0...mostNameLength) }
    check.check("dependencies.count", dependencies.count, in: 0...Self.mostDependencies)
    if !labels.isEmpty {
      check.check("labels.count", labels.count, in: 0...Self.mostLabels)
      for (place, label) in labels.prefix(Self.mostLabels).enumerated() {
        check.check("labels[\(place)]", length: label, in: 0...mostNameLength)
      }
    }
    try check.throwFound()
  }
}

extension RecurringJob {
  /// Checks the values of the recurring job. Its cron expression and time zone are checked when it is added.
  ///
  /// - Throws: every value that is out of range, with its allowed range.
  public func validate() throws(InvalidValues) {
    var check = ValueCheck()
    check.check("name", length: name, in: 1...mostNameLength)
    do throws(InvalidValues) { try job.validate() } catch {
      check.add(error.values.map { InvalidValue(name: "job.\($0.name)", value: $0.value, range: $0.range) })
    }
    let interval =
      switch timing {
      case .every(let interval, let anchor): Recurrence.every(interval, anchor: anchor)
      case .cron: Recurrence.every(.seconds(1))
      case .recurrence(let recurrence): recurrence
      }
    do throws(InvalidValues) { try ScheduleDescription(interval, missed: missed).validate() } catch {
      check.add(error.values)
    }
    try check.throwFound()
  }
}
