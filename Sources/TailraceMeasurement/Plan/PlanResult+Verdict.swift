extension PlanResult {
  /// 4 where it was interrupted or a configuration failed, 2 where no configuration meets the targets, 5 where none is
  /// known to and some are undecided, else 0.
  package var exitStatus: Int32 {
    if !isWhole { return Verdict.invalid.exitStatus }
    guard best == nil else { return 0 }
    return undecided.isEmpty ? Verdict.missed.exitStatus : 5
  }

  /// What it comes to in one word, for machines.
  package var word: String {
    switch exitStatus {
    case 0: "FOUND"
    case 2: "NONE"
    case 5: "UNCLEAR"
    default: "INVALID"
    }
  }
}
