import TailraceCore
import TailraceMeasurement
import TailraceWorkload

extension Scenario {
  /// Its scheduler and load in words, for the report.
  package var describedSettings: [Setting] {
    let s = scheduler
    var settings = [
      Setting("workers", s.threadWorkers.map { "\(s.workers) async, \($0) thread" } ?? "\(s.workers)"),
      Setting("policy", s.policy.words), Setting("queue", "\(s.queueCapacity) jobs, when full: \(s.whenFull.rawValue)"),
      Setting("retries", s.retry.words), Setting("timeout", s.timeout.map(\.words) ?? "none"),
    ]
    if let limit = s.concurrency { settings.append(Setting("concurrency", "\(limit) at once in a pool")) }
    if let rate = s.rate { settings.append(Setting("rate", "\(rate.rate.words), burst \(rate.burst), in a pool")) }
    if let budget = s.memoryBudget { settings.append(Setting("memory budget", "\(budget >> 20) MiB")) }
    settings += describedControls
    if let capacity = backendCapacity { settings.append(Setting("backend", "\(capacity) at once at full speed")) }
    for (index, stream) in streams.enumerated() {
      settings.append(
        Setting(
          streams.count == 1 ? "load" : "load \(index + 1)", "\(stream.arrivals.words) of \(words(stream.mix))"))
    }
    for fault in faults { settings.append(Setting("fault", words(fault))) }
    if let duration { settings.append(Setting("duration", duration.words)) }
    if warmup > .zero { settings.append(Setting("warm-up", "\(warmup.words), replayed and not measured")) }
    return settings
  }

  /// Limits by tenant, and adaptive limits.
  private var describedControls: [Setting] {
    let s = scheduler
    var settings: [Setting] = []
    if s.tenants.each != TenantSettings() { settings.append(Setting("each tenant", s.tenants.each.words)) }
    for (name, tenant) in s.tenants.named.sorted(by: { $0.key < $1.key }) {
      settings.append(Setting("tenant \(name)", tenant.words))
    }
    if let adaptive = s.adaptive { settings.append(Setting("adaptive limit", adaptive.words)) }
    if let rule = s.autoscaling {
      settings.append(
        Setting(
          "autoscaling",
          "from \(rule.least) workers, \(rule.step) more where a job has waited \(rule.queueAge.words) (looked at every "
            + "\(rule.interval.words)), \(rule.step) fewer after \(rule.cooldown.words) without waiting"))
    }
    if let codel = s.codel {
      settings.append(Setting("codel", "target \(codel.target.words), interval \(codel.interval.words)"))
    }
    return settings
  }

  private func words(_ fault: Fault) -> String {
    let share = { (share: Double) in "\(Nanoseconds.short(share * 100)) %" }
    let kinds = fault.jobs.isEmpty ? "" : " of \(fault.jobs.map { jobs[$0].name }.joined(separator: ", "))"
    let what =
      switch fault.kind {
      case .fail(let part): "\(share(part)) of attempts\(kinds) fail"
      case .hang(let part): "\(share(part)) of attempts\(kinds) hang"
      case .lose(let part): "\(share(part)) of jobs\(kinds) are lost"
      case .double(let part): "\(share(part)) of jobs\(kinds) are submitted twice"
      case .crash(let workers, let pool, let restart):
        "\(workers) \(pool.map { $0.name + " " } ?? "")worker\(workers == 1 ? " crashes" : "s crash")"
          + " (back after \(restart.words))"
      case .stall(let length): "stall of \(length.words)"
      case .stepClock(let step):
        step > .zero ? "clock forward by \(step.words)" : "clock back by \((.zero - step).words)"
      }
    func window(_ from: Nanoseconds, _ until: Nanoseconds?) -> String {
      (from > .zero ? ", from \(from.words)" : "") + (until.map { ", until \($0.words)" } ?? "")
    }
    switch fault.timing {
    case .window(let from, let until): return what + window(from, until)
    case .at(let instants): return what + " at " + instants.map(\.words).joined(separator: ", ")
    case .every(let gap, let from, let until): return "\(what) every \(gap.words) on average\(window(from, until))"
    }
  }

  private func words(_ mix: Mix) -> String {
    func names(_ types: [Int]) -> String {
      var counts: [(type: Int, count: Int)] = []
      for type in types {
        if let place = counts.firstIndex(where: { $0.type == type }) {
          counts[place].count += 1
        } else {
          counts.append((type, 1))
        }
      }
      return counts.map { $0.count == 1 ? jobs[$0.type].name : "\($0.count) × \(jobs[$0.type].name)" }
        .joined(separator: ", ")
    }
    switch mix {
    case .sequence(let types): return names(types)
    case .weighted(let types): return types.map { jobs[$0.type].name }.joined(separator: ", ")
    case .graph(let graph): return "graph \(graph.name) (\(graph.nodes.count) jobs)"
    }
  }
}

