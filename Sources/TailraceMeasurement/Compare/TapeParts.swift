/// The parts of a tape as fingerprints: what differs between two tapes can be named.
package struct TapeParts: Sendable, Hashable, Codable {
  /// When which job arrives, and what it depends on.
  package var arrivals: String
  /// Of each job type, what its jobs are and do: name and fingerprint.
  package var types: [Setting]
  package init(arrivals: String, types: [Setting]) {
    self.arrivals = arrivals
    self.types = types
  }
}

/// What differs between two tapes.
struct TapeDifference {
  /// Whether jobs arrive at other times, or other jobs do.
  var arrivals = false
  /// Job types that both have and whose jobs do something else.
  var changed: [String] = []
  /// Job types that only the first has, and only the second.
  var gone: [String] = []
  var added: [String] = []
  /// Whether both sides say what their tapes are made of.
  var isKnown = true

  /// Nil: it is the same tape.
  init?(_ a: RunResult, _ b: RunResult) {
    guard a.fingerprint != b.fingerprint else { return nil }
    guard let own = a.tape, let other = b.tape else {
      isKnown = false
      return
    }
    arrivals = own.arrivals != other.arrivals
    for type in own.types {
      guard let its = other.types.first(where: { $0.name == type.name }) else {
        gone.append(type.name)
        continue
      }
      if its.value != type.value { changed.append(type.name) }
    }
    added = other.types.map(\.name).filter { name in !own.types.contains { $0.name == name } }
  }

  /// What differs, in words.
  var words: String {
    guard isKnown else { return "the tapes are not the same; what differs was not kept" }
    var parts: [String] = []
    if !changed.isEmpty { parts.append("what jobs of \(changed.joined(separator: ", ")) do differs") }
    if !gone.isEmpty { parts.append("only the baseline has jobs of \(gone.joined(separator: ", "))") }
    if !added.isEmpty { parts.append("only the candidate has jobs of \(added.joined(separator: ", "))") }
    parts.append(
      arrivals
        ? "jobs arrive at other times, so only the seeds are the same" : "jobs arrive at the same times, job for job")
    return parts.joined(separator: "; ")
  }

  /// Whether everything that differs is among the names: `load`, `duration` or `arrivals`, and those of job types.
  func isNamed(by names: Set<String>) -> Bool {
    guard isKnown else { return false }
    let arrivalsAreNamed = !arrivals || !names.isDisjoint(with: ["load", "duration", "arrivals"])
    return arrivalsAreNamed
      && (changed + gone + added).allSatisfy { names.contains($0) || names.contains("jobs.\($0)") }
  }
}

extension SuiteResult {
  /// How another result's tapes differ from this one's, a line for each scenario in which they do.
  package func tapeDifferences(_ other: SuiteResult) -> [String] {
    zip(scenarios, other.scenarios).compactMap { a, b in
      guard let run = a.primary, let its = b.primary, let difference = TapeDifference(run, its) else { return nil }
      var words = "\(a.name): \(difference.words)"
      let (own, others) = (run.measurement.intendedInWindow, its.measurement.intendedInWindow)
      if difference.arrivals, own != others { words += " (\(own) in the window, here \(others))" }
      return words
    }
  }
}
