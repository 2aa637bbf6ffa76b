import Foundation
import TailraceWorkload

/// A distribution of service times with a class's mean and, as closely as possible, its tail.
package enum ServiceFit: Sendable, Equatable {
  case constant(Double)
  case exponential(mean: Double)
  case uniform(min: Double, max: Double)
  case lognormal(median: Double, p99: Double)
  /// Equally likely values.
  case empirical([Double])

  /// The largest allowed difference between a named distribution and the log at p50, p90 and p99.
  private static let tolerance = log(1.1)
  /// The 99th percentile of the standard normal distribution, with the precision of scenarios.
  private static let quantile99 = 2.3263478740408408

  /// - Parameter steps: Times in nanoseconds in ascending order, or means of groups of equal size.
  package init(_ times: TraceDescription.Quantiles, steps: [Double]) {
    let mean = times.meanNs
    if times.maxNs - times.minNs <= mean * 1e-6 {
      self = .constant(mean)
      return
    }
    let spread = mean * times.variation * 3.0.squareRoot()
    var candidates: [ServiceFit] = [.exponential(mean: mean)]
    if spread < mean { candidates.append(.uniform(min: mean - spread, max: mean + spread)) }
    // exp(z·σ − σ²/2) is the 99th percentile ÷ the mean; it has a maximum, beyond which no lognormal reaches.
    let ratio = log(max(1, times.p99Ns / mean))
    if ratio > 0, ratio < Self.quantile99 * Self.quantile99 / 2 {
      let sigma = Self.quantile99 - (Self.quantile99 * Self.quantile99 - 2 * ratio).squareRoot()
      let median = mean * exp(-sigma * sigma / 2)
      candidates.append(.lognormal(median: median, p99: median * exp(Self.quantile99 * sigma)))
    }
    // Too few times to fit a distribution.
    let fitting = steps.count < 20 ? [] : candidates.map { ($0, $0.distance(to: times, steps)) }
    let best = fitting.filter { $0.1 <= Self.tolerance }.min { $0.1 < $1.1 }
    self = best?.0 ?? .empirical(steps)
  }

  /// A quantile in nanoseconds.
  package func quantile(_ p: Double) -> Double {
    switch self {
    case .constant(let value): value
    case .exponential(let mean): -mean * log(1 - p)
    case .uniform(let low, let high): low + p * (high - low)
    case .lognormal(let median, let p99):
      median * exp(log(p99 / median) / Self.quantile99 * ServiceTime.normalQuantile(p))
    case .empirical(let values): values[min(values.count - 1, Int(p * Double(values.count)))]
    }
  }

  /// The largest difference of a percentile, as a logarithm.
  private func distance(to times: TraceDescription.Quantiles, _ steps: [Double]) -> Double {
    var pairs = [(quantile(0.5), times.p50Ns), (quantile(0.9), times.p90Ns), (quantile(0.99), times.p99Ns)]
    for p in [0.25, 0.75] { pairs.append((quantile(p), steps[min(steps.count - 1, Int(p * Double(steps.count)))])) }
    return pairs.map { fit, log in fit > 0 && log > 0 ? abs(Foundation.log(fit / log)) : .infinity }.max() ?? 0
  }

  /// The distribution in a scenario file's notation.
  package var text: String {
    switch self {
    case .constant(let value): Self.time(value)
    case .exponential(let mean): "\"exponential(mean: \(Self.time(mean)))\""
    case .uniform(let low, let high): "\"uniform(min: \(Self.time(low)), max: \(Self.time(high)))\""
    case .lognormal(let median, let p99): "\"lognormal(median: \(Self.time(median)), p99: \(Self.time(p99)))\""
    case .empirical(let values): "\"empirical(\(values.map(Self.time).joined(separator: ", ")))\""
    }
  }

  /// A duration with at least seven digits.
  static func time(_ nanoseconds: Double) -> String {
    let whole = Int64(max(1, nanoseconds.rounded()))
    let (unit, size): (String, Int64) = whole >= 1_000_000_000 ? ("s", 1_000_000_000) : ("ns", 1)
    guard size > 1 else { return "\(whole)ns" }
    // Nanoseconds are not significant in durations of hours.
    let step: Int64 = whole >= 100_000_000_000 ? 100_000 : 1
    let kept = (whole + step / 2) / step * step
    guard kept % size != 0 else { return "\(kept / size)\(unit)" }
    var fraction = String(String(size + kept % size).dropFirst())
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(kept / size).\(fraction)\(unit)"
  }
}
