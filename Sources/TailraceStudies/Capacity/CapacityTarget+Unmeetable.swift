import TailraceCore
import TailraceMeasurement
import TailraceReplay

extension CapacityTarget {
  /// Why a target is missed at every rate; nil: it is met or unclear at some rate, or unknown at the lowest.
  ///
  /// - Parameter rates: The tried rates, in ascending order.
  func unmeetable(at rates: [CapacityRate]) -> CapacityUnmeetable? {
    let tried = rates.map { rate in (rate: rate, point: point(rate.runs.map { $0.targets[place(in: rate)] })) }
    // With few jobs a percentile is unknown, which does not mean that the target is met.
    let judged = tried.filter { $0.point.verdict != .unclear }
    guard let lowest = judged.first, judged.allSatisfy({ $0.point.verdict == .missed }) else { return nil }
    if let intrinsic = intrinsicReason(rates) { return CapacityUnmeetable(target: text, reason: intrinsic) }
    // Unclear verdicts between others may be met.
    guard tried.allSatisfy({ $0.point.verdict == .missed || $0.rate.rate < lowest.rate.rate }) else { return nil }
    return CapacityUnmeetable(target: text, reason: loadReason(lowest.rate, lowest.point, judged.map(\.point)))
  }

  /// The index of this target in a rate's results.
  private func place(in rate: CapacityRate) -> Int { rate.targets.firstIndex { $0.text == text } ?? 0 }

  /// The explanation by service time, which does not depend on the load.
  private func intrinsicReason(_ rates: [CapacityRate]) -> String? {
    guard case .quantity(let quantity, let statistic) = expression.metric.subject,
      quantity == .service || quantity == .response || quantity == .responseUncorrected
    else { return nil }
    switch expression.comparison {
    case .below, .atMost: break
    case .above, .atLeast, .equal: return nil
    }
    let services = rates.flatMap { rate in rate.runs.compactMap { $0.targets[place(in: rate)].service } }
    guard let all = Distribution.merged(services), let (value, isSure) = figure(statistic, of: all, in: services),
      isSure
    else { return nil }
    let words = "its \(statistic.name) is \(Self.words(value, .time))"
    return quantity == .service
      ? "the service time does not depend on the arrival rate: \(words)"
      : "the service time alone is above the limit: \(words)"
  }

  /// A statistic of service times over all runs, and whether it exceeds the limit significantly.
  private func figure(
    _ statistic: Statistic, of all: Distribution, in services: [Distribution]
  ) -> (value: Double, isSure: Bool)? {
    let limit = expression.limit.value
    switch statistic {
    case .percentile(let p):
      guard let value = all.percentile(p) else { return nil }
      let (share, half) = Self.share(services.map { ($0.share(above: limit), Double($0.total)) })
      return (Double(value.rawValue), half.map { share - $0 > 1 - p / 100 } ?? false)
    case .mean:
      let (mean, half) = Self.share(services.map { (Double($0.mean.rawValue), Double($0.total)) })
      return (mean, half.map { mean - $0 > limit } ?? false)
    case .max: return (Double(all.max.rawValue), Double(all.max.rawValue) > limit)
    case .count, .min, .stddev: return nil
    }
  }

  /// The explanation by the lowest rate at which the target was judged.
  private func loadReason(_ rate: CapacityRate, _ point: CapacityTargetPoint, _ all: [CapacityTargetPoint]) -> String {
    let unit = point.unit
    switch expression.comparison {
    case .above, .atLeast:
      let most = all.compactMap(\.observed?.value).max().map { Self.words($0, unit) } ?? "nothing"
      return "the highest value at any rate is \(most)"
    case .below, .atMost, .equal:
      let seen = point.observed.map { Self.words($0.value, unit) } ?? "not measured"
      let busiest = PoolID.allCases.compactMap { rate.utilization(of: $0.name) }.max() ?? 0
      return "it is \(seen) even at \(Self.words(rate.rate, .rate)), where workers are busy "
        + "\(Self.words(busiest, .ratio)) of the time"
    }
  }

  private static func words(_ value: Double, _ unit: FigureUnit) -> String {
    switch unit {
    case .time: Nanoseconds(Int64(value)).rounded.words
    case .rate: "\(Nanoseconds.short(value))/s"
    case .ratio: "\(Nanoseconds.short((value * 1_000).rounded() / 10)) %"
    case .count, .bytes, .factor: Nanoseconds.short(value)
    }
  }
}

extension Nanoseconds {
  /// Rounds to three digits.
  fileprivate var rounded: Nanoseconds {
    var unit: Int64 = 1
    while rawValue.magnitude / UInt64(unit) >= 1_000 { unit *= 10 }
    return Nanoseconds((rawValue + unit / 2) / unit * unit)
  }
}
