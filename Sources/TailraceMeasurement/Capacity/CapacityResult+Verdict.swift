extension CapacityResult {
  /// 4: the result cannot be trusted. 2: no rate meets the targets. 5: the runs were inconclusive and that counts as a
  /// failure. Otherwise 0.
  package var exitStatus: Int32 { exitStatus(strict: isStrict == true) }

  private func exitStatus(strict: Bool) -> Int32 {
    let searches = configurations.map(\.search)
    if isInterrupted || searches.isEmpty || searches.contains(where: { $0.isInvalid || $0.failure != nil }) {
      return Verdict.invalid.exitStatus
    }
    if searches.contains(where: { $0.outcome == .none }) { return Verdict.missed.exitStatus }
    return strict && searches.contains { $0.outcome == .inconclusive } ? 5 : 0
  }

  /// The result in one word, for machines.
  package var word: String {
    switch exitStatus(strict: true) {
    case 0: "FOUND"
    case 2: "NO RATE"
    case 5: "UNCLEAR"
    default: "INVALID"
    }
  }
}
