/// Why attempts failed that were not meant to, in words, with the number of attempts.
package struct FailureReasons: Sendable, Hashable, Codable {
  /// One reason.
  package struct Reason: Sendable, Hashable, Codable {
    package var words: String
    package var attempts: Int
  }
  /// Those that were seen first, in their order.
  package var reasons: [Reason] = []
  /// Attempts that failed for other reasons.
  package var others = 0
  package init() {}

  /// Counts one more attempt.
  ///
  /// - Parameter limit: reasons that are kept apart.
  package mutating func add(_ words: String, limit: Int) {
    if let index = reasons.firstIndex(where: { $0.words == words }) {
      reasons[index].attempts += 1
    } else if reasons.count < limit {
      reasons.append(Reason(words: words, attempts: 1))
    } else {
      others += 1
    }
  }

  /// Attempts in all.
  package var total: Int { reasons.reduce(others) { $0 + $1.attempts } }

  /// The most frequent first: those that are as frequent stay as they came.
  package var ordered: [Reason] {
    reasons.enumerated().sorted {
      $0.element.attempts != $1.element.attempts ? $0.element.attempts > $1.element.attempts : $0.offset < $1.offset
    }.map(\.element)
  }
}
