import TailraceCore

/// Why a scenario's arrival rate cannot be chosen.
package enum ArrivalRateProblem: Error, Hashable, CustomStringConvertible {
  /// No stream has a rate: what the streams are instead, in words.
  case noRate(scenario: String, arrivals: [String])
  /// Nothing says how long arrivals go on.
  case noLength(scenario: String)

  package var description: String {
    switch self {
    case .noRate(let scenario, let arrivals):
      "scenario '\(scenario)' has no arrival rate that could be raised or lowered: its load is "
        + "\(arrivals.joined(separator: " and ")); give it an open stream, such as 'load: {poisson: 50/s, of: JOB}' "
        + "('tailrace trace FILE --fit' makes one from a log)"
    case .noLength(let scenario):
      "scenario '\(scenario)' does not say how long arrivals go on; add --duration, such as --duration 30s"
    }
  }
}

extension Scenario {
  /// Mean arrivals of jobs per second, of all streams whose rate can be scaled together: constant, Poisson, bursty,
  /// stages, and fixed intervals. The mean is taken over ``arrivalLength``, so a stream that is active for half of it
  /// counts half. Zero: there is no such stream.
  package var arrivalRate: Double {
    guard let length = arrivalLength, length > .zero else { return 0 }
    return streams.reduce(0) { $0 + $1.expectedJobs(within: length) } / length.seconds
  }

  /// How long arrivals go on: the declared duration, else until the last stream with a rate has ended; nil: one of them
  /// has no end.
  package var arrivalLength: Nanoseconds? {
    if let duration { return duration }
    var end = Nanoseconds.zero
    for stream in streams where stream.hasRate {
      guard let length = stream.ownLength else { return nil }
      end = max(end, stream.start + length)
    }
    return end
  }

  /// For each job type how many jobs of it come with one job of the scaled streams, so that they add up to 1.
  package var arrivalShares: [Double] {
    var shares = [Double](repeating: 0, count: jobs.count)
    guard let length = arrivalLength else { return shares }
    for stream in streams where stream.hasRate {
      let arrivals = stream.expectedArrivals(within: length)
      switch stream.mix {
      case .sequence(let types): for type in types { shares[type] += arrivals / Double(max(1, types.count)) }
      case .weighted(let types):
        let total = types.reduce(0) { $0 + $1.weight }
        for entry in types where total > 0 { shares[entry.type] += arrivals * entry.weight / total }
      case .graph(let graph): for node in graph.nodes { shares[node.type] += arrivals }
      }
    }
    let total = shares.reduce(0, +)
    return total > 0 ? shares.map { $0 / total } : shares
  }

  /// Streams that stay as they are when the rate is scaled, in words.
  package var streamsWithoutRate: [String] { streams.filter { !$0.hasRate }.map(\.arrivals.kind) }

  /// Whether the rate is the same, on average, all through: then a queue that is longer in a run's second half than in
  /// its first grows. A ramp, or a stream that begins late or ends early, makes it longer or shorter by design.
  package var hasSteadyRate: Bool {
    guard let length = arrivalLength else { return false }
    return streams.allSatisfy { stream in
      guard stream.hasRate else {
        // Clients and recurrences go on; what comes at once is over before the second half.
        if case .closed = stream.arrivals { return true }
        return false
      }
      if case .stages = stream.arrivals { return false }
      return stream.start <= warmup && (stream.ownLength.map { stream.start + $0 >= length } ?? true)
    }
  }

  /// The scenario with the rates of all its open streams multiplied by one factor, so that they add up to
  /// `jobsPerSecond`: mix and shape stay. A stream that is limited by a number of arrivals gets as many more, so that
  /// it goes on as long. Batches, clients, traces and cron expressions stay as they are.
  ///
  /// - Parameter jobsPerSecond: above zero, finite.
  /// - Throws: ``ArrivalRateProblem`` where there is nothing to scale.
  package func withArrivalRate(_ jobsPerSecond: Double) throws(ArrivalRateProblem) -> Scenario {
    precondition(jobsPerSecond > 0 && jobsPerSecond.isFinite, "an arrival rate of \(jobsPerSecond)/s")
    guard streams.contains(where: \.hasRate) else {
      throw .noRate(scenario: name, arrivals: streams.map(\.arrivals.kind))
    }
    guard arrivalLength != nil else { throw .noLength(scenario: name) }
    let own = arrivalRate
    guard own > 0 else { throw .noRate(scenario: name, arrivals: ["over before it begins"]) }
    var scaled = self
    scaled.streams = streams.map { $0.withRate(times: jobsPerSecond / own) }
    return scaled
  }
}

