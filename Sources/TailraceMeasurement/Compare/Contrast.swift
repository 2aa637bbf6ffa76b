import Foundation

/// One metric of one candidate compared with the baseline, paired by round. Uses logarithms of ratios, so that twice as
/// slow and twice as fast are equally far from no change.
package struct Contrast: Sendable, Hashable, Codable {
  package var scenario: String
  /// The candidate's index; the baseline is 0.
  package var candidate: Int
  /// The metric expression.
  package var metric: String
  package var unit: FigureUnit
  package var lessIsBetter: Bool
  /// The baseline's geometric mean over the rounds, in ``unit``; nil: a round has no value.
  package var baseline: Double?
  /// The candidate's geometric mean over the rounds.
  package var value: Double?
  /// log(candidate ÷ baseline) of each round; empty: see ``note``.
  package var logRatios: [Double]
  /// Mean of ``logRatios``.
  package var estimate: Double?
  /// The ends of the confidence interval; nil: too few rounds.
  package var low: Double?
  package var high: Double?
  /// The level of the interval, above the requested confidence if several looks share the error.
  package var level: Double
  /// The p-value of the exact signed-rank test.
  package var rankPValue: Double
  /// The maximum of the p-values of the bootstrap, Student's t and the signed-rank test, corrected for all metrics of
  /// the comparison (Holm).
  package var adjustedPValue: Double
  /// The verdict without the correction.
  package var uncorrected: ComparisonVerdict
  package var verdict: ComparisonVerdict
  /// The smallest change (as a logarithm) that this many rounds with this variance detect in four of five comparisons;
  /// nil: none.
  package var detectable: Double?
  /// A note for the reader; empty: none.
  package var note: String
  /// Why the verdict is unclear; nil: it is not, or a result of an earlier version.
  package var reason: String?

  /// Converts a logarithm of a ratio to a relative change: 0.05 is 5 % more.
  package static func change(_ logRatio: Double) -> Double { expm1(logRatio) }

  /// The note and the reason; empty: none.
  package var why: String { [note, reason ?? ""].filter { !$0.isEmpty }.joined(separator: "; ") }
  /// The relative change; nil: unknown.
  package var change: Double? { estimate.map(Self.change) }
  /// The interval of ``change``; nil: unknown.
  package var interval: (low: Double, high: Double)? {
    guard let low, let high else { return nil }
    return (Self.change(low), Self.change(high))
  }
}

/// The values of a metric by round, of the baseline and of a candidate.
struct PairedValues {
  var metric: Metric
  var scenario: String
  var candidate: Int
  /// nil: a run has no value.
  var pairs: [(baseline: Double?, candidate: Double?)]
  /// Why a value is missing; empty: none is.
  var reason: String

  /// The pairs as log ratios, or why there are none.
  var logRatios: (ratios: [Double], note: String) {
    var ratios: [Double] = []
    for (index, pair) in pairs.enumerated() {
      guard let a = pair.baseline, let b = pair.candidate else {
        return ([], "no value in round \(index + 1)\(reason.isEmpty ? "" : ": \(reason)")")
      }
      if a == b {
        ratios.append(0)
      } else if a > 0, b > 0 {
        ratios.append(log(b / a))
      } else {
        return ([], "zero in round \(index + 1): there is no ratio")
      }
    }
    return (ratios, "")
  }
}

