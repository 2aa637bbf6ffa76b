import TailraceCore

extension Scenario {
  /// Whether a time scale applies: only if at least one job declares its service time. Real work cannot be scaled, so a
  /// scenario with real work only runs at its own speed.
  package var isScalable: Bool { hasDeclaredTime }

  /// The scenario with every declared duration multiplied by `factor` and every rate divided by it, so that the offered
  /// load does not change. Targets and published figures stay as written. A scenario that is not ``isScalable`` is
  /// returned unchanged.
  ///
  /// - Parameter factor: Above zero; below one makes the run shorter.
  package func scaled(by factor: Double) -> Scenario {
    precondition(factor > 0 && factor.isFinite, "a time scale is a finite number above zero, not \(factor)")
    guard isScalable, factor != 1 else { return self }
    var scaled = self
    scaled.jobs = jobs.map { $0.scaled(by: factor) }
    scaled.streams = streams.map { $0.scaled(by: factor) }
    scaled.scheduler = scheduler.scaled(by: factor)
    scaled.faults = faults.map { $0.scaled(by: factor) }
    scaled.duration = duration?.scaled(by: factor)
    scaled.warmup = warmup.scaled(by: factor)
    // A longer wait makes no difference.
    scaled.drain = min(drain.scaled(by: factor), .longest)
    return scaled
  }
}

extension JobSpec {
  func scaled(by factor: Double) -> JobSpec {
    var job = self
    job.service = service?.scaled(by: factor)
    job.timeout = timeout?.scaled(by: factor)
    job.deadline = deadline?.scaled(by: factor)
    if case .told(let time) = expectedService { job.expectedService = .told(time.scaled(by: factor)) }
    job.retry = retry?.scaled(by: factor)
    job.rate = rate?.scaled(by: factor)
    job.delay = delay?.scaled(by: factor)
    if case .cycles(let limit, let needed, let pause, let failedShare) = work {
      job.work = .cycles(limit: limit, needed: needed, pause: pause.scaled(by: factor), failedShare: failedShare)
    }
    job.cancel = cancel.map { Cancellation(share: $0.share, after: $0.after.scaled(by: factor)) }
    job.stall = stall.map { Stall(at: $0.at.scaled(by: factor), length: $0.length.scaled(by: factor)) }
    return job
  }
}

extension LoadStream {
  func scaled(by factor: Double) -> LoadStream {
    var stream = self
    stream.start = start.scaled(by: factor)
    stream.duration = duration?.scaled(by: factor)
    switch arrivals {
    case .constant(let rate): stream.arrivals = .constant(rate.scaled(by: factor))
    case .poisson(let rate): stream.arrivals = .poisson(rate.scaled(by: factor))
    case .bursty(let rate, let on, let off):
      stream.arrivals = .bursty(
        rate: rate.scaled(by: factor), on: on.scaled(by: factor), off: off.scaled(by: factor))
    case .stages(let stages):
      stream.arrivals = .stages(
        stages.map { Stage(rate: $0.rate.scaled(by: factor), duration: $0.duration.scaled(by: factor)) })
    case .batch: break
    case .trace(let trace): stream.arrivals = .trace(trace.scaled(by: factor))
    case .recurring(var arrivals):
      // The wall clock itself is scaled, so slots keep their time of day.
      arrivals.scale *= factor
      stream.arrivals = .recurring(arrivals)
    case .closed(let clients, let think):
      stream.arrivals = .closed(clients: clients, think: think.scaled(by: factor))
    }
    return stream
  }
}

extension SchedulerSettings {
  func scaled(by factor: Double) -> SchedulerSettings {
    var settings = self
    if case .aging(let boost) = policy { settings.policy = .aging(boost: boost.scaled(by: factor)) }
    settings.retry = retry.scaled(by: factor)
    settings.timeout = timeout?.scaled(by: factor)
    settings.rate = rate?.scaled(by: factor)
    settings.tenants.each.rate = tenants.each.rate?.scaled(by: factor)
    for name in tenants.named.keys {
      settings.tenants.named[name]!.rate = tenants.named[name]!.rate?.scaled(by: factor)
    }
    if case .aimd(let target, let backoff)? = adaptive?.rule {
      settings.adaptive!.rule = .aimd(target: target.scaled(by: factor), backoff: backoff)
    }
    if let scaling = autoscaling {
      settings.autoscaling!.queueAge = scaling.queueAge.scaled(by: factor)
      settings.autoscaling!.interval = scaling.interval.scaled(by: factor)
      settings.autoscaling!.cooldown = scaling.cooldown.scaled(by: factor)
    }
    settings.codel = codel.map {
      CoDelConfiguration(target: $0.target.scaled(by: factor), interval: $0.interval.scaled(by: factor))
    }
    return settings
  }
}

extension RetryPolicy {
  func scaled(by factor: Double) -> RetryPolicy {
    var policy = self
    policy.longestWait = longestWait.scaled(by: factor)
    let rule: Backoff.Rule =
      switch backoff.rule {
      case .none: .none
      case .fixed(let time): .fixed(time.scaled(by: factor))
      case .linear(let base): .linear(base: base.scaled(by: factor))
      case .exponential(let base, let growth): .exponential(base: base.scaled(by: factor), factor: growth)
      case .polynomial(let base, let power): .polynomial(base: base.scaled(by: factor), power: power)
      }
    policy.backoff = Backoff(rule)
    return policy
  }
}

extension RateLimit {
  func scaled(by factor: Double) -> RateLimit { RateLimit(rate: rate.scaled(by: factor), burst: burst) }
}

extension Rate {
  func scaled(by factor: Double) -> Rate { Rate(perSecond: perSecond / factor) }
}

extension ServiceTime {
  func scaled(by factor: Double) -> ServiceTime {
    switch self {
    case .constant(let value): .constant(value.scaled(by: factor))
    case .exponential(let mean): .exponential(mean: mean.scaled(by: factor))
    case .lognormal(let median, let p99):
      .lognormal(median: median.scaled(by: factor), p99: p99.scaled(by: factor))
    case .uniform(let low, let high): .uniform(min: low.scaled(by: factor), max: high.scaled(by: factor))
    case .pareto(let low, let alpha, let high):
      .pareto(min: low.scaled(by: factor), alpha: alpha, max: high?.scaled(by: factor))
    case .bimodal(let fast, let slow, let share):
      .bimodal(fast: fast.scaled(by: factor), slow: slow.scaled(by: factor), share: share)
    case .empirical(let file, let values):
      .empirical(file: file, values: values.map { $0.scaled(by: factor) })
    }
  }
}
