/// Range checks for all settings. Each check reports all problems at once.
extension SchedulerConfiguration {
  /// Checks that every setting is in range.
  ///
  /// - Throws: every value that is out of range, with its allowed range.
  public func validate() throws(InvalidValues) {
    var check = ValueCheck()
    check.add(policy.problems)
    for pool in PoolID.allCases {
      check.add(self[pool].problems(named: "\(pool.name)Pool.", spares: replacementLimit))
    }
    check.check("queueCapacity", queueCapacity, in: 0...Int.max)
    check.check("handlerReserve", handlerReserve, in: 0...Int.max)
    check.add(retry.problems(named: "retry."))
    if let timeout { check.checkPositive("timeout", timeout) }
    if let memoryBudget { check.check("memoryBudget", memoryBudget, in: 0...mostMemory) }
    check.add(tenants.each.problems(named: "tenants.each."))
    check.check("tenants.named.count", tenants.named.count, in: 0...TenantTable.most)
    for (name, settings) in tenants.named.sorted(by: { $0.key < $1.key }) {
      check.check("tenants.named", length: name, in: 0...mostNameLength)
      check.add(settings.problems(named: "tenants.named[\(name)]."))
    }
    check.check("retainedCount", retainedCount, in: 0...Int.max)
    check.checkNotNegative("retainedAge", retainedAge)
    check.check("deadLetterCount", deadLetterCount, in: 0...Int.max)
    check.checkNotNegative("deadLetterAge", deadLetterAge)
    check.checkNotNegative("stuckAfter", stuckAfter)
    check.check("replacementLimit", replacementLimit, in: 0...PoolConfiguration.mostWorkers)
    try check.throwFound()
  }
}

extension JobTypeConfiguration {
  /// Checks that every setting is in range.
  ///
  /// - Throws: every value that is out of range, with its allowed range.
  public func validate() throws(InvalidValues) {
    var check = ValueCheck()
    check.check("name", length: name, in: 1...mostNameLength)
    if let timeout { check.checkPositive("timeout", timeout) }
    if let retry { check.add(retry.problems(named: "retry.")) }
    if let concurrency { check.check("concurrency", concurrency, in: 1...Int.max) }
    if let rate { check.add(rate.problems(named: "rate.")) }
    check.check("memory", memory, in: 0...mostMemory)
    if let deadline { check.checkNotNegative("deadline", deadline) }
    if let expectedService { check.checkNotNegative("expectedService", expectedService) }
    check.checkWeight(weight)
    try check.throwFound()
  }
}

extension RetryPolicy {
  /// The maximum of ``limit``.
  public static let mostRetries = 65_534

  /// Checks that every setting is in range.
  ///
  /// - Throws: every value that is out of range, with its allowed range.
  public func validate() throws(InvalidValues) {
    let found = problems(named: "")
    if !found.isEmpty { throw InvalidValues(found) }
  }

  package func problems(named prefix: String) -> [InvalidValue] {
    var check = ValueCheck(prefix)
    check.check("limit", limit, in: 0...Self.mostRetries)
    switch backoff.rule {
    case .none: break
    case .fixed(let time): check.checkNotNegative("backoff", time)
    case .linear(let base): check.checkNotNegative("backoff.base", base)
    case .exponential(let base, let factor):
      check.checkNotNegative("backoff.base", base)
      check.require(factor > 0 && factor.isFinite, "backoff.factor", "\(factor)", "a finite number above 0")
    case .polynomial(let base, let power):
      check.checkNotNegative("backoff.base", base)
      check.check("backoff.power", power, in: 0...20)
    }
    check.checkNotNegative("cap", longestWait)
    if let crashLimit { check.check("crashLimit", crashLimit, in: 1...254) }
    return check.found
  }
}

extension RateLimit {
  func problems(named prefix: String) -> [InvalidValue] {
    var check = ValueCheck(prefix)
    check.require(
      rate.perSecond > 0 && rate.perSecond.isFinite, "rate.perSecond", "\(rate.perSecond)", "a finite number above 0")
    check.check("burst", burst, in: 1...Int.max)
    return check.found
  }
}