extension Nanoseconds {
  /// With the largest unit in which it is not below 1: `1.5 s`.
  package var words: String {
    for (unit, size) in [("h", 3.6e12), ("min", 6e10), ("s", 1e9), ("ms", 1e6), ("µs", 1e3)]
    where Double(rawValue) >= size {
      return "\(Self.short(Double(rawValue) / size)) \(unit)"
    }
    return "\(rawValue) ns"
  }

  /// Three decimals at most; a number that they cannot show stands in full.
  package static func short(_ value: Double) -> String {
    let rounded = (value * 1_000).rounded() / 1_000
    guard rounded.magnitude < 1e15, rounded != 0 || value == 0 else { return "\(value)" }
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }
}

extension ServiceTime {
  var words: String {
    switch self {
    case .constant(let value): value.words
    case .exponential(let mean): "exponential, mean \(mean.words)"
    case .lognormal(let median, let p99): "lognormal, median \(median.words), p99 \(p99.words)"
    case .uniform(let low, let high): "\(low.words) to \(high.words)"
    case .pareto(let low, let alpha, _): "Pareto from \(low.words), shape \(Nanoseconds.short(alpha))"
    case .bimodal(let fast, let slow, _): "\(fast.words) or \(slow.words)"
    case .empirical(let file, let values): file.isEmpty ? "one of \(values.count) values" : "as in \(file)"
    }
  }
}

extension Rate {
  package var words: String { "\(Nanoseconds.short(perSecond))/s" }
}

extension Duration {
  fileprivate var words: String { Nanoseconds(self).words }
}

extension DispatchPolicy {
  var words: String {
    switch self {
    case .fifo: "fifo"
    case .priority: "priority"
    case .aging(let boost): "aging, boost \(boost.words) a priority"
    case .slopeAging(let slopes):
      "slope-aging, slopes "
        + Priority.allCases.map { "\($0.name) \(Nanoseconds.short(slopes[$0]))" }
        .joined(separator: ", ")
    case .deadline: "deadline"
    case .shortest: "shortest"
    case .fair(.jobType): "fair, by job type"
    case .fair(.tenant): "fair, by tenant"
    }
  }
}

extension TenantSettings {
  var words: String {
    let parts = [
      concurrency.map { "\($0) at once" }, rate.map { "\($0.rate.words), burst \($0.burst)" },
      weight == 1 ? nil : "weight \(Nanoseconds.short(weight))",
    ]
    return parts.compactMap { $0 }.joined(separator: ", ")
  }
}

extension AdaptiveConcurrency {
  var words: String {
    let rule =
      switch rule {
      case .aimd(let target, let backoff): "aimd, target \(target.words), × \(Nanoseconds.short(backoff)) beyond it"
      case .gradient(let tolerance): "gradient, tolerance \(Nanoseconds.short(tolerance))"
      }
    return "\(rule), from \(initial), at least \(least)"
  }
}

extension RetryPolicy {
  var words: String {
    guard limit > 0 else { return "none" }
    let pause =
      switch backoff.rule {
      case .none: "no backoff"
      case .fixed(let time): "fixed backoff \(time.words)"
      case .linear(let base): "linear backoff from \(base.words)"
      case .exponential(let base, let factor): "exponential backoff from \(base.words) × \(Nanoseconds.short(factor))"
      case .polynomial(let base, let power): "polynomial backoff from \(base.words), power \(power)"
      }
    let crashes = crashLimit.map { ", at most \($0) \($0 == 1 ? "crash" : "crashes")" } ?? ""
    return "\(limit), \(pause), \(jitter.rawValue) jitter, at most \(longestWait.words)\(crashes)"
  }
}

extension Arrivals {
  var words: String {
    switch self {
    case .constant(let rate): "constant \(rate.words)"
    case .poisson(let rate): "poisson \(rate.words)"
    case .bursty(let rate, let on, let off): "bursty \(rate.words), on \(on.words), off \(off.words)"
    case .stages(let stages):
      "stages " + stages.map { "to \($0.rate.words) in \($0.duration.words)" }.joined(separator: ", ")
    case .batch(let failFast): failFast ? "fail-fast batch" : "batch"
    case .closed(let clients, _): "\(clients) clients"
    case .trace(let trace): "trace \(trace.file)"
    case .recurring(let arrivals):
      switch arrivals.recurrence {
      case .every(let interval, _): "every \(interval.words) from \(arrivals.zero)"
      case .cron(let expression, let zone): "cron \(expression) in \(zone.name) from \(arrivals.zero)"
      }
    }
  }
}
