/// Fingerprints of the parts of a tape, to describe how two tapes differ.
package struct TapeParts: Sendable, Hashable, Codable {
  /// The arrivals of jobs and their dependencies.
  package var arrivals: String
  /// The jobs of each type: name and fingerprint.
  package var types: [Setting]
  package init(arrivals: String, types: [Setting]) {
    self.arrivals = arrivals
    self.types = types
  }
}

/// The difference between two tapes.
struct TapeDifference {
  /// Whether the arrivals differ.
  var arrivals = false
  /// Job types in both tapes whose jobs differ.
  var changed: [String] = []
  /// Job types in the first tape only, and in the second only.
  var gone: [String] = []
  var added: [String] = []
  /// Whether the parts of both tapes are known.
  var isKnown = true

  /// nil: the tapes are equal.
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

  /// The difference in words.
  var words: String {
    guard isKnown else { return "the tapes differ; the result does not contain how" }
    var parts: [String] = []
    if !changed.isEmpty { parts.append("the work of \(changed.joined(separator: ", ")) differs") }
    if !gone.isEmpty { parts.append("only the baseline has jobs of \(gone.joined(separator: ", "))") }
    if !added.isEmpty { parts.append("only the candidate has jobs of \(added.joined(separator: ", "))") }
    parts.append(
      arrivals
        ? "jobs arrive at other times, and only the seeds are equal" : "arrival times are equal")
    return parts.joined(separator: "; ")
  }

  /// Whether the user named everything that differs: `load`, `duration` or `arrivals`, and names of job types.
  func isNamed(by names: Set<String>) -> Bool {
    guard isKnown else { return false }
    let arrivalsAreNamed = !arrivals || !names.isDisjoint(with: ["load", "duration", "arrivals"])
    return arrivalsAreNamed
      && (changed + gone + added).allSatisfy { names.contains($0) || names.contains("jobs.\($0)") }
  }
}

extension SuiteResult {
  /// How the tapes of another result differ from this one's, one line per scenario with a difference.
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
