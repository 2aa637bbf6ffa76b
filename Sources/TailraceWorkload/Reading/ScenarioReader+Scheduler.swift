import TailraceCore
import TailraceSpelling

extension ScenarioReader {
  static let schedulerKeys = [
    "workers", "thread_workers", "policy", "queue", "retries", "timeout", "concurrency", "rate", "memory_budget",
    "tenants", "adaptive", "autoscaling", "codel",
  ]

  /// Parses `scheduler:`. Missing keys have the scheduler's defaults. With a trace there are no retries, no timeout,
  /// and room for every job, so that only what the log contains happens to a job.
  mutating func readScheduler(_ node: YAMLNode?, forTrace: Bool) -> SchedulerSettings {
    let defaults = SchedulerConfiguration()
    var settings = SchedulerSettings(
      workers: defaults.asyncPool.workers, threadWorkers: nil, policy: defaults.policy,
      queueCapacity: defaults.queueCapacity, whenFull: defaults.whenFull, retry: defaults.retry,
      timeout: defaults.timeout.map { Nanoseconds($0) }, concurrency: nil, rate: nil, memoryBudget: nil)
    if forTrace { (settings.queueCapacity, settings.retry, settings.timeout) = (100_000_000, .never, nil) }
    guard let node, var fields = fields(node, "scheduler", keys: Self.schedulerKeys) else { return settings }
    for key in [
      "thread_workers", "concurrency", "rate", "memory_budget", "tenants", "adaptive", "autoscaling", "codel",
    ] {
      fields[key] = unlessNone(fields[key])
    }
    if let workers = count(fields["workers"], "scheduler.workers", in: 1...65_534) { settings.workers = workers }
    settings.threadWorkers = count(fields["thread_workers"], "scheduler.thread_workers", in: 1...65_534)
    if let policy = fields["policy"], let read = readPolicy(policy) { settings.policy = read }
    if let queue = fields["queue"] { readQueue(queue, &settings) }
    if let retries = fields["retries"], let read = readRetries(retries, "scheduler.retries") { settings.retry = read }
    if let timeout = fields["timeout"] {
      if unlessNone(timeout) == nil {
        settings.timeout = nil
      } else if let read = timeLimit(timeout, "scheduler.timeout") {
        settings.timeout = read
      }
    }
    settings.concurrency = count(fields["concurrency"], "scheduler.concurrency", in: 1...65_534)
    if let rate = fields["rate"] { settings.rate = readRateLimit(rate, "scheduler.rate") }
    settings.memoryBudget = bytes(fields["memory_budget"], "scheduler.memory_budget")
    if let tenants = fields["tenants"] { settings.tenants = readTenants(tenants) }
    settings.adaptive = fields["adaptive"].flatMap { readAdaptive($0) }
    settings.autoscaling = fields["autoscaling"].flatMap { readAutoscaling($0) }
    settings.codel = fields["codel"].flatMap { readCoDel($0) }
    return settings
  }

  /// A timeout: a duration above zero.
  mutating func timeLimit(_ node: YAMLNode?, _ what: String) -> Nanoseconds? {
    quantity(node, what) { text throws(QuantityProblem) in
      let allowed = "write a duration above zero, or none for no limit"
      if ["0", "never", "infinite", "off", "unlimited", "-1"].contains(text) {
        throw QuantityProblem("'\(text)' is not a timeout", allowed: allowed)
      }
      let value = try QuantityText.duration(text)
      if value <= .zero { throw QuantityProblem("'\(text)' is zero", allowed: allowed) }
      return value
    }
  }

  private mutating func readPolicy(_ node: YAMLNode) -> DispatchPolicy? {
    let aging = DispatchPolicy.aging(boost: .milliseconds(500))
    guard case .mapping = node.content else {
      let words: [(String, DispatchPolicy)] = [
        ("fifo", .fifo), ("priority", .priority), ("aging", aging), ("slope-aging", .slopeAging(PrioritySlopes())),
        ("deadline", .deadline), ("shortest", .shortest), ("fair", .fair(by: .jobType)),
      ]
      return word(node, "scheduler.policy", words)
    }
    guard let fields = fields(node, "scheduler.policy", keys: ["aging", "slope-aging", "fair"]) else { return nil }
    switch (fields["aging"], fields["slope-aging"], fields["fair"]) {
    case (nil, nil, let options?):
      guard let options = self.fields(options, "scheduler.policy.fair", keys: ["by"]) else { return nil }
      guard let owner = options["by"] else { return .fair(by: .jobType) }
      if case .scalar("tag") = owner.content {
        noteFormerName(owner.place, "tag", now: ShareOwner.tenant.rawValue)
        return .fair(by: .tenant)
      }
      let owners = ShareOwner.allCases.map { ($0.rawValue, $0) }
      return word(owner, "scheduler.policy.fair.by", owners).map { .fair(by: $0) }
    case (let options?, nil, nil):
      guard let options = self.fields(options, "scheduler.policy.aging", keys: ["boost"]) else { return nil }
      guard let boost = options["boost"] else { return aging }
      return span(boost, "scheduler.policy.aging.boost").map { .aging(boost: $0.duration) }
    case (nil, let slopes?, nil): return readSlopes(slopes).map { .slopeAging($0) }
    case (nil, nil, nil): return nil
    default:
      report(node.place, "scheduler.policy names several policies; name one")
      return nil
    }
  }

