import TailraceHost
import TailraceMeasurement
import TailraceReport
import TailraceWorkload

/// A gate's bounds: how much worse than the baseline each metric of each scenario may be.
package struct GateBounds: Sendable {
  /// The parts of a scenario that bounds refer to.
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
  ///   - flags: Bounds for every scenario that has their job types, in addition to a scenario's own targets.
  ///   - baseline: The baseline's name in `vs(…)`.
  package init(_ flags: [String], in scenarios: [Scenario], baseline: String) {
    self.flags = flags
    self.baseline = baseline
    subjects = scenarios.map { scenario in
      Subject(
        name: scenario.name, types: scenario.jobs.map(\.name), own: scenario.targets.filter(RegressionTarget.isMeant))
    }
  }

  /// For scenarios that are known only from results; their job types are the measured ones.
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

  /// The metrics to compare: those requested plus those with bounds; empty: neither.
  package func metrics(besides asked: [String]) -> [String] {
    var metrics = asked
    for metric in subjects.flatMap(bounds).map(\.metric.name) where !metrics.contains(metric) {
      metrics.append(metric)
    }
    return metrics
  }

  /// Flags that apply to no scenario, one per line.
  package var problems: [String] {
    flags.compactMap { text in
      var failures: [String] = []
      for subject in subjects {
        do throws(TargetProblem) {
          let bound = try RegressionTarget(parsing: text, types: subject.types)
          if let named = bound.baseline, named != baseline {
            return "--regression '\(text)': this gate compares with '\(baseline)', not with '\(named)'; "
              + "omit vs(…)"
          }
          return nil
        } catch {
          failures.append("--regression \(error.description)")
        }
      }
      return failures.first
    }
  }

  /// Bounds below the smallest change that this many rounds detect on a machine, one per line.
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
  /// Whether it was measured on the same kind of machine with the same kind of build.
  package func isOf(_ environment: RunEnvironment) -> Bool {
    ["cpu_model", "processors", "build_configuration"].allSatisfy { key in
      self.environment.first { $0.name == key }?.value == environment[key]
    }
  }
}
