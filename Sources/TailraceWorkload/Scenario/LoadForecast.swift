import TailraceCore

/// An estimate of the size of a replay before it starts. It does not generate the tape.
///
/// Values are expectations for random arrivals, and upper bounds for closed clients.
package struct LoadForecast: Sendable, Hashable {
  /// Jobs of all streams.
  package var jobs: Double
  /// Attempts, including retries due to the declared failures.
  package var attempts: Double
  /// Other steps to compute, by kind: burst periods, fault occurrences, cycles, autoscaling checks. There may be many
  /// even with few jobs.
  package var events: [Event]
  /// Estimated maximum number of jobs waiting at once: arrivals in excess of capacity, up to the queue's capacity.
  package var waiting: Double
  /// The time from the first arrival to the last.
  package var arrivals: Nanoseconds?
  /// The total duration of attempts divided by the workers; nil: service times are not declared.
  package var work: Nanoseconds?

  /// A kind of step and its count.
  package struct Event: Sendable, Hashable {
    /// A plural noun.
    package var name: String
    package var count: Double
    /// How to reduce the count.
    package var advice: String
  }

  /// Attempts plus events: the steps of a replay in virtual time.
  package var steps: Double { events.reduce(attempts) { $0 + $1.count } }

  /// Maximum steps per replay; the same as the maximum of jobs.
  package static let mostSteps = mostJobs

  /// Maximum jobs per replay. In virtual time this many take hours, and in real time no generator submits them within a
  /// day.
  package static let mostJobs = 1e10

  /// Estimates the replay of a scenario that is already scaled.
  package init(_ scenario: Scenario) {
    jobs = 0
    attempts = 0
    events = []
    var perType = [Double](repeating: 0, count: scenario.jobs.count)
    var atOnce = 0.0
    for stream in scenario.streams {
      let (count, shares) = stream.forecast(within: scenario.duration, scenario)
      jobs += count
      for (type, share) in shares.enumerated() { perType[type] += count * share }
      if case .batch = stream.arrivals { atOnce += count }
    }
    var seconds = 0.0
    var isKnown = true
    for (job, count) in zip(scenario.jobs, perType) where count > 0 {
      let each = job.meanAttempts(scenario.scheduler.retry)
      attempts += count * each
      guard let service = job.service?.mean ?? job.simulatedService?.mean else {
        isKnown = isKnown && job.service == nil
        continue
      }
      seconds += count * each * service.seconds
    }
    let settings = scenario.scheduler
    let pools = Set(scenario.jobs.map(\.resolvedPool))
    let workers = pools.reduce(0) { sum, pool in
      sum + (pool == .thread ? settings.threadWorkers ?? settings.workers : settings.workers)
    }
    let busy = seconds / Double(max(1, workers))
    work = isKnown ? Nanoseconds(seconds: min(busy, 9e9)) : nil
    arrivals = scenario.duration ?? scenario.arrivalLength
    // Arrivals beyond capacity wait, as far as the queue has room.
    let length = arrivals?.seconds ?? 0
    let served = busy > 0 ? min(1, length / busy) : 1
    let left = max(atOnce, jobs * (1 - served))
    waiting = min(left, Double(settings.queueCapacity) + Double(workers))
    if settings.queueCapacity == 0 { waiting = min(left, Double(workers)) }
    events = Self.events(of: scenario, length: length, perType: perType, pools: pools.count)
  }

  private static func events(of scenario: Scenario, length: Double, perType: [Double], pools: Int) -> [Event] {
    var periods = 0.0
    for stream in scenario.streams {
      guard case .bursty(_, let on, let off) = stream.arrivals else { continue }
      let left = max(0, length - stream.start.seconds)
      // A stream also searches for its next arrival during idle periods.
      periods += min(stream.duration?.seconds ?? left, left) / max(1e-9, on.seconds + off.seconds)
    }
    let end = Nanoseconds(seconds: min(length + scenario.drain.seconds, 9e9))
    let strikes = scenario.faults.reduce(0) { $0 + $1.strikes(until: end) }
    var cycles = 0.0
    for (job, count) in zip(scenario.jobs, perType) {
      guard case .cycles(let limit, let needed, _, let failing) = job.work else { continue }
      let mean = Double(needed.lowerBound + needed.upperBound) / 2
      cycles += count * job.meanAttempts(scenario.scheduler.retry) * min(Double(limit), mean / max(1e-9, 1 - failing))
    }
    let interval = scenario.scheduler.autoscaling?.interval.inSeconds
    let looks = interval.map { end.seconds / max(1e-9, $0) * Double(pools) } ?? 0
    return [
      Event(name: "burst periods", count: periods, advice: "make on: and off: longer, or the duration shorter"),
      Event(name: "fault occurrences", count: strikes, advice: "make every: longer, or the duration shorter"),
      Event(name: "cycles of work", count: cycles, advice: "lower the rate, or shorten the duration"),
      Event(
        name: "autoscaling checks", count: looks,
        advice: "make scheduler.autoscaling.interval longer, or the duration shorter"),
    ].filter { $0.count >= 1 }
  }

  /// Why the replay is rejected as too large, and what to change; nil: it is not rejected. Memory is checked elsewhere.
  package var refusal: String? {
    if jobs > Self.mostJobs {
      return
        "the load has \(Self.short(jobs)) jobs; at most \(Self.short(Self.mostJobs)) are replayed: lower the rate, "
        + "shorten the duration, or give a count"
    }
    if steps > Self.mostSteps {
      let most = events.max { $0.count < $1.count }
      let isRetried = attempts >= (most?.count ?? 0)
      let what = isRetried ? "\(Self.short(attempts)) attempts" : "\(Self.short(most?.count ?? 0)) \(most?.name ?? "")"
      let advice = isRetried ? "lower the number of retries, or of jobs" : most?.advice ?? ""
      return "the load has \(what); at most \(Self.short(Self.mostSteps)) are computed: \(advice)"
    }
    return nil
  }

  /// A short form of a large number: `3.6e12`, `120 million`.
  package static func short(_ count: Double) -> String {
    for (factor, name) in [(1e12, "trillion"), (1e9, "billion"), (1e6, "million")] where count >= factor * 0.9995 {
      let scaled = count / factor
      guard scaled < 1_000 else { break }
      return "\(digits(scaled)) \(name)"
    }
    guard count < 1e6 else { return "\(digits(count / 1e12)) trillion" }
    return "\(Int(count.rounded()))"
  }

  package static func bytes(_ count: Double) -> String {
    for (factor, name) in [(1e12, "TB"), (1e9, "GB"), (1e6, "MB")] where count >= factor {
      return "\(digits(count / factor)) \(name)"
    }
    return "\(Int(count / 1e3)) kB"
  }

  private static func digits(_ value: Double) -> String {
    let rounded = value >= 100 ? value.rounded() : (value * 10).rounded() / 10
    return rounded == rounded.rounded() && rounded < 1e15 ? "\(Int(rounded))" : "\(rounded)"
  }
}

