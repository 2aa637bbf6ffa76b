import TailraceCore

/// What the machine was like in the rounds of one side of a comparison: means over its runs; nil: not known.
package struct MachineConditions: Sendable, Hashable {
  /// Share of processor time that other programs had.
  package var others: Double?
  /// How long the runs' own threads waited for a processor, as a share of their work.
  package var delayed: Double?
  /// Share of processor time that the host took.
  package var steal: Double?
  /// The load generator's own, in nanoseconds a submission.
  package var lateness: Double?
  /// Iterations of a fixed loop in a nanosecond of processor time.
  package var spinSpeed: Double?
  /// Mean response time in nanoseconds, which the lateness is compared with.
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

/// By how much the conditions of two sides may differ before their figures say nothing about each other. Where both run
/// in turns they share the machine's moods; a stored side had the machine of another day.
package struct ConditionBounds: Sendable, Hashable {
  /// Of processor time, of other programs: the certificate warns from here on…
  package var others = ValidityBounds().othersWarning
  /// … where the side with more of it waited for a processor for at least this share of its work. Less changes no mean
  /// by δ.
  package var delayed = 0.01
  /// Of processor time, of the host: where the certificate warns.
  package var steal = ValidityBounds().stealWarning
  /// Of the mean response time, of the generator's own lateness: a change of δ that is none of the program's…
  package var lateness = 0.01
  /// … from so many nanoseconds on: what waking a thread varies by.
  package var latenessFloor = 50_000.0
  /// Of the speed of computing. Runs on one quiet machine differ by 1 to 2 %.
  package var spinSpeed = 0.05
  package init() {}
}

extension MachineConditions {
  /// How the machine of a later side differs from that of this one, a line each; empty: it was alike, as far as is
  /// known.
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
        shares("other programs had", a, b) + "; stop what else runs, or save the baseline anew as the machine is now")
    }
    if others == nil, let b = later.others, b > bounds.others, later.delayed ?? 0 > bounds.delayed {
      lines.append(
        "other programs had \(percent(b)) of the processor time in the rounds of \(names.1), and what they had in those of "
          + "\(names.0) was not kept: save the baseline anew, and stop what else runs")
    }
    if let a = steal, let b = later.steal, abs(a - b) > bounds.steal {
      lines.append(shares("the host took", a, b) + "; try again at another hour, or compare with --against, in turns")
    }
    if let a = spinSpeed, let b = later.spinSpeed, a > 0, b > 0, abs(b / a - 1) > bounds.spinSpeed {
      lines.append(
        "the machine was not the same: it computed \(percent(abs(b / a - 1))) \(b > a ? "faster" : "slower") in the "
          + "rounds of \(names.1) than in those of \(names.0); compare with --against, in turns")
    }
    if let a = lateness, let b = later.lateness,
      abs(a - b) > max(bounds.latenessFloor, bounds.lateness * (response ?? 0))
    {
      lines.append(
        "the load generator itself was not the same: \(microseconds(a)) late in the mean in the rounds of \(names.0), "
          + "\(microseconds(b)) in those of \(names.1), which response times hold and no program is to blame for")
    }
    return lines
  }

  private func percent(_ share: Double) -> String { "\((share * 1_000).rounded() / 10) %" }
  private func microseconds(_ nanoseconds: Double) -> String { "\(Int((nanoseconds / 1_000).rounded())) µs" }
}

extension Comparison {
  /// How the machine of a candidate's counted rounds differs from that of the baseline's, a line for each scenario.
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
