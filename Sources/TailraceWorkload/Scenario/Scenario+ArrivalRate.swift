import TailraceCore

/// Why the arrival rate of a scenario cannot be changed.
package enum ArrivalRateProblem: Error, Hashable, CustomStringConvertible {
  /// No stream has a rate; describes the streams instead.
  case noRate(scenario: String, arrivals: [String])
  /// The scenario does not set how long arrivals last.
  case noLength(scenario: String)

  package var description: String {
    switch self {
    case .noRate(let scenario, let arrivals):
      "scenario '\(scenario)' has no arrival rate that could be raised or lowered: its load is "
        + "\(arrivals.joined(separator: " and ")); give it an open stream, such as 'load: {poisson: 50/s, of: JOB}' "
        + "('tailrace trace FILE --fit' makes one from a log)"
    case .noLength(let scenario):
      "scenario '\(scenario)' does not set a duration; add --duration, such as --duration 30s"
    }
  }
}

extension Scenario {
  /// Mean job arrivals per second over all streams whose rate can be scaled: constant, Poisson, bursty, stages, and
  /// fixed intervals. Averaged over ``arrivalLength``, so a stream that is active for half of it counts half. 0: there
  /// is no such stream.
  package var arrivalRate: Double {
    guard let length = arrivalLength, length > .zero else { return 0 }
    return streams.reduce(0) { $0 + $1.expectedJobs(within: length) } / length.seconds
  }

  /// How long arrivals last: the declared duration, otherwise until the last stream with a rate ends; nil: one of them
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

  /// For each job type, its share of the jobs of the scaled streams; the shares add up to 1.
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

  /// Descriptions of the streams that are not affected by scaling the rate.
  package var streamsWithoutRate: [String] { streams.filter { !$0.hasRate }.map(\.arrivals.kind) }

  /// Whether the mean rate is constant. If so, a queue that is longer in the second half of a run than in the first is
  /// growing; with ramps, or streams that begin late or end early, the length changes by design.
  package var hasSteadyRate: Bool {
    guard let length = arrivalLength else { return false }
    return streams.allSatisfy { stream in
      guard stream.hasRate else {
        // Clients and recurrences continue; batches are over before the second half.
        if case .closed = stream.arrivals { return true }
        return false
      }
      if case .stages = stream.arrivals { return false }
      return stream.start <= warmup && (stream.ownLength.map { stream.start + $0 >= length } ?? true)
    }
  }

  /// The scenario with the rates of all open streams multiplied by one factor, so that they add up to `jobsPerSecond`.
  /// Mix and shape do not change. A stream with a limited number of arrivals gets proportionally more, so its length
  /// does not change. Batches, clients, traces and cron expressions are not affected.
  ///
  /// - Parameter jobsPerSecond: above zero, finite.
  /// - Throws: ``ArrivalRateProblem`` if there is nothing to scale.
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
  /// The kind's name in scenario files, with its article.
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
  /// Whether its arrivals have a rate.
  fileprivate var hasRate: Bool {
    switch arrivals {
    case .constant, .poisson, .bursty, .stages: true
    case .recurring(let arrivals): if case .every = arrivals.recurrence { true } else { false }
    case .batch, .trace, .closed: false
    }
  }

  /// Mean arrivals per second while active; nil: the rate changes, or there is none.
  var steadyRate: Double? {
    switch arrivals {
    case .constant(let rate), .poisson(let rate): rate.perSecond
    case .bursty(let rate, let on, let off):
      rate.perSecond * Double(on.rawValue) / Double(max(1, on.rawValue + off.rawValue))
    case .recurring(let arrivals):
      if case .every(let interval, _) = arrivals.recurrence {
        1 / (Nanoseconds(interval).seconds * arrivals.scale)
      } else {
        nil
      }
    case .stages, .batch, .trace, .closed: nil
    }
  }

  /// From its start to its last arrival, if the stream determines it.
  var ownLength: Nanoseconds? {
    var lengths = [duration].compactMap { $0 }
    if let count, let rate = steadyRate { lengths.append(Nanoseconds(seconds: Double(count) / rate)) }
    if case .stages(let stages) = arrivals { lengths.append(stages.reduce(.zero) { $0 + $1.duration }) }
    return lengths.min()
  }

  /// Expected arrivals before `end`, measured from the run's start.
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

  /// Expected jobs before `end`: each arrival of a graph brings all its jobs.
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
        let nanoseconds = max(1, (Double(Nanoseconds(interval).rawValue) / factor).rounded())
        arrivals.recurrence = .every(.nanoseconds(Int64(nanoseconds)), anchor: anchor)
        stream.arrivals = .recurring(arrivals)
      }
    case .batch, .trace, .closed: break
    }
    return stream
  }
}
