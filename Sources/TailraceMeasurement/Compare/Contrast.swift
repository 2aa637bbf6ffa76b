import Foundation

/// One metric of one candidate compared with the baseline: paired by round, as logarithms of the ratio, so that twice
/// as slow and twice as fast are equally far from no change.
package struct Contrast: Sendable, Hashable, Codable {
  package var scenario: String
  /// Its place among the candidates; the baseline is 0.
  package var candidate: Int
  /// The metric expression.
  package var metric: String
  package var unit: FigureUnit
  package var lessIsBetter: Bool
  /// The baseline's value: the geometric mean over the rounds, in ``unit``; nil: not every round has one.
  package var baseline: Double?
  /// The candidate's.
  package var value: Double?
  /// log(candidate ÷ baseline) of each round; empty: there is none, and ``note`` says why.
  package var logRatios: [Double]
  /// Mean of ``logRatios``.
  package var estimate: Double?
  /// The ends of its interval; nil: too few rounds.
  package var low: Double?
  package var high: Double?
  /// Of the interval: above the confidence asked for where several looks share the error.
  package var level: Double
  /// Of the exact signed-rank test.
  package var rankPValue: Double
  /// The greatest of the bootstrap's, Student's and the signed rank's, corrected for all metrics of the comparison
  /// (Holm).
  package var adjustedPValue: Double
  /// What it would be if it were the only metric.
  package var uncorrected: ComparisonVerdict
  package var verdict: ComparisonVerdict
  /// The least relative change, as a logarithm, that so many rounds of this spread would have called in four of five
  /// comparisons; nil: none.
  package var detectable: Double?
  /// What a reader must know; empty: nothing.
  package var note: String
  /// Why it is unclear, in words; nil: it is not, or the result is of a version that did not say.
  package var reason: String?

  /// A logarithm of a ratio as a relative change: 0.05 is 5 % more.
  package static func change(_ logRatio: Double) -> Double { expm1(logRatio) }

  /// What a reader must know, and why it is unclear; empty: nothing.
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
  /// Nil: a run had no value.
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
  ///
  /// - Parameters:
  ///   - share: of the error that this look may spend, 0…1 (``LookPlan/share(after:isLast:)``).
  ///   - decides: whether verdicts count: then p-values are as fine as so many metrics need.
  ///   - seed: of the resampling.
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
      // A few resamples may go as far by chance.
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
    // The rank test has no interval: both must leave no change out.
    if isClearAlone, low > 0 || high < 0 { uncorrected = direction }
    if isClear, uncorrected == direction { verdict = direction }
  }

  /// Why nothing was called, in words that stand beside the interval.
  private func reason(alone p: Double, allowed: Double, metrics: Int, rules: ComparisonRules) -> String? {
    guard note.isEmpty else { return nil }
    guard let low, let high else { return "one round has no interval" }
    if detectable == nil {
      return "too few rounds: \(rules.roundsNeeded(metrics: metrics)) are needed for \(metrics) "
        + (metrics == 1 ? "metric" : "metrics")
    }
    guard low > 0 || high < 0 else { return "no change is within the interval" }
    let limit = "at most \(Self.digits(allowed)) counts"
    if p <= allowed {
      return "the correction for \(metrics) metrics: p is \(Self.digits(p)) alone, \(Self.digits(adjustedPValue)) "
        + "corrected; \(limit)"
    }
    return p <= rankPValue
      ? "the rank test sees too little: p is \(Self.digits(p)); \(limit)" : "p is \(Self.digits(p)); \(limit)"
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
