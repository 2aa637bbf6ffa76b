import TailraceCore

/// What a replay of a scenario comes to, before it starts: bounds that need no tape.
///
/// Numbers are expectations where arrivals are drawn, and upper bounds where clients wait for their jobs.
package struct LoadForecast: Sendable, Hashable {
  /// Jobs of all streams.
  package var jobs: Double
  /// With the retries that the declared failures bring.
  package var attempts: Double
  /// What must be computed beside the attempts, by what it is: periods of bursts, strikes of faults, cycles, looks at
  /// the queue. Their number may be large where there are few jobs.
  package var events: [Event]
  /// Jobs that wait at once at most, as far as it can be known: what comes faster than it is served, up to the queue's
  /// capacity.
  package var waiting: Double
  /// From the first arrival to the last.
  package var arrivals: Nanoseconds?
  /// What the attempts take together, divided by the workers; nil: service times are not declared.
  package var work: Nanoseconds?

  /// Something that must be computed, and how often.
  package struct Event: Sendable, Hashable {
    /// In the plural.
    package var name: String
    package var count: Double
    /// What to change so that there are fewer.
    package var advice: String
  }

  /// Attempts and events: what a replay in virtual time has to compute.
  package var steps: Double { events.reduce(attempts) { $0 + $1.count } }

  /// More steps than this in one replay are refused, as that many jobs are.
  package static let mostSteps = mostJobs

  /// More jobs than this in one replay are refused: in virtual time they take hours, and in real time no generator
  /// submits them within a day.
  package static let mostJobs = 1e10

  /// Looks at a scenario, already scaled.
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
    // What is not served while jobs arrive waits, as far as the queue takes it.
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
      // A stream looks for its next arrival also where none comes any more.
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
    let looks = scenario.scheduler.autoscaling.map { end.seconds / max(1e-9, $0.interval.seconds) * Double(pools) } ?? 0
    return [
      Event(name: "periods of bursts", count: periods, advice: "make on: and off: longer, or the duration shorter"),
      Event(name: "strikes of faults", count: strikes, advice: "make every: longer, or the duration shorter"),
      Event(name: "cycles of work", count: cycles, advice: "lower the rate, or shorten the duration"),
      Event(
        name: "looks at the queue", count: looks,
        advice: "make scheduler.autoscale.interval longer, or the duration shorter"),
    ].filter { $0.count >= 1 }
  }

  /// Why nobody would want this replay, and what to change; nil: it may be one that somebody wants. Whether its jobs
  /// find room in memory is another question.
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
      return "the load comes to \(what); at most \(Self.short(Self.mostSteps)) are computed: \(advice)"
    }
    return nil
  }

  /// `3.6e12`, `120 million`: a number that is large.
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
  /// How many attempts a job has on average: each that fails or hangs is repeated while retries are left.
  fileprivate func meanAttempts(_ usual: RetryPolicy) -> Double {
    let limit = Double((retry ?? usual).limit)
    let failing = failures.attempts + failures.hangs
    // 1 + p + p² + …, as often as there are retries.
    let often = failing >= 1 ? limit + 1 : (1 - StableMath.pow(failing, limit + 1)) / (1 - failing)
    return failures.always * (limit + 1) + (1 - failures.always) * (failing > 0 ? often : 1)
  }
}

extension LoadStream {
  /// How many jobs a stream brings, and the share of each type.
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

  /// Clients submit as fast as they think and are served, and no faster than all workers serve.
  private func closedJobs(
    _ clients: Int, _ think: ServiceTime, _ shares: [Double], within end: Nanoseconds?, _ scenario: Scenario
  ) -> Double {
    guard let length = duration ?? end.map({ max(.zero, $0 - start) }) else { return .infinity }
    var service = 0.0
    for (job, share) in zip(scenario.jobs, shares) where share > 0 {
      // What is not declared is taken as a millisecond: an operation on a disk or a process takes longer.
      service += share * ((job.service ?? job.simulatedService).map { $0.mean?.seconds ?? 0 } ?? 1e-3)
    }
    // Nothing turns around in less than a nanosecond.
    let turn = max(1e-9, service + (think.mean?.seconds ?? 0))
    let workers = Double(scenario.scheduler.workers + (scenario.scheduler.threadWorkers ?? scenario.scheduler.workers))
    return length.seconds * min(Double(clients) / turn, workers / max(1e-9, service))
  }
}

extension RecurringArrivals {
  /// Slots that are looked at; more are taken to come as often.
  private static let slotsSeen = 2_000

  /// About how many slots there are on the tape within a length of time, in seconds.
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
