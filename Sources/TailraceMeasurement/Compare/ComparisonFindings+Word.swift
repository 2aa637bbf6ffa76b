extension ComparisonFindings {
  /// The word at the head of every document of a comparison.
  package var word: String { invalid.isEmpty ? Self.word(of: contrasts) : "INVALID" }

  /// The word for some of its contrasts, such as those of one candidate.
  package static func word(of contrasts: [Contrast]) -> String {
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