extension JobSpec {
  /// Mean attempts per job: each failed or hanging attempt is repeated while retries are left.
  fileprivate func meanAttempts(_ usual: RetryPolicy) -> Double {
    let limit = Double((retry ?? usual).limit)
    let failing = failures.attempts + failures.hangs
    // 1 + p + p² + …, with one term per possible attempt.
    let often = failing >= 1 ? limit + 1 : (1 - StableMath.pow(failing, limit + 1)) / (1 - failing)
    return failures.always * (limit + 1) + (1 - failures.always) * (failing > 0 ? often : 1)
  }
}

extension LoadStream {
  /// The number of jobs of a stream, and the share of each type.
  fileprivate func forecast(within end: Nanoseconds?, _ scenario: Scenario) -> (count: Double, shares: [Double]) {
    var shares = [Double](repeating: 0, count: scenario.jobs.count)
    var jobsEach = 1.0
    switch mix {
    case .sequence(let types): for type in types { shares[type] += 1 / Double(max(1, types.count)) }
    case .weighted(let types):
      let total = types.reduce(0) { $0 + $1.weight }
      for entry in types where total > 0 { shares[entry.type] += entry.weight / total }
    case .graph(let graph):
      jobsEach = Double(graph.nodes.count)
      for node in graph.nodes { shares[node.type] += 1 / max(1, jobsEach) }
    }
    let most = count.map { Double($0) } ?? .infinity
    switch arrivals {
    case .constant, .poisson, .bursty, .stages: break
    case .recurring(let recurring):
      guard case .cron = recurring.recurrence else { break }
      let length = duration ?? end.map { max(.zero, $0 - start) }
      let slots = recurring.slots(from: start.seconds, length: length?.seconds ?? .infinity)
      return (min(most, slots) * jobsEach, shares)
    case .batch:
      if case .sequence(let types) = mix { return (min(most, Double(types.count)), shares) }
      return ((count.map { Double($0) } ?? 1) * jobsEach, shares)
    case .trace(let trace):
      for type in trace.type where Int(type) < shares.count { shares[Int(type)] += 1 }
      return (Double(trace.count), shares.map { $0 / Double(max(1, trace.count)) })
    case .closed(let clients, let think):
      return (min(most, closedJobs(clients, think, shares, within: end, scenario)), shares)
    }
    return (expectedJobs(within: end ?? ownLength.map { start + $0 } ?? .zero), shares)
  }

  /// Jobs of closed clients: limited by think and service times and by the throughput of all workers.
  private func closedJobs(
    _ clients: Int, _ think: ServiceTime, _ shares: [Double], within end: Nanoseconds?, _ scenario: Scenario
  ) -> Double {
    guard let length = duration ?? end.map({ max(.zero, $0 - start) }) else { return .infinity }
    var service = 0.0
    for (job, share) in zip(scenario.jobs, shares) where share > 0 {
      // An undeclared service time counts as a millisecond: operations on a disk or a process take longer.
      service += share * ((job.service ?? job.simulatedService).map { $0.mean?.seconds ?? 0 } ?? 1e-3)
    }
    // At least a nanosecond per turn.
    let turn = max(1e-9, service + (think.mean?.seconds ?? 0))
    let workers = Double(scenario.scheduler.workers + (scenario.scheduler.threadWorkers ?? scenario.scheduler.workers))
    return length.seconds * min(Double(clients) / turn, workers / max(1e-9, service))
  }
}

extension RecurringArrivals {
  /// Slots that are counted; the count is extrapolated beyond.
  private static let slotsSeen = 2_000

  /// The approximate number of slots on the tape within a time span in seconds.
  fileprivate func slots(from start: Double, length: Double) -> Double {
    let first = zero + Nanoseconds(seconds: start / scale) - Nanoseconds(1)
    let last = first + Nanoseconds(seconds: min(9e9, length / scale))
    var (slot, count) = (first, 0)
    while count < Self.slotsSeen {
      guard let next = recurrence.next(after: slot), next <= last else { return Double(count) }
      (slot, count) = (next, count + 1)
    }
    guard length.isFinite else { return .infinity }
    return Double(count) * max(1, (last - first).seconds / max(1e-9, (slot - first).seconds))
  }
}
