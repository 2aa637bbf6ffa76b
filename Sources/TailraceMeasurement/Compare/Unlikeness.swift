extension SuiteResult {
  /// Properties of the environment that must be equal for figures to be comparable, with their names in messages.
  private static let likeness: [(key: String, name: String)] = [
    ("cpu_model", "processor"), ("processors", "number of processors"), ("memory_bytes", "memory"),
    ("virtualized", "virtualization"), ("os", "operating system"), ("kernel", "kernel"),
    ("swift_compiler", "Swift compiler"), ("build_configuration", "build"), ("allocator", "allocator"),
  ]

  /// Why this result cannot be compared with another, one line each: different machines, toolchains, tapes or
  /// scenarios, or different systems and settings that are not the subject of the comparison. Empty: it can.
  ///
  /// - Parameters:
  ///   - varied: names of settings that may differ, including `system`; nil: all. The name of a job type allows its
  ///     jobs to differ, and `load` allows the arrivals to differ.
  ///   - isTapeNamed: whether the user named the cause of different tapes, such as another file.
  package func unlikeness(_ other: SuiteResult, varied: Set<String>?, isTapeNamed: Bool = false) -> [String] {
    var lines: [String] = []
    for (key, name) in Self.likeness {
      let (a, b) = (value(of: key), other.value(of: key))
      if a != b { lines.append("another \(name): \(a ?? "unknown"), here \(b ?? "unknown")") }
    }
    if timeScale != other.timeScale { lines.append("another time scale: \(timeScale), here \(other.timeScale)") }
    let (names, others) = (scenarios.map(\.name), other.scenarios.map(\.name))
    guard names == others else {
      lines.append(
        "other scenarios: \(names.joined(separator: ", ")); here \(others.joined(separator: ", "))")
      return lines
    }
    for (a, b) in zip(scenarios, other.scenarios) {
      guard let run = a.primary, let its = b.primary else {
        lines.append("\(a.name): a side has no run")
        continue
      }
      if let line = Self.unlikeTapes(run, its, varied: varied ?? [], isNamed: isTapeNamed) {
        lines.append("\(a.name): \(line)")
      }
      guard let varied else { continue }
      if run.system != its.system, !varied.contains("system") {
        lines.append("\(a.name): another system: \(run.system), here \(its.system)")
      }
      let names = Set(a.settings.map(\.name)).union(b.settings.map(\.name)).sorted()
      for name in names where !varied.contains(name) {
        let (own, its) = (a.settings.first { $0.name == name }?.value, b.settings.first { $0.name == name }?.value)
        if own != its { lines.append("\(a.name): another \(name): \(own ?? "none"), here \(its ?? "none")") }
      }
    }
    return lines
  }

  private static func unlikeTapes(
    _ run: RunResult, _ its: RunResult, varied: Set<String>, isNamed: Bool
  ) -> String? {
    guard let difference = TapeDifference(run, its) else { return nil }
    if run.seed != its.seed { return "another seed, so other jobs: \(run.seed), here \(its.seed)" }
    if let own = run.tape, !own.types.isEmpty, difference.gone.count == own.types.count {
      return "another set of job types, none of which both have: \(difference.gone.joined(separator: ", ")); here "
        + difference.added.joined(separator: ", ")
    }
    if isNamed || difference.isNamed(by: varied) { return nil }
    return "another tape, so other jobs (seed \(run.seed)): \(difference.words)"
  }

  /// Differences of the environment that do not prevent a comparison, such as the commit.
  package func notableDifferences(_ other: SuiteResult) -> [Setting] {
    let must = Set(Self.likeness.map(\.key) + ["load_average"])
    return other.environment.filter { !must.contains($0.name) && value(of: $0.name) != $0.value }
  }

  private func value(of key: String) -> String? { environment.first { $0.name == key }?.value }
}
