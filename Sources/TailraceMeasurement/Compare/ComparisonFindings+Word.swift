extension ComparisonFindings {
  /// The verdict of a comparison in one word.
  package var word: String { invalid.isEmpty ? word(of: contrasts) : "INVALID" }

  /// The verdict of some of its contrasts, such as those of one candidate.
  package func word(of contrasts: [Contrast]) -> String {
    // A result with its own exit status is not called better.
    if isInconclusive(contrasts) { return "INCONCLUSIVE" }
    func has(_ verdict: ComparisonVerdict) -> Bool { contrasts.contains { $0.verdict == verdict } }
    return switch (has(.worse), has(.better), has(.unclear)) {
    case (true, true, _): "MIXED"
    case (true, false, _): "WORSE"
    case (false, true, _): "BETTER"
    case (false, false, true): "UNCLEAR"
    case (false, false, false): "SAME"
    }
  }
}
