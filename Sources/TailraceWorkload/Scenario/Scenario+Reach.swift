import TailraceCore

/// Checks that the times of a scenario fit into the range of instants.
///
/// No declared time exceeds ``TailraceCore/Nanoseconds/longest``, the last arrival comes no later than that after the
/// start, and neither does the sum of all clock steps. So every instant of a run is before
/// ``TailraceCore/Instant/horizon``, and sums of instants and durations do not overflow.
extension Scenario {
  /// Descriptions of the times out of range, with the section of the file that declares each; empty: none.
  package var timesOutOfReach: [(section: String, words: String)] {
    var found: [(section: String, words: String)] = []
    for (number, stream) in streams.enumerated() {
      let length = min(stream.reach, duration.map(\.seconds) ?? .infinity)
      guard length > Nanoseconds.longest.seconds, length.isFinite else { continue }
      let name = streams.count == 1 ? "load" : "load.\(number)"
      found.append(
        (
          "load",
          "\(name): its last arrival comes \(Self.years(length)) after the start; at most 100 years are replayed: "
            + "raise the rate, lower the count, or give a duration"
        ))
    }
    for (number, fault) in faults.enumerated() {
      guard let share = fault.shareOfTime, share >= 1 else { continue }
      found.append(
        (
          "faults",
          "faults.\(number): it takes as long as there is between two of its strikes, so time would never go on; make "
            + "every: longer, or what it does shorter"
        ))
    }
    let steps = clockSteps
    if steps > Nanoseconds.longest.seconds {
      found.append(
        (
          "faults",
          "faults: the steps of the clock add up to \(Self.years(steps)); at most 100 years are allowed: take shorter "
            + "or fewer steps"
        ))
    }
    return found
  }

  /// The longest duration in it, including those of a trace's jobs.
  package var longestTime: Nanoseconds {
    var longest = Nanoseconds.zero
    Self.visit(self) { longest = max(longest, $0) }
    return longest
  }

  /// The expected sum of the absolute values of all clock steps, in seconds.
  private var clockSteps: Double {
    let end = (duration ?? arrivalLength ?? .zero) + drain
    return faults.reduce(0) { sum, fault in
      guard case .stepClock(let step) = fault.kind else { return sum }
      // Each step brings other steps nearer, or repeats earlier ones.
      return sum + abs(step.seconds) * fault.strikes(until: end) / max(1e-3, 1 - (fault.shareOfTime ?? 0))
    }
  }

  private static func years(_ seconds: Double) -> String {
    let years = seconds / (Nanoseconds.longest.seconds / 100)
    return years < 1e6 ? "\(Int(years.rounded(.up))) years" : "\(LoadForecast.short(years)) years"
  }

  /// Calls `body` for each duration within a value.
  private static func visit(_ value: Any, _ body: (Nanoseconds) -> Void) {
    switch value {
    case let time as Nanoseconds: body(time)
    case let times as [Nanoseconds]: if let most = times.max() { body(most) }
    case let trace as Trace:
      body(trace.span)
      if let most = trace.service.max() { body(most) }
    // These contain no durations and may be long.
    case is JobGraph, is TenantMix, is Mix, is String, is Int, is Double, is TimeZoneOffsets, is UnixTime: break
    default: for child in Mirror(reflecting: value).children { visit(child.value, body) }
    }
  }
}

extension Fault {
  /// The time it takes or skips as a share of the time between occurrences; nil: it takes none, or occurs at given
  /// instants.
  fileprivate var shareOfTime: Double? {
    guard case .every(let gap, _, _) = timing else { return nil }
    let gaps = max(gap.seconds, 1e-6)
    switch kind {
    case .stall(let length): return (length.mean?.seconds ?? .infinity) / gaps
    case .stepClock(let step): return abs(step.seconds) / gaps
    case .fail, .hang, .lose, .double, .crash: return nil
    }
  }

  /// How often it occurs until `end`; 0 if it does not occur at instants.
  func strikes(until end: Nanoseconds) -> Double {
    switch timing {
    case .window: 0
    case .at(let instants): Double(instants.count)
    case .every(let gap, let from, let until):
      // At most one per microsecond.
      max(0, min(until ?? end, end).seconds - from.seconds) / max(gap.seconds, 1e-6)
    }
  }
}

extension LoadStream {
  /// Seconds from the run's start to the stream's last arrival, if the stream determines it; infinite: it continues for
  /// the scenario's duration.
  fileprivate var reach: Double {
    switch arrivals {
    case .batch: return start.seconds
    case .trace(let trace): return trace.span.seconds
    case .closed: return duration.map { start.seconds + $0.seconds } ?? .infinity
    case .stages(let stages):
      let length = stages.reduce(0) { $0 + $1.duration.seconds }
      return start.seconds + min(length, duration?.seconds ?? .infinity)
    case .constant, .poisson, .bursty, .recurring:
      var length = duration?.seconds ?? .infinity
      if let count, let steadyRate { length = min(length, Double(count) / steadyRate) }
      return start.seconds + length
    }
  }
}