extension Contrast {
  /// Compares several metrics together.
  /// - Parameters:
  ///   - share: the share of the error that this look may spend, 0…1 (``LookPlan/share(after:isLast:)``).
  ///   - decides: whether verdicts count; p-values are then as fine as the number of metrics requires.
  ///   - seed: the seed of the resampling.
  static func contrasts(
    of all: [PairedValues], rules: ComparisonRules, share: Double, decides: Bool = true, seed: UInt64
  ) -> [Contrast] {
    let level = 1 - (1 - rules.confidence) * share
    let delta = log1p(rules.indifference)
    var pValues: [Double] = []
    var contrasts = all.enumerated().map { index, values in
      let (ratios, note) = values.logRatios
      var contrast = Contrast(
        scenario: values.scenario, candidate: values.candidate, metric: values.metric.name, unit: values.metric.unit,
        lessIsBetter: values.metric.lessIsBetter ?? true, baseline: nil, value: nil, logRatios: ratios, estimate: nil,
        low: nil, high: nil, level: level, rankPValue: 1, adjustedPValue: 1, uncorrected: .unclear, verdict: .unclear,
        detectable: nil, note: note)
      guard !ratios.isEmpty else {
        pValues.append(1)
        return contrast
      }
      contrast.baseline = geometricMean(values.pairs.compactMap(\.baseline))
      contrast.value = geometricMean(values.pairs.compactMap(\.candidate))
      let mean = MeanInterval(ratios, seed: seed &+ UInt64(index))
      contrast.estimate = mean.mean
      let interval = mean.interval(level: level)
      if interval.low.isFinite, interval.high.isFinite {
        contrast.low = interval.low
        contrast.high = interval.high
      }
      contrast.rankPValue = SignedRank.pValue(ratios)
      let alpha = rules.falseAlarm * share / Double(all.count)
      // A few resamples may be as extreme by chance.
      let p = mean.pValue(resolution: decides ? alpha / 4 : 1)
      pValues.append(max(p, contrast.rankPValue))
      if SignedRank.leastPValue(count: ratios.count) <= alpha {
        contrast.detectable = Student.detectableEffect(error: mean.error, count: ratios.count, alpha: alpha)
      }
      return contrast
    }
    for (index, adjusted) in Holm.adjusted(pValues).enumerated() {
      contrasts[index].adjustedPValue = adjusted
      contrasts[index].decide(
        delta: delta, isClearAlone: pValues[index] <= (1 - rules.confidence) * share,
        isClear: adjusted <= rules.falseAlarm * share)
      guard contrasts[index].verdict == .unclear else { continue }
      contrasts[index].reason = contrasts[index].reason(
        alone: pValues[index], allowed: rules.falseAlarm * share, metrics: all.count, rules: rules)
    }
    return contrasts
  }

  private mutating func decide(delta: Double, isClearAlone: Bool, isClear: Bool) {
    guard let low, let high, let estimate else { return }
    if low >= -delta, high <= delta {
      (uncorrected, verdict) = (.same, .same)
      return
    }
    let direction: ComparisonVerdict = (estimate < 0) == lessIsBetter ? .better : .worse
    // The rank test has no interval; both must exclude no change.
    if isClearAlone, low > 0 || high < 0 { uncorrected = direction }
    if isClear, uncorrected == direction { verdict = direction }
  }

  /// Why there is no verdict, in words next to the interval.
  private func reason(alone p: Double, allowed: Double, metrics: Int, rules: ComparisonRules) -> String? {
    guard note.isEmpty else { return nil }
    guard let low, let high else { return "one round has no interval" }
    if detectable == nil {
      return "too few rounds: \(rules.roundsNeeded(metrics: metrics)) are needed for \(metrics) "
        + (metrics == 1 ? "metric" : "metrics")
    }
    guard low > 0 || high < 0 else { return "the interval includes no change" }
    let limit = "at most \(Self.digits(allowed)) counts"
    if p <= allowed {
      return "the correction for \(metrics) metrics: p is \(Self.digits(p)) alone, \(Self.digits(adjustedPValue)) "
        + "corrected; \(limit)"
    }
    return p <= rankPValue
      ? "the rank test is not significant: p is \(Self.digits(p)); \(limit)" : "p is \(Self.digits(p)); \(limit)"
  }

  /// Two significant digits.
  static func digits(_ p: Double) -> String {
    guard p > 0, p < 1 else { return "\(Int(p.rounded()))" }
    let places = min(9, Int((-log10(p)).rounded(.up)) + 1)
    let scale = (0..<places).reduce(1.0) { value, _ in value * 10 }
    let whole = "\(Int((p * scale).rounded()))"
    return "0." + String(repeating: "0", count: max(0, places - whole.count)) + whole
  }

  private static func geometricMean(_ values: [Double]) -> Double {
    if values.contains(where: { $0 <= 0 }) { return values.reduce(0, +) / Double(max(1, values.count)) }
    return exp(values.reduce(0) { $0 + log($1) } / Double(max(1, values.count)))
  }
}