extension Arrivals {
  /// The kind as scenario files call it, with its article.
  fileprivate var kind: String {
    switch self {
    case .constant: "a constant rate"
    case .poisson: "a Poisson stream"
    case .bursty: "a bursty stream"
    case .stages: "a ramp in stages"
    case .batch: "a batch"
    case .trace: "a trace"
    case .recurring(let arrivals):
      switch arrivals.recurrence {
      case .every: "a fixed interval"
      case .cron: "a cron expression"
      }
    case .closed: "closed clients, which wait for their jobs"
    }
  }
}

extension LoadStream {
  /// Whether its arrivals have a rate of their own.
  fileprivate var hasRate: Bool {
    switch arrivals {
    case .constant, .poisson, .bursty, .stages: true
    case .recurring(let arrivals): if case .every = arrivals.recurrence { true } else { false }
    case .batch, .trace, .closed: false
    }
  }

  /// Mean arrivals per second while it is active; nil: they change, or there is no rate.
  var steadyRate: Double? {
    switch arrivals {
    case .constant(let rate), .poisson(let rate): rate.perSecond
    case .bursty(let rate, let on, let off):
      rate.perSecond * Double(on.rawValue) / Double(max(1, on.rawValue + off.rawValue))
    case .recurring(let arrivals):
      if case .every(let interval, _) = arrivals.recurrence {
        1 / (interval.seconds * arrivals.scale)
      } else {
        nil
      }
    case .stages, .batch, .trace, .closed: nil
    }
  }

  /// From its start to its last arrival, where it says so itself.
  var ownLength: Nanoseconds? {
    var lengths = [duration].compactMap { $0 }
    if let count, let rate = steadyRate { lengths.append(Nanoseconds(seconds: Double(count) / rate)) }
    if case .stages(let stages) = arrivals { lengths.append(stages.reduce(.zero) { $0 + $1.duration }) }
    return lengths.min()
  }

  /// Expected arrivals before `end`, counted from the run's start.
  fileprivate func expectedArrivals(within end: Nanoseconds) -> Double {
    guard hasRate, start < end else { return 0 }
    let span = duration.map { min($0, end - start) } ?? end - start
    let expected: Double
    if case .stages(let stages) = arrivals {
      expected = Self.expected(stages, within: span.seconds)
    } else {
      expected = (steadyRate ?? 0) * span.seconds
    }
    return min(expected, count.map { Double($0) } ?? .infinity)
  }

  /// Expected jobs before `end`: a graph brings all of its own at once.
  func expectedJobs(within end: Nanoseconds) -> Double {
    let arrivals = expectedArrivals(within: end)
    if case .graph(let graph) = mix { return arrivals * Double(graph.nodes.count) }
    return arrivals
  }

  /// The integral of a rate that moves linearly through each stage.
  private static func expected(_ stages: [Stage], within span: Double) -> Double {
    var (sum, left, rate) = (0.0, span, 0.0)
    for stage in stages where left > 0 {
      let length = stage.duration.seconds
      let part = min(left, length)
      let reached = length > 0 ? rate + (stage.rate.perSecond - rate) * part / length : stage.rate.perSecond
      sum += (rate + reached) / 2 * part
      left -= part
      rate = stage.rate.perSecond
    }
    return sum
  }

  fileprivate func withRate(times factor: Double) -> LoadStream {
    guard hasRate else { return self }
    func scaled(_ rate: Rate) -> Rate { Rate(perSecond: rate.perSecond * factor) }
    var stream = self
    stream.count = count.map { max(1, Int((Double($0) * factor).rounded())) }
    switch arrivals {
    case .constant(let rate): stream.arrivals = .constant(scaled(rate))
    case .poisson(let rate): stream.arrivals = .poisson(scaled(rate))
    case .bursty(let rate, let on, let off): stream.arrivals = .bursty(rate: scaled(rate), on: on, off: off)
    case .stages(let stages):
      stream.arrivals = .stages(stages.map { Stage(rate: scaled($0.rate), duration: $0.duration) })
    case .recurring(var arrivals):
      if case .every(let interval, let anchor) = arrivals.recurrence {
        let nanoseconds = max(1, (Double(interval.rawValue) / factor).rounded())
        arrivals.recurrence = .every(Nanoseconds(Int64(nanoseconds)), anchor: anchor)
        stream.arrivals = .recurring(arrivals)
      }
    case .batch, .trace, .closed: break
    }
    return stream
  }
}
