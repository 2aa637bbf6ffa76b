import TailraceCore

/// A bound on a metric: `METRIC[{SELECTOR}][.STATISTIC] OP VALUE`.
package struct TargetExpression: Sendable, Hashable {
  /// The comparison of the observed value with the limit.
  package enum Comparison: String, Sendable, Codable, CaseIterable {
    case below = "<"
    case atMost = "<="
    case above = ">"
    case atLeast = ">="
    case equal = "=="

    /// Whether a value meets a limit.
    package func holds(_ value: Double, _ limit: Double) -> Bool {
      switch self {
      case .below: value < limit
      case .atMost: value <= limit
      case .above: value > limit
      case .atLeast: value >= limit
      case .equal: value == limit
      }
    }

    /// The distance of a value from a limit on the good side; negative on the wrong side.
    package func margin(_ value: Double, _ limit: Double) -> Double {
      switch self {
      case .below, .atMost: limit - value
      case .above, .atLeast: value - limit
      case .equal: -abs(value - limit)
      }
    }
  }
  package var metric: Metric
  package var comparison: Comparison
  package var limit: MetricValue

  /// Parses an expression in a scenario file or a flag.
  ///
  /// - Parameters:
  ///   - text: such as `waiting{priority=high}.p99 < 50ms`.
  ///   - types: names of the scenario's job types.
  /// - Throws: ``TargetProblem`` with what is allowed.
  package init(parsing text: String, types: [String]) throws(TargetProblem) {
    if text.contains("{"), !text.contains("}") { throw TargetProblem(expression: text, message: "'{' without '}'") }
    // An "=" inside a selector is not a comparison.
    let selectorEnd = text.firstIndex(of: "}") ?? text.startIndex
    guard let start = text[selectorEnd...].firstIndex(where: { "<>=!".contains($0) }) else {
      throw TargetProblem(
        expression: text, message: "no comparison; a target reads METRIC OP VALUE, with OP one of \(Self.operators)")
    }
    let sign = text[start...].prefix { "<>=!".contains($0) }
    guard let comparison = Comparison(rawValue: String(sign)) else {
      let meant = ["=": "==", "=<": "<=", "=>": ">=", "===": "=="][String(sign)].map { "did you mean '\($0)'? " } ?? ""
      throw TargetProblem(
        expression: text, message: "unknown comparison '\(sign)'; \(meant)allowed are \(Self.operators)")
    }
    do throws(TargetProblem) {
      let name = String(text[..<start]).trimmed
      if let meant = Self.inverted(name, comparison, String(text[sign.endIndex...])) {
        throw TargetProblem(expression: text, message: "unknown metric '\(name)'; did you mean '\(meant)'?")
      }
      metric = try Metric(parsing: String(text[..<start]), types: types)
      limit = try metric.parseValue(String(text[sign.endIndex...]))
    } catch {
      throw TargetProblem(expression: text, message: error.message)
    }
    self.comparison = comparison
    if let problem = rangeProblem(value: String(text[sign.endIndex...]).trimmed) {
      throw TargetProblem(expression: text, message: problem)
    }
  }

  private static var operators: String { Comparison.allCases.map(\.rawValue).joined(separator: " ") }

  /// The problem of an expression and what is allowed; nil: valid.
  package static func problem(in text: String, types: [String]) -> String? {
    do throws(TargetProblem) {
      if RegressionTarget.isMeant(text) {
        _ = try RegressionTarget(parsing: text, types: types)
      } else {
        _ = try TargetExpression(parsing: text, types: types)
      }
      return nil
    } catch {
      return error.description
    }
  }

  /// The problem of a metric expression and what is allowed; nil: valid.
  package static func problem(inMetric metric: String, types: [String]) -> String? {
    do throws(TargetProblem) {
      _ = try Metric(parsing: metric, types: types)
      return nil
    } catch {
      return error.description
    }
  }

  /// The problem of a published figure and what is allowed; nil: valid.
  package static func problem(inPublished metric: String, value: String, types: [String]) -> String? {
    do throws(TargetProblem) {
      _ = try Metric(parsing: metric, types: types).parseValue(value)
      return nil
    } catch {
      return "'\(metric): \(value)': \(error.message)"
    }
  }
}

/// The outcome of a target.
package struct TargetOutcome: Sendable, Hashable, Codable {
  package enum Verdict: String, Sendable, Codable {
    case met
    case missed
    /// Not met, because nothing was measured.
    case noSamples = "no samples"
  }
  /// The target as written.
  package var expression: String
  /// The metric in canonical form.
  package var metric: String
  package var comparison: TargetExpression.Comparison
  package var unit: FigureUnit
  /// At the run's time scale, in ``unit``.
  package var limit: Double
  /// In ``unit``; nil without samples.
  package var observed: Double?
  /// The number of samples or jobs.
  package var samples: UInt64
  package var verdict: Verdict
  /// A note, such as why there are no samples; empty: none.
  package var note: String

  /// Evaluates a target.
  ///
  /// - Parameters:
  ///   - expression: the target.
  ///   - text: as written.
  ///   - runs: the run to evaluate, followed by those it is compared with.
  ///   - scale: the factor on every duration of the scenario.
  package init(_ expression: TargetExpression, as text: String, runs: [RunResult], scale: Double) {
    let bound: Metric.Bound? =
      switch expression.comparison {
      case .below, .atMost: .upper
      case .above, .atLeast: .lower
      case .equal: nil
      }
    let answer = expression.metric.answer(from: runs, bound: bound)
    let limit = expression.limit.scaled(by: scale, metric: expression.metric).value
    self.expression = text
    metric = expression.metric.name
    comparison = expression.comparison
    unit = expression.metric.unit
    self.limit = limit
    observed = answer.value
    samples = answer.samples
    note = answer.note
    guard let observed = answer.value else {
      verdict = .noSamples
      return
    }
    verdict = expression.comparison.holds(observed, limit) ? .met : .missed
  }

  /// The distance of the observed value from the limit on the good side, in ``unit``; negative on the wrong side.
  package var margin: Double? {
    observed.map { comparison.margin($0, limit) }
  }

  /// ``margin`` as a share of the limit; nil for a limit of 0.
  package var relativeMargin: Double? { limit == 0 ? nil : margin.map { $0 / abs(limit) } }
}

extension PublishedOutcome {
  init(_ figure: (metric: String, value: String), metric: Metric, value: MetricValue, runs: [RunResult]) {
    let answer = metric.answer(from: runs)
    self.init(
      metric: figure.metric, published: figure.value, value: value.value, measured: answer.value, unit: metric.unit,
      samples: answer.samples, note: answer.note)
  }
}
