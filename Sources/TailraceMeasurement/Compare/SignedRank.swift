/// The exact signed-rank test of paired samples: whether the differences lie about zero.
///
/// It assumes no distribution but symmetry, so it stands beside the bootstrap as a second opinion. Differences of
/// exactly zero are left out, ties share their ranks, and the p-value is exact for the ranks at hand, however few.
/// Source: F. Wilcoxon, *Individual Comparisons by Ranking Methods*, Biometrics Bulletin 1 (1945); the distribution by
/// the recursion over ranks in M. Hollander, D. A. Wolfe, *Nonparametric Statistical Methods* (1973), section 3.1.
package enum SignedRank {
  /// The two-sided p-value; 1 where every difference is zero.
  package static func pValue(_ differences: [Double]) -> Double {
    let sizes = differences.filter { $0 != 0 }
    guard !sizes.isEmpty else { return 1 }
    let order = sizes.indices.sorted { abs(sizes[$0]) < abs(sizes[$1]) }
    // Twice the rank, which is whole for ties too.
    var ranks = [Int](repeating: 0, count: sizes.count)
    var start = 0
    while start < order.count {
      var end = start
      while end + 1 < order.count, abs(sizes[order[end + 1]]) == abs(sizes[order[start]]) { end += 1 }
      for place in start...end { ranks[order[place]] = start + end + 2 }
      start = end + 1
    }
    let total = ranks.reduce(0, +)
    let positive = sizes.indices.reduce(0) { $0 + (sizes[$1] > 0 ? ranks[$1] : 0) }
    let shares = distribution(ranks, total: total)
    let extreme = min(positive, total - positive)
    let tail = shares[...extreme].reduce(0, +)
    return min(1, 2 * tail)
  }

  /// The least p-value that so many differences can have: 2^(1−n).
  package static func leastPValue(count: Int) -> Double {
    count < 1 ? 1 : (0..<(count - 1)).reduce(1.0) { value, _ in value / 2 }
  }

  /// The probability of each sum of the ranks of one sign where either sign is as likely.
  private static func distribution(_ ranks: [Int], total: Int) -> [Double] {
    var shares = [Double](repeating: 0, count: total + 1)
    shares[0] = 1
    var reached = 0
    for rank in ranks {
      reached += rank
      for sum in stride(from: reached, through: 0, by: -1) {
        shares[sum] = (shares[sum] + (sum >= rank ? shares[sum - rank] : 0)) / 2
      }
    }
    return shares
  }
}

/// The correction of several tests together, so that the chance of even one false alarm among them stays below α.
package enum Holm {
  /// p-values adjusted for being several, in the order given: each may be held against α as if it stood alone. Source:
  /// S. Holm, *A Simple Sequentially Rejective Multiple Test Procedure*, Scandinavian Journal of Statistics 6 (1979).
  package static func adjusted(_ pValues: [Double]) -> [Double] {
    let order = pValues.indices.sorted { pValues[$0] < pValues[$1] }
    var adjusted = pValues
    var highest = 0.0
    for (place, index) in order.enumerated() {
      highest = max(highest, min(1, Double(pValues.count - place) * pValues[index]))
      adjusted[index] = highest
    }
    return adjusted
  }
}
