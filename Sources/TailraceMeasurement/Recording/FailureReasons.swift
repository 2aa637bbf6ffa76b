/// Reasons of unplanned attempt failures, with the number of attempts.
package struct FailureReasons: Sendable, Hashable, Codable {
  /// One reason.
  package struct Reason: Sendable, Hashable, Codable {
    package var words: String
    package var attempts: Int
  }
  /// The first distinct reasons, in order of occurrence.
  package var reasons: [Reason] = []
  /// Attempts that failed for other reasons.
  package var others = 0
  package init() {}

  /// Counts an attempt.
  ///
  /// - Parameter limit: maximum number of distinct reasons.
  package mutating func add(_ words: String, limit: Int) {
    if let index = reasons.firstIndex(where: { $0.words == words }) {
      reasons[index].attempts += 1
    } else if reasons.count < limit {
      reasons.append(Reason(words: words, attempts: 1))
    } else {
      others += 1
    }
  }

  /// The total number of attempts.
  package var total: Int { reasons.reduce(others) { $0 + $1.attempts } }

  /// The reasons by frequency, descending; ties in order of occurrence.
  package var ordered: [Reason] {
    reasons.enumerated().sorted {
      $0.element.attempts != $1.element.attempts ? $0.element.attempts > $1.element.attempts : $0.offset < $1.offset
    }.map(\.element)
  }
}
