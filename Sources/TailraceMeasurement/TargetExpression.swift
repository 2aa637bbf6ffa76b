import TailraceCore

/// A bound on a metric: `METRIC[{SELECTOR}][.STATISTIC] OP VALUE`.
package struct TargetExpression: Sendable, Hashable {
  /// How observed value and limit must compare.
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

    /// How far a value is on the right side of a limit; negative on the wrong side.
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

  /// Reads an expression as a scenario file or a flag has it.
  ///
  /// - Parameters:
  ///   - text: such as `waiting{priority=high}.p99 < 50ms`.
  ///   - types: names of the scenario's job types.
  /// - Throws: ``TargetProblem`` with what is allowed in place of what was written.
  package init(parsing text: String, types: [String]) throws(TargetProblem) {
    if text.contains("{"), !text.contains("}") { throw TargetProblem(expression: text, message: "'{' without '}'") }
    // An "=" inside a selector is no comparison.
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

  /// What is wrong with an expression and what is allowed; nil when nothing is.
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

  /// What is wrong with a metric expression and what is allowed; nil when nothing is.
  package static func problem(inMetric metric: String, types: [String]) -> String? {
    do throws(TargetProblem) {
      _ = try Metric(parsing: metric, types: types)
      return nil
    } catch {
      return error.description
    }
  }

  /// What is wrong with a published figure and what is allowed; nil when nothing is.
  package static func problem(inPublished metric: String, value: String, types: [String]) -> String? {
    do throws(TargetProblem) {
      _ = try Metric(parsing: metric, types: types).parseValue(value)
      return nil
    } catch {
      return "'\(metric): \(value)': \(error.message)"
    }
  }
}

/// Whether a target was met, and by how much.
package struct TargetOutcome: Sendable, Hashable, Codable {
  package enum Verdict: String, Sendable, Codable {
    case met
    case missed
    /// Nothing was measured that the target is about: it is not met.
    case noSamples = "no samples"
  }
  /// As written.
  package var expression: String
  /// The metric in its plainest form.
  package var metric: String
  package var comparison: TargetExpression.Comparison
  package var unit: FigureUnit
  /// At the run's time scale, in ``unit``.
  package var limit: Double
  /// In ``unit``; nil without samples.
  package var observed: Double?
  /// Samples or jobs behind the observed value.
  package var samples: UInt64
  package var verdict: Verdict
  /// What a reader must know, such as why there are no samples; empty: nothing.
  package var note: String

  /// Evaluates a target.
  ///
  /// - Parameters:
  ///   - expression: the target.
  ///   - text: as it was written.
  ///   - runs: the run that it is about, first, and those it is compared with.
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

  /// How far the observed value is on the right side of the limit, in ``unit``; negative on the wrong side.
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
