import Foundation
import TailraceCore
import TailraceWorkload

/// Statistics that describe a trace.
package struct TraceDescription: Sendable, Codable, Equatable {
  /// Jobs of one type.
  package struct Class: Sendable, Codable, Equatable {
    package var name: String
    package var jobs: Int
    /// The share of all jobs.
    package var share: Double
    /// Service times in nanoseconds; nil: not in the trace.
    package var service: Quantiles?
    /// Service times in nanoseconds in ascending order, as means of groups of equal size, or all of them if there are
    /// few. Their mean is that of all jobs. Not included in the JSON.
    package var steps: [Double] = []

    private enum CodingKeys: String, CodingKey { case name, jobs, share, service }
  }

  package struct Quantiles: Sendable, Codable, Equatable {
    package var meanNs, minNs, p50Ns, p90Ns, p99Ns, maxNs: Double
    /// Standard deviation ÷ mean.
    package var variation: Double
  }

  /// The index of dispersion: variance ÷ mean of arrival counts per window; 1 for a Poisson process.
  package struct Dispersion: Sendable, Codable, Equatable {
    package var windowNs: Double
    /// The number of complete windows in the trace.
    package var windows: Int
    /// nil: fewer than two windows.
    package var index: Double?
  }

  package struct Tenant: Sendable, Codable, Equatable {
    package var name: String
    package var jobs: Int
  }

  package var file: String
  package var rows: Int
  package var kept: Int
  package var leftOut: [String: Int]
  /// The time from the first submission to the last.
  package var spanNs: Double
  /// Kept jobs per second of the span.
  package var arrivalRatePerS: Double
  /// Standard deviation ÷ mean of the times between arrivals; 1 for a Poisson process.
  package var interarrivalVariation: Double
  /// Dispersion per second, minute and hour.
  package var dispersion: [Dispersion]
  package var service: Quantiles?
  /// Arrival rate × mean service time, in erlangs; nil: no service times.
  package var offeredLoad: Double?
  /// Sorted by number of jobs, descending.
  package var classes: [Class]
  /// The number of tenants, and those with the most jobs.
  package var tenants: Int
  package var largestTenants: [Tenant]
  /// The start of the hour with the most arrivals (sliding by minutes), from the first submission, and their number.
  package var busiestHourStartNs: Double
  package var busiestHourJobs: Int

  package init(_ trace: Trace) {
    file = trace.file
    rows = trace.rows
    kept = trace.count
    leftOut = Dictionary(uniqueKeysWithValues: trace.leftOut.map { ($0.reason, $0.count) })
    spanNs = Double(trace.span.rawValue)
    arrivalRatePerS = spanNs > 0 ? Double(trace.count - 1) / (spanNs / 1e9) : 0
    let gaps = zip(trace.submitted, trace.submitted.dropFirst()).map { Double(($1 - $0).rawValue) }
    interarrivalVariation = Self.moments(gaps).variation
    dispersion = [1e9, 60e9, 3_600e9].map { Self.dispersion(trace, window: $0) }
    service = Self.quantiles(trace.service.map { Double($0.rawValue) })
    let rate = arrivalRatePerS
    offeredLoad = service.map { rate * $0.meanNs / 1e9 }
    classes = trace.types.indices.map { type in
      let members = trace.type.indices.filter { trace.type[$0] == UInt16(type) }
      let times = trace.service.isEmpty ? [] : members.map { Double(trace.service[$0].rawValue) }
      return Class(
        name: trace.types[type], jobs: members.count, share: Double(members.count) / Double(max(1, trace.count)),
        service: Self.quantiles(times), steps: Self.steps(times, max(20, min(250, 20_000 / trace.types.count))))
    }.filter { $0.jobs > 0 }.sorted { ($1.jobs, $0.name) < ($0.jobs, $1.name) }
    var byTenant: [UInt32: Int] = [:]
    for tenant in trace.tenant { byTenant[tenant, default: 0] += 1 }
    tenants = byTenant.count
    largestTenants = byTenant.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5).map {
      Tenant(name: trace.tenants[Int($0.key)], jobs: $0.value)
    }
    (busiestHourStartNs, busiestHourJobs) = Self.busiestHour(trace)
  }

  private static func moments(_ values: [Double]) -> (mean: Double, variation: Double) {
    guard !values.isEmpty else { return (0, 0) }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return (mean, mean > 0 ? variance.squareRoot() / mean : 0)
  }

  private static func quantiles(_ values: [Double]) -> Quantiles? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    // Nearest rank.
    func quantile(_ p: Double) -> Double { sorted[max(0, Int((p * Double(sorted.count)).rounded(.up)) - 1)] }
    let (mean, variation) = moments(values)
    return Quantiles(
      meanNs: mean, minNs: sorted[0], p50Ns: quantile(0.5), p90Ns: quantile(0.9), p99Ns: quantile(0.99),
      maxNs: sorted[sorted.count - 1], variation: variation)
  }

  /// Means of `count` groups of equal size of the sorted values; the values themselves if there are no more.
  static func steps(_ values: [Double], _ count: Int) -> [Double] {
    let sorted = values.sorted()
    guard sorted.count > count else { return sorted }
    let width = Double(sorted.count) / Double(count)
    return (0..<count).map { step in
      let (low, high) = (Double(step) * width, Double(step + 1) * width)
      var sum = 0.0
      for index in Int(low)...min(sorted.count - 1, Int(high)) {
        // A value between two groups counts in each proportionally.
        sum += sorted[index] * max(0, min(high, Double(index + 1)) - max(low, Double(index)))
      }
      return sum / width
    }
  }

  private static func dispersion(_ trace: Trace, window: Double) -> Dispersion {
    let windows = Int(Double(trace.span.rawValue) / window)
    var result = Dispersion(windowNs: window, windows: windows, index: nil)
    guard windows >= 2 else { return result }
    // Windows without arrivals count but are not stored: a log of years has a hundred million seconds.
    var (sum, squares) = (0.0, 0.0)
    var (current, count) = (0, 0.0)
    for instant in trace.submitted {
      let place = Int(Double(instant.rawValue) / window)
      if place != current {
        if current < windows { (sum, squares) = (sum + count, squares + count * count) }
        (current, count) = (place, 0)
      }
      count += 1
    }
    if current < windows { (sum, squares) = (sum + count, squares + count * count) }
    let mean = sum / Double(windows)
    result.index = mean > 0 ? (squares / Double(windows) - mean * mean) / mean : nil
    return result
  }

  private static func busiestHour(_ trace: Trace) -> (Double, Int) {
    var best = (start: 0.0, jobs: 0)
    var (first, last) = (0, 0)
    let minute = Int64(60_000_000_000)
    var start: Int64 = 0
    while first < trace.count {
      // An hour that starts before the first remaining arrival is never better than one that starts in its minute.
      start = max(start, trace.submitted[first].rawValue / minute * minute)
      while first < trace.count, trace.submitted[first].rawValue < start { first += 1 }
      last = max(last, first)
      while last < trace.count, trace.submitted[last].rawValue < start + 60 * minute { last += 1 }
      if last - first > best.jobs { best = (Double(start), last - first) }
      start += minute
      while first < trace.count, trace.submitted[first].rawValue < start { first += 1 }
    }
    return best
  }
}
