// Goal: a limit that nothing can miss, or that nothing can meet, is refused for every metric, with what was meant.

import Testing

@testable import TailraceMeasurement

struct TargetRangeTests {
  private static let types = ["a"]

  private func problem(_ text: String) -> String? { TargetExpression.problem(in: text, types: Self.types) }

  @Test(arguments: [
    ("utilization < 80", "always met", "did you mean 'utilization < 80%'?"),
    ("success >= 99", "never met", "did you mean 'success >= 99%'?"),
    ("success{type=a} > 99.9", "never met", "did you mean 'success{type=a} > 99.9%'?"),
    ("success == 100", "never met", "'success == 100%'"), ("success >= 0", "always met", "0 %"),
    ("success <= 100%", "always met", "0 % to 100 %"), ("success > 1", "never met", "100 %"),
    ("share_error < 5", "always met", "'share_error < 5%'"), ("host_steal <= 2", "always met", "2%"),
    ("time_saved < 100%", "always met", "less than 100 %"), ("time_saved >= 50", "never met", "50%"),
    ("time_saved >= 100%", "never met", "less than 100 %"),
    ("response.p99 < -50ms", "never met", "did you mean 'response.p99 < 50ms'?"),
    ("waiting.mean >= 0s", "always met", "never less than 0"), ("service.max > -1ms", "always met", "> 1ms"),
    ("response.p50 < 0ms", "never met", "never less than 0"), ("makespan == -1s", "never met", "== 1s"),
    ("lost <= -1", "never met", "did you mean 'lost == 0'?"), ("lost < 0", "never met", "'lost == 0'"),
    ("dead_lettered >= 0", "always met", "never less than 0"), ("response.count > -1", "always met", "never"),
    ("speedup > 0", "always met", "always more than 0"), ("speedup < 0", "never met", "more than 0"),
    ("speedup <= -2x", "never met", "'speedup <= 2x'"), ("offered_load >= 0", "always met", "never less than 0"),
    ("throughput >= 0/s", "always met", "never less than 0"), ("throughput < -5/s", "never met", "< 5/s"),
    ("peak_memory < 0B", "never met", "never less than 0"), ("recovery <= -1s", "never met", "<= 1s"),
  ])
  func aForegoneLimitIsRefused(_ text: String, _ what: String, _ advice: String) throws {
    let found = try #require(problem(text), "\(text) is accepted")
    #expect(found.contains(what) && found.contains(advice) && found.contains("'\(text)'"), "\(found)")
  }

  @Test(arguments: [
    "utilization < 80%", "utilization <= 0.8", "utilization < 1", "success >= 99%", "success >= 1", "success > 0",
    "success == 100%", "lost == 0", "lost <= 0", "lost < 1", "response.p99 < 50ms", "response.max > 0ms",
    "waiting.p50 <= 0ms", "speedup >= 3", "time_saved > -10%", "time_saved >= 0", "throughput > 0/s", "retried >= 1",
    "share_error <= 0", "dropped == 0", "response.count >= 100", "concurrency_max <= 4",
  ])
  func whatCanGoEitherWayIsAccepted(_ text: String) { #expect(problem(text) == nil) }

  /// For every metric there is, both ends of its range, each way.
  @Test func everyMetricHasARange() throws {
    let metrics =
      FigureName.allCases.map { Metric(.figure($0)) }
      + Quantity.allCases.flatMap { quantity in
        (Statistic.plain + [.percentile(99)]).map { Metric(.quantity(quantity, $0)) }
      }
    for metric in metrics {
      let range = metric.range
      #expect(range.low < range.high, "\(metric.name)")
      for comparison in TargetExpression.Comparison.allCases {
        for value in [-1e12, range.low, 0.5, range.high, 1e12] where value.isFinite {
          var target = try TargetExpression(parsing: "success >= 50%", types: [])
          (target.metric, target.comparison, target.limit) = (metric, comparison, MetricValue(value: value))
          // What the metric can be: its ends, or close to them, and something in between.
          let low = max(range.low, -1e15)
          let high = min(range.high, 1e15)
          let step = range.high == 1 ? 1e-9 : 1e-3
          let seen = [range.includesLow ? low : low + step, (low + high) / 2, range.includesHigh ? high : high - step]
          let held = Set((seen + (value > low && value < high ? [value] : [])).map { comparison.holds($0, value) })
          #expect(
            target.foregone == (held.count == 1 && comparison != .equal ? held.first : held == [false] ? false : nil),
            "\(metric.name) \(comparison.rawValue) \(value)")
        }
      }
    }
  }

  @Test(arguments: [
    ("throughput > -100%", "always met", "did you mean -1%?"), ("success > -300%", "always met", "-3%"),
    ("throughput > 0%", "allows no change", "-3%"), ("response.p99 < -3%", "allows no change", "+3%"),
    ("response.p99 < +inf%", "not a relative change", "percent"),
    ("response.p99 < +nan%", "not a relative change", "+3%"),
    ("response.p99 < 1+0%", "not a relative change", "percent"),
  ])
  func aBoundThatNothingCanMissIsRefused(_ text: String, _ what: String, _ advice: String) throws {
    do {
      _ = try RegressionTarget(parsing: text, types: Self.types)
      Issue.record("\(text) is accepted")
    } catch {
      #expect(error.description.contains(what) && error.description.contains(advice), "\(error)")
    }
  }
}
