import TailraceHost
import TailraceMeasurement
import TailraceReport
import TailraceWorkload

/// The bounds of a gate: how much worse than the baseline which metric of which scenario may be.
package struct GateBounds: Sendable {
  /// What of a scenario bounds are about.
  private struct Subject: Sendable {
    var name: String
    var types: [String]
    /// Its own bounds, as written.
    var own: [String]
  }
  private let flags: [String]
  private let subjects: [Subject]
  private let baseline: String

  /// - Parameters:
  ///   - flags: bounds for every scenario whose job types they know; a scenario's own targets add to them.
  ///   - baseline: the name by which `vs(…)` means it.
  package init(_ flags: [String], in scenarios: [Scenario], baseline: String) {
    self.flags = flags
    self.baseline = baseline
    subjects = scenarios.map { scenario in
      Subject(
        name: scenario.name, types: scenario.jobs.map(\.name), own: scenario.targets.filter(RegressionTarget.isMeant))
    }
  }

  /// Of scenarios that are known by their results only: their job types are those that were measured.
  package init(_ flags: [String], in results: [SuiteResult], baseline: String) {
    self.flags = flags
    self.baseline = baseline
    var subjects: [Subject] = []
    for scenario in results.flatMap(\.scenarios) {
      let types = scenario.primary?.measurement.classes.compactMap(\.key.type) ?? []
      if let place = subjects.firstIndex(where: { $0.name == scenario.name }) {
        subjects[place].types += types.filter { !subjects[place].types.contains($0) }
      } else {
        subjects.append(Subject(name: scenario.name, types: types, own: scenario.regressions ?? []))
      }
    }
    self.subjects = subjects
  }

  /// The job types of each scenario, by its name.
  package var types: [String: [String]] {
    Dictionary(subjects.map { ($0.name, $0.types) }) { first, _ in first }
  }

  private func bounds(of subject: Subject) -> [RegressionTarget] {
    (flags + subject.own)
      .compactMap { try? RegressionTarget(parsing: $0, types: subject.types) }
      .filter { $0.baseline == nil || $0.baseline == baseline }
  }

  /// What must be compared, besides what was asked for, so that every bound can be judged; empty: nothing was asked for
  /// and nothing is bounded.
  package func metrics(besides asked: [String]) -> [String] {
    var metrics = asked
    for metric in subjects.flatMap(bounds).map(\.metric.name) where !metrics.contains(metric) {
      metrics.append(metric)
    }
    return metrics
  }

  /// Flags that no scenario understands, a line each.
  package var problems: [String] {
    flags.compactMap { text in
      var failures: [String] = []
      for subject in subjects {
        do throws(TargetProblem) {
          let bound = try RegressionTarget(parsing: text, types: subject.types)
          if let named = bound.baseline, named != baseline {
            return "--regression '\(text)': this gate compares with '\(baseline)', and not with '\(named)'; "
              + "leave vs(…) out"
          }
          return nil
        } catch {
          failures.append("--regression \(error.description)")
        }
      }
      return failures.first
    }
  }

  /// Bounds below what so many rounds can see on a machine, a line each.
  package func problems(in noise: NoiseFloor, rounds: Int) -> [String] {
    subjects.flatMap { subject in
      bounds(of: subject).compactMap { bound in
        guard let floor = noise.floor(of: bound.metric.name, in: subject.name, rounds: rounds),
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