  private mutating func readSlopes(_ node: YAMLNode) -> PrioritySlopes? {
    let what = "scheduler.policy.slope-aging"
    guard let fields = fields(node, what, keys: Self.priorities.map(\.0)) else { return nil }
    var slopes = PrioritySlopes()
    for (name, priority) in Self.priorities {
      let slope = quantity(fields[name], "\(what).\(name)") { text throws(QuantityProblem) in
        try QuantityText.number(text, in: 0...1_000_000)
      }
      if let slope { slopes[priority] = slope }
    }
    return slopes
  }

  private mutating func readQueue(_ node: YAMLNode, _ settings: inout SchedulerSettings) {
    guard let fields = fields(node, "scheduler.queue", keys: ["capacity", "when_full"]) else { return }
    if let capacity = count(fields["capacity"], "scheduler.queue.capacity", in: 0...100_000_000) {
      settings.queueCapacity = capacity
    }
    let choices = OverflowPolicy.allCases.map { ($0.rawValue, $0) }
    if let whenFull = word(fields["when_full"], "scheduler.queue.when_full", choices) { settings.whenFull = whenFull }
  }

  /// Parses a retry policy: a bare count, or a mapping.
  mutating func readRetries(_ node: YAMLNode, _ what: String) -> RetryPolicy? {
    let limits = 0...65_534
    if unlessNone(node) == nil { return .never }
    if case .scalar = node.content { return count(node, what, in: limits).map { RetryPolicy(limit: $0) } }
    let keys = ["limit", "backoff", "base", "factor", "power", "jitter", "cap", "crash_limit"]
    guard let fields = fields(node, what, keys: keys) else { return nil }
    if fields["limit"] == nil { report(node.place, "\(what) has no limit; add limit: with a number of retries") }
    let base = duration(fields["base"], "\(what).base") ?? .milliseconds(100)
    let factor =
      quantity(fields["factor"], "\(what).factor") { text throws(QuantityProblem) in
        try QuantityText.number(text, in: 1...1_000)
      } ?? 2
    let kinds: [(String, Backoff)] = [
      ("none", .none), ("fixed", Backoff(.fixed(base))), ("linear", Backoff(.linear(base: base))),
      ("exponential", Backoff(.exponential(base: base, factor: factor))),
      ("polynomial", Backoff(.polynomial(base: base, power: count(fields["power"], "\(what).power", in: 1...20) ?? 2))),
    ]
    let jitters = Jitter.allCases.map { ($0.rawValue, $0) }
    let policy = RetryPolicy(
      limit: count(fields["limit"], "\(what).limit", in: limits) ?? 3,
      backoff: word(fields["backoff"], "\(what).backoff", kinds) ?? Backoff(.exponential(base: base, factor: factor)),
      jitter: word(fields["jitter"], "\(what).jitter", jitters) ?? .full,
      cap: span(fields["cap"], "\(what).cap")?.duration,
      crashLimit: count(fields["crash_limit"], "\(what).crash_limit", in: 1...254))
    if let cap = fields["cap"], policy.longestWait < policy.backoff.wait(beforeRetry: 1) {
      report(cap.place, "\(what): cap is below the wait before the first retry; raise cap or lower base")
    }
    return policy
  }

  /// Parses a rate limit: a bare rate, or a rate with a burst.
  mutating func readRateLimit(_ node: YAMLNode, _ what: String) -> RateLimit? {
    if case .scalar = node.content { return rate(node, what).map { RateLimit(rate: $0) } }
    guard let fields = fields(node, what, keys: ["rate", "burst"]) else { return nil }
    if fields["rate"] == nil { report(node.place, "\(what) has no rate; add rate: such as 5/s") }
    let burst = count(fields["burst"], "\(what).burst", in: 1...1_000_000) ?? 1
    return rate(fields["rate"], "\(what).rate").map { RateLimit(rate: $0, burst: burst) }
  }
}
