import TailraceCore

/// The condition of the machine in the rounds of one side of a comparison: means over its runs; nil: not known.
package struct MachineConditions: Sendable, Hashable {
  /// Share of CPU time used by other programs.
  package var others: Double?
  /// How long the runs' own threads waited for a CPU, as a share of their work.
  package var delayed: Double?
  /// Share of CPU time taken by the host.
  package var steal: Double?
  /// The load generator's own lateness, in nanoseconds per submission.
  package var lateness: Double?
  /// Iterations of a fixed loop per nanosecond of CPU time.
  package var spinSpeed: Double?
  /// Mean response time in nanoseconds, for comparison with the lateness.
  package var response: Double?

  package init(_ runs: [RunResult]) {
    func mean(_ value: (RunResult) -> Double?) -> Double? {
      let values = runs.compactMap(value)
      return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
    others = mean { $0.observations.otherPrograms?.value }
    delayed = mean { $0.observations.delayedShare(service: Double($0.measurement.all.parts[.service])) }
    steal = mean { $0.observations.hostSteal.value }
    lateness = mean { run in
      run.observations.generatorLateness.flatMap { $0.count > 0 ? Double($0.mean.rawValue) : nil }
    }
    spinSpeed = mean { $0.observations.spinSpeed?.value }
    response = mean { run in run.measurement.all[.response].map { Double($0.mean.rawValue) } }
  }
}

/// Maximum differences between the conditions of two sides. Sides that run alternately share the same conditions; a
/// stored side was measured under other conditions.
package struct ConditionBounds: Sendable, Hashable {
  /// Share of CPU time used by other programs above which a difference is reported…
  package var others = ValidityBounds().othersWarning
  /// … if the side with more of it waited for a CPU for at least this share of its work. Less changes no mean by δ.
  package var delayed = 0.01
  /// Share of CPU time taken by the host; the threshold of the certificate's warning.
  package var steal = ValidityBounds().stealWarning
  /// The generator's own lateness, as a share of the mean response time: a change of δ not caused by the program…
  package var lateness = 0.01
  /// … and above this many nanoseconds, the usual variation of waking a thread.
  package var latenessFloor = 50_000.0
  /// Relative difference in computing speed. Runs on a quiet machine differ by 1 to 2 %.
  package var spinSpeed = 0.05
  package init() {}
}

extension MachineConditions {
  /// How the machine of a later side differs from that of this one, one line each; empty: no known difference.
  package func differences(
    _ later: MachineConditions, names: (String, String), bounds: ConditionBounds = ConditionBounds()
  ) -> [String] {
    func shares(_ what: String, _ a: Double, _ b: Double) -> String {
      "the machine was not the same: \(what) \(percent(a)) in the rounds of \(names.0), \(percent(b)) in those of "
        + "\(names.1)"
    }
    var lines: [String] = []
    if let a = others, let b = later.others, abs(a - b) > bounds.others,
      (a > b ? delayed : later.delayed) ?? 1 > bounds.delayed
    {
      lines.append(
        shares("CPU time used by other programs:", a, b) + "; stop other programs, or store a new baseline")
    }
    if others == nil, let b = later.others, b > bounds.others, later.delayed ?? 0 > bounds.delayed {
      lines.append(
        "other programs used \(percent(b)) of the CPU time in the rounds of \(names.1), and their share in those of "
          + "\(names.0) is unknown: stop other programs, and store a new baseline")
    }
    if let a = steal, let b = later.steal, abs(a - b) > bounds.steal {
      lines.append(
        shares("CPU time taken by the host:", a, b) + "; try again later, or compare alternately with --against")
    }
    if let a = spinSpeed, let b = later.spinSpeed, a > 0, b > 0, abs(b / a - 1) > bounds.spinSpeed {
      lines.append(
        "the machine was not the same: it was \(percent(abs(b / a - 1))) \(b > a ? "faster" : "slower") in the "
          + "rounds of \(names.1) than in those of \(names.0); compare alternately with --against")
    }
    if let a = lateness, let b = later.lateness,
      abs(a - b) > max(bounds.latenessFloor, bounds.lateness * (response ?? 0))
    {
      lines.append(
        "the load generator itself was not the same: on average \(microseconds(a)) late in the rounds of \(names.0), "
          + "\(microseconds(b)) in those of \(names.1); response times include this, but the program did not cause it")
    }
    return lines
  }

  private func percent(_ share: Double) -> String { "\((share * 1_000).rounded() / 10) %" }
  private func microseconds(_ nanoseconds: Double) -> String { "\(Int((nanoseconds / 1_000).rounded())) µs" }
}

extension Comparison {
  /// How the machine differs between a candidate's counted rounds and the baseline's, one line per scenario.
  package func conditionDifferences(of candidate: Int, labels: [String]) -> [String] {
    guard let first = results.first else { return [] }
    return first[0].scenarios.indices.flatMap { place -> [String] in
      let sides = [0, candidate].map { side in
        MachineConditions(results.compactMap { $0[side].scenarios[place].primary }.filter { !$0.isSimulated })
      }
      return sides[0].differences(sides[1], names: (labels[0], labels[candidate])).map {
        "\(first[0].scenarios[place].name): \($0)"
      }
    }
  }
}
