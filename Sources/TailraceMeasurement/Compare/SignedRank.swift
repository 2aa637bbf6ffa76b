/// The exact signed-rank test of paired samples: whether the differences are symmetric about zero.
///
/// It assumes no distribution other than symmetry, so it complements the bootstrap. Differences of exactly zero are
/// excluded, ties share their ranks, and the p-value is exact for the given ranks, however few.
/// Source: F. Wilcoxon, *Individual Comparisons by Ranking Methods*, Biometrics Bulletin 1 (1945); the distribution by
/// the recursion over ranks in M. Hollander, D. A. Wolfe, *Nonparametric Statistical Methods* (1973), section 3.1.
package enum SignedRank {
  /// The two-sided p-value; 1 if every difference is zero.
  package static func pValue(_ differences: [Double]) -> Double {
    let sizes = differences.filter { $0 != 0 }
    guard !sizes.isEmpty else { return 1 }
    let order = sizes.indices.sorted { abs(sizes[$0]) < abs(sizes[$1]) }
    // Twice the rank, which is an integer even for ties.
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

  /// The smallest p-value possible for this many differences: 2^(1−n).
  package static func leastPValue(count: Int) -> Double {
    count < 1 ? 1 : (0..<(count - 1)).reduce(1.0) { value, _ in value / 2 }
  }

  /// The probability of each sum of the ranks with one sign, if both signs are equally likely.
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

/// A correction for multiple tests that keeps the probability of even one false alarm below α.
package enum Holm {
  /// Adjusted p-values in the given order; each may be compared with α as if it were the only one. Source: S. Holm, *A
  /// Simple Sequentially Rejective Multiple Test Procedure*, Scandinavian Journal of Statistics 6 (1979).
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