extension PoolConfiguration {
  /// The maximum number of workers in a pool, including replacements of stuck ones.
  public static let mostWorkers = 65_534

  func problems(named prefix: String, spares: Int) -> [InvalidValue] {
    var check = ValueCheck(prefix)
    // A pool without workers has none to replace.
    let replacing = workers > 0 ? min(max(0, spares), Self.mostWorkers) : 0
    check.require(
      (0...Self.mostWorkers - replacing).contains(workers), "workers", grouped(workers),
      "0 to \(grouped(Self.mostWorkers))\(replacing > 0 ? ", with the replacementLimit of \(grouped(spares))" : "")")
    if let concurrency { check.check("concurrency", concurrency, in: 1...Int.max) }
    if let rate { check.add(rate.problems(named: "rate.")) }
    if let adaptive { check.add(adaptive.problems) }
    if let autoscaling { check.add(autoscaling.problems) }
    if let codel {
      check.checkPositive("codel.target", codel.target)
      check.checkPositive("codel.interval", codel.interval)
    }
    return check.found
  }
}

extension AdaptiveConcurrency {
  var problems: [InvalidValue] {
    var check = ValueCheck("adaptive.")
    switch rule {
    case .aimd(let target, let backoff):
      check.checkPositive("rule.target", target)
      check.require((0.5..<1).contains(backoff), "rule.backoff", "\(backoff)", "0.5 up to below 1")
    case .gradient(let tolerance):
      check.require(tolerance >= 1 && tolerance.isFinite, "rule.tolerance", "\(tolerance)", "a finite number from 1")
    }
    check.check("initial", initial, in: 1...Int.max)
    check.check("least", least, in: 1...Int.max)
    return check.found
  }
}

extension Autoscaling {
  var problems: [InvalidValue] {
    var check = ValueCheck("autoscaling.")
    check.check("least", least, in: 1...Int.max)
    check.checkPositive("queueAge", queueAge)
    check.checkPositive("interval", Nanoseconds(interval))
    check.checkNotNegative("cooldown", cooldown)
    check.check("step", step, in: 1...PoolConfiguration.mostWorkers)
    return check.found
  }
}

extension TenantSettings {
  func problems(named prefix: String) -> [InvalidValue] {
    var check = ValueCheck(prefix)
    if let concurrency { check.check("concurrency", concurrency, in: 1...Int.max) }
    if let rate { check.add(rate.problems(named: "rate.")) }
    check.checkWeight(weight)
    return check.found
  }
}

extension DispatchPolicy {
  var problems: [InvalidValue] {
    var check = ValueCheck("policy.")
    switch self {
    case .fifo, .priority, .deadline, .shortest, .fair: break
    case .aging(let boost): check.checkNotNegative("boost", boost)
    case .slopeAging(let slopes):
      for priority in Priority.allCases {
        let slope = slopes[priority]
        check.require(
          slope >= 0 && slope.isFinite, "slopes.\(priority.name)", "\(slope)", "a finite number, 0 or more")
      }
    }
    return check.found
  }
}

extension ScheduleDescription {
  /// Checks that every setting is in range.
  ///
  /// - Throws: every value that is out of range, with its allowed range.
  public func validate() throws(InvalidValues) {
    var check = ValueCheck()
    if case .every(let interval, _) = recurrence { check.checkPositive("interval", Nanoseconds(interval)) }
    switch missed {
    case .skip(let grace): check.checkNotNegative("missed.grace", grace)
    case .once: break
    case .all(let limit): check.check("missed.limit", limit, in: 1...1_000)
    }
    try check.throwFound()
  }
}

extension ValueCheck {
  fileprivate mutating func checkWeight(_ weight: Double) {
    require((0.001...1_000).contains(weight), "weight", "\(weight)", "0.001 to 1,000")
  }
}

/// The most bytes that a job may reserve: 4 TiB less 1 KiB, since reservations are kept in KiB.
package let mostMemory = Int(UInt32.max) * 1024
/// The longest name of a job type, a schedule or a key, in bytes of UTF-8.
package let mostNameLength = 1_000
