extension PlanResult {
  /// 4: interrupted, or a configuration failed. 2: no configuration meets the targets. 5: none is known to, and some
  /// are undecided. Otherwise 0.
  package var exitStatus: Int32 {
    if !isWhole { return Verdict.invalid.exitStatus }
    guard best == nil else { return 0 }
    return undecided.isEmpty ? Verdict.missed.exitStatus : 5
  }

  /// The result in one word, for machines.
  package var word: String {
    switch exitStatus {
    case 0: "FOUND"
    case 2: "NONE"
    case 5: "UNCLEAR"
    default: "INVALID"
    }
  }
}
