import TailraceMeasurement
import TailraceReport
import TailraceWorkload

/// The bounds of a gate: how much worse than the baseline which metric of which scenario may be.
package struct GateBounds: Sendable {
  private let flags: [String]
  private let scenarios: [Scenario]
  private let baseline: String

  /// - Parameters:
  ///   - flags: bounds for every scenario whose job types they know; a scenario's own targets add to them.
  ///   - baseline: the name by which `vs(…)` means it.
  package init(_ flags: [String], in scenarios: [Scenario], baseline: String) {
    self.flags = flags
    self.scenarios = scenarios
    self.baseline = baseline
  }

  private func bounds(of scenario: Scenario) -> [RegressionTarget] {
    (flags + scenario.targets.filter(RegressionTarget.isMeant))
      .compactMap { try? RegressionTarget(parsing: $0, types: scenario.jobs.map(\.name)) }
      .filter { $0.baseline == nil || $0.baseline == baseline }
  }

  /// What must be compared, besides what was asked for, so that every bound can be judged; empty: nothing was asked for
  /// and nothing is bounded.
  package func metrics(besides asked: [String]) -> [String] {
    var metrics = asked
    for metric in scenarios.flatMap(bounds).map(\.metric.name) where !metrics.contains(metric) {
      metrics.append(metric)
    }
    return metrics
  }

  /// Flags that no scenario understands, a line each.
  package var problems: [String] {
    flags.compactMap { text in
      var failures: [String] = []
      for scenario in scenarios {
        do throws(TargetProblem) {
          _ = try RegressionTarget(parsing: text, types: scenario.jobs.map(\.name))
          return nil
        } catch {
          failures.append("--regression \(error)")
        }
      }
      return failures.first
    }
  }

  /// Bounds below what so many rounds can see on a machine, a line each.
  package func problems(in noise: NoiseFloor, rounds: Int) -> [String] {
    scenarios.flatMap { scenario in
      bounds(of: scenario).compactMap { bound in
        guard let floor = noise.floor(of: bound.metric.name, in: scenario.name, rounds: rounds),
          bound.allowance < floor
        else { return nil }
        return GatePage.words(
          GateFindings.BoundInNoise(expression: bound.text, allowance: bound.allowance, floor: floor, rounds: rounds))
      }
    }
  }
}

extension NoiseFloor {
  /// Whether it was measured on such a machine with such a build.
  package func isOf(_ environment: RunEnvironment) -> Bool {
    ["cpu_model", "processors", "build_configuration"].allSatisfy { key in
      self.environment.first { $0.name == key }?.value == environment[key]
    }
  }
}
