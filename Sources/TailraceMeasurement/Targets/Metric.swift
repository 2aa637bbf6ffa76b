import TailraceCore

/// A statistic of a set of samples.
package enum Statistic: Sendable, Hashable {
  case count, mean, min, max, stddev
  /// 0 < p < 100.
  case percentile(Double)

  /// The statistics other than percentiles.
  package static let plain: [Statistic] = [.count, .mean, .min, .max, .stddev]

  /// The name in targets and files: `mean`, `p50`, `p99.9`.
  package var name: String {
    switch self {
    case .count: "count"
    case .mean: "mean"
    case .min: "min"
    case .max: "max"
    case .stddev: "stddev"
    case .percentile(let p): p == p.rounded() ? "p\(Int(p))" : "p\(p)"
    }
  }

  /// The statistic with this name, or nil.
  package init?(name: some StringProtocol) {
    if let plain = Statistic.plain.first(where: { $0.name == name }) {
      self = plain
    } else if name.first == "p", name.dropFirst().allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
      let p = Double(name.dropFirst()), p > 0, p < 100
    {
      self = .percentile(p)
    } else {
      return nil
    }
  }
}

/// A metric of a run: `waiting{priority=high}.p99`, `throughput`, `success{type=data_export}`.
package struct Metric: Sendable, Hashable {
  /// The measured quantity or figure.
  package enum Subject: Sendable, Hashable {
    case quantity(Quantity, Statistic)
    case figure(FigureName)
  }
  package var subject: Subject
  package var key: ClassKey

  package init(_ subject: Subject, of key: ClassKey = .all) {
    self.subject = subject
    self.key = key
  }

  /// The unit of the metric.
  package var unit: FigureUnit {
    switch subject {
    case .quantity(_, .count): .count
    case .quantity: .time
    case .figure(let figure): figure.unit
    }
  }

  /// The expression in canonical form.
  package var name: String {
    var selectors: [String] = []
    if let type = key.type { selectors.append("type=\(type)") }
    if let priority = key.priority { selectors.append("priority=\(priority.name)") }
    let selector = selectors.isEmpty ? "" : "{\(selectors.joined(separator: ","))}"
    switch subject {
    case .quantity(let quantity, let statistic): return "\(quantity.name)\(selector).\(statistic.name)"
    case .figure(let figure): return "\(figure.rawValue)\(selector)"
    }
  }

  /// The value of a metric in a run.
  package struct Answer: Sendable, Hashable {
    /// In the metric's unit; nil: unavailable, see ``note``.
    package var value: Double?
    /// The number of jobs or samples.
    package var samples: UInt64
    /// A note for the reader; empty: none.
    package var note = ""
  }

  /// The metric's value in the first of the runs.
  ///
  /// - Parameters:
  ///   - runs: of one scenario; `speedup` and `time_saved` also need a sequential run of the same tape among them.
  ///   - bound: if a percentile has fewer samples than ``Distribution/samplesNeeded(for:)``, the extreme to use
  ///     instead, so that a bound that holds for the answer holds for every sample; nil: no answer then.
  package func answer(from runs: [RunResult], bound: Bound? = nil) -> Answer {
    guard let run = runs.first else { return Answer(samples: 0, note: "no run") }
    guard let jobs = run.measurement[key] else { return Answer(samples: 0, note: "no job of \(key.name) was measured") }
    switch subject {
    case .quantity(let quantity, let statistic):
      guard let samples = jobs[quantity], samples.total > 0 else {
        return Answer(samples: 0, note: "no sample of \(quantity.name)")
      }
      return Self.answer(statistic, of: samples, bound: bound)
    case .figure(let figure):
      let count = UInt64(jobs.causes.total)
      guard count > 0 else { return Answer(samples: 0, note: "no measured job settled") }
      if figure == .speedup || figure == .timeSaved { return comparison(figure, runs: runs, jobs: count) }
      if key != .all { return Answer(value: jobs.value(of: figure), samples: count) }
      guard let reading = run.reading(of: figure) else { return Answer(samples: 0, note: "not measured") }
      return Answer(value: reading.value, samples: reading.value == nil ? 0 : count, note: reading.unavailable ?? "")
    }
  }

  /// Which extreme replaces a percentile with too few samples.
  package enum Bound: Sendable { case upper, lower }

  private static func answer(_ statistic: Statistic, of samples: Distribution, bound: Bound?) -> Answer {
    func answer(_ value: Nanoseconds, _ note: String = "") -> Answer {
      Answer(value: Double(value.rawValue), samples: samples.total, note: note)
    }
    switch statistic {
    case .count: return Answer(value: Double(samples.total), samples: samples.total)
    case .mean: return answer(samples.mean)
    case .min: return answer(samples.min)
    case .max: return answer(samples.max)
    case .stddev: return answer(samples.standardDeviation)
    case .percentile(let p):
      if let value = samples.percentile(p) { return answer(value) }
      let few = "\(statistic.name) needs \(Distribution.samplesNeeded(for: p)) samples"
      switch bound {
      case .upper: return answer(samples.max, "\(few), so the maximum is used")
      case .lower: return answer(samples.min, "\(few), so the minimum is used")
      case nil: return Answer(samples: samples.total, note: few)
      }
    }
  }

  private func comparison(_ figure: FigureName, runs: [RunResult], jobs: UInt64) -> Answer {
    let run = runs[0]
    guard let sequential = runs.first(where: { $0.isBaseline(of: run) }) else {
      return Answer(samples: 0, note: "no sequential run of the same tape")
    }
    // A run that was paused or cut off has no meaningful makespan.
    for run in [run, sequential] {
      guard let failed = run.validity.first(where: { $0.verdict == .failed }) else { continue }
      return Answer(samples: 0, note: "the run on \(run.system) is invalid (\(failed.name))")
    }
    guard let own = run.measurement[.makespan], let other = sequential.measurement[.makespan], own > 0, other > 0 else {
      return Answer(samples: 0, note: "a run without a makespan")
    }
    return Answer(value: figure == .speedup ? other / own : 1 - own / other, samples: jobs)
  }
}

/// A number with the unit of its metric.
package struct MetricValue: Sendable, Hashable {
  /// In the metric's unit.
  package var value: Double

  /// The value for a run whose durations were multiplied by `scale`: times are multiplied, rates divided.
  package func scaled(by scale: Double, metric: Metric) -> MetricValue {
    switch metric.unit {
    case .time: MetricValue(value: value * scale)
    case .rate: MetricValue(value: value / scale)
    case .ratio, .count, .bytes, .factor: self
    }
  }
}
