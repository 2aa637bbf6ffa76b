import TailraceCore

/// The samples of one quantity in one class: a histogram with three significant digits, plus exact count, sum, sum of
/// squares, minimum and maximum.
///
/// Its JSON contains the bins as text, `gap:count` separated by commas. A gap is the distance of a bin's lowest value
/// from that of the previous bin (first: from 0), in nanoseconds. Decoding gives an equal value.
package struct Distribution: Sendable, Hashable {
  /// A bin: values from ``lowest`` to ``highest``.
  package struct Bin: Sendable, Hashable {
    /// The smallest value of the bin, in nanoseconds.
    package var lowest: UInt64
    package var count: UInt64

    /// The greatest value of the bin, in nanoseconds. Below 2048 each value has its own bin; above, each doubling has
    /// 1024 bins, which is HdrHistogram's layout for three significant digits.
    package var highest: UInt64 { lowest + width - 1 }
    /// The number of values per bin.
    package var width: UInt64 { Self.width(around: lowest) }
    /// The smallest value of the bin that contains `value`.
    package static func lowest(of value: UInt64) -> UInt64 { value - value % width(around: value) }
    /// The width of the bin that contains `value`.
    package static func width(around value: UInt64) -> UInt64 {
      value < 2_048 ? 1 : 1 << UInt64(63 - value.leadingZeroBitCount - 10)
    }
    /// The value that represents the bin in sums.
    package var middle: Double { Double(lowest) + Double(width / 2) }
  }

  /// Bins with samples, in ascending order.
  package private(set) var bins: [Bin]
  /// Samples within the range of the bins.
  package private(set) var count: UInt64
  /// Samples below zero; 0 in a valid run.
  package private(set) var below: UInt64
  /// Samples longer than ``LatencyHistogram/limit``.
  package private(set) var above: UInt64
  /// The exact sum of all samples in nanoseconds, including those out of range.
  package private(set) var sum: Int128
  /// The exact sum of the squares of the same samples; nil in results of earlier versions.
  private var squares: SquareSum?
  /// The exact minimum.
  package private(set) var min: Nanoseconds
  /// The exact maximum.
  package private(set) var max: Nanoseconds

  init(
    bins: [Bin], below: UInt64, above: UInt64, sum: Int128, squares: SquareSum?, min: Nanoseconds, max: Nanoseconds
  ) {
    self.bins = bins
    self.squares = squares
    count = bins.reduce(0) { $0 + $1.count }
    self.below = below
    self.above = above
    self.sum = sum
    self.min = min
    self.max = max
  }

  /// All samples, including those out of range.
  package var total: UInt64 { count + below + above }
  /// Samples outside the range of the bins.
  package var outOfRange: UInt64 { below + above }

  /// The exact mean.
  package var mean: Nanoseconds { Nanoseconds(Int64((Double(sum) / Double(total)).rounded())) }

  /// The exact standard deviation; estimated from the bins if the sum of squares is missing.
  package var standardDeviation: Nanoseconds {
    guard total > 0 else { return .zero }
    if let variance = squares?.variance(sum: sum, count: total) {
      return Nanoseconds(Int64(variance.squareRoot().rounded()))
    }
    guard count > 0 else { return .zero }
    let mean = Double(sum) / Double(total)
    let squares = bins.reduce(0.0) { $0 + Double($1.count) * ($1.middle - mean) * ($1.middle - mean) }
    return Nanoseconds(Int64((squares / Double(count)).squareRoot().rounded()))
  }

  /// How many samples a percentile needs before it is reported: enough that the maximum exceeds the true percentile
  /// with 95 % confidence, whatever the distribution: `1 − p^n ≥ 0.95`. That is 5 samples for p50, 29 for p90, 299 for
  /// p99 and 2,995 for p99.9.
  ///
  /// Source: S. S. Wilks, *Determination of sample sizes for setting tolerance limits*, Ann. Math. Stat. 12, 1941.
  package static func samplesNeeded(for percentile: Double) -> UInt64 {
    let share = percentile / 100
    guard share > 0, share < 1 else { return 1 }
    var (low, high): (UInt64, UInt64) = (1, 1 << 40)
    while low < high {
      let middle = (low + high) / 2
      if share.raised(to: middle) <= 0.05 { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Percentiles in one pass over the bins, in the requested order; nil if there are fewer samples than
  /// ``samplesNeeded(for:)``.
  package func percentiles(_ wanted: [Double]) -> [Nanoseconds?] {
    let all = samplePercentiles(wanted)
    return zip(wanted, all).map { Self.samplesNeeded(for: $0.0) <= count ? $0.1 : nil }
  }

  /// A percentile, or nil if there are too few samples.
  package func percentile(_ wanted: Double) -> Nanoseconds? { percentiles([wanted])[0] }

  /// Percentiles of the samples themselves, however few (nearest rank): the greatest value of the first bin at or below
  /// which at least that share of the samples lies, but at most the maximum sample.
  package func samplePercentiles(_ wanted: [Double]) -> [Nanoseconds?] {
    var result = [Nanoseconds?](repeating: nil, count: wanted.count)
    guard count > 0 else { return result }
    let order = wanted.indices.sorted { (wanted[$0], $0) < (wanted[$1], $1) }
    var next = 0
    var seen: UInt64 = 0
    for bin in bins {
      seen += bin.count
      while next < order.count, seen >= rank(of: wanted[order[next]]) {
        result[order[next]] = Nanoseconds(Swift.min(Int64(bin.highest), Swift.max(max.rawValue, 0)))
        next += 1
      }
    }
    return result
  }

  /// The rank of a percentile's sample, from 1.
  private func rank(of percentile: Double) -> UInt64 {
    let exact = Swift.min(Swift.max(percentile, 0), 100) / 100 * Double(count)
    // A share such as 0.999 is not exact in binary; correct ranks that are integers except for rounding.
    let rounded = exact.rounded()
    let rank = abs(exact - rounded) < 1e-9 * Double(count) ? rounded : exact.rounded(.up)
    return Swift.min(Swift.max(UInt64(rank), 1), count)
  }

  /// Adds all samples of another distribution.
  package mutating func merge(_ other: Distribution) {
    var merged: [Bin] = []
    merged.reserveCapacity(bins.count + other.bins.count)
    var (i, j) = (0, 0)
    while i < bins.count || j < other.bins.count {
      if j == other.bins.count || (i < bins.count && bins[i].lowest < other.bins[j].lowest) {
        merged.append(bins[i])
        i += 1
      } else if i == bins.count || other.bins[j].lowest < bins[i].lowest {
        merged.append(other.bins[j])
        j += 1
      } else {
        merged.append(Bin(lowest: bins[i].lowest, count: bins[i].count + other.bins[j].count))
        i += 1
        j += 1
      }
    }
    bins = merged
    count += other.count
    below += other.below
    above += other.above
    sum += other.sum
    if let theirs = other.squares { squares?.merge(theirs) } else { squares = nil }
    min = Swift.min(min, other.min)
    max = Swift.max(max, other.max)
  }
}

extension Distribution: Codable {
  private enum CodingKeys: String, CodingKey {
    case bins
    case below
    case above
    case sum = "sum_ns"
    case squares = "squares_ns2"
    case min = "min_ns"
    case max = "max_ns"
  }

  package init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    let text = try box.decode(String.self, forKey: .bins)
    let sumText = try box.decode(String.self, forKey: .sum)
    guard let bins = Self.parse(text), let sum = Int128(sumText) else {
      throw DecodingError.dataCorruptedError(
        forKey: .bins, in: box,
        debugDescription: "expected ascending gap:count pairs and a whole sum, got \(text.prefix(60)) and \(sumText)")
    }
    let squares = try box.decodeIfPresent(String.self, forKey: .squares).map { text in
      guard let squares = SquareSum(text: text) else {
        throw DecodingError.dataCorruptedError(
          forKey: .squares, in: box, debugDescription: "expected a whole sum of squares, got \(text.prefix(60))")
      }
      return squares
    }
    self.init(
      bins: bins, below: try box.decodeIfPresent(UInt64.self, forKey: .below) ?? 0,
      above: try box.decodeIfPresent(UInt64.self, forKey: .above) ?? 0, sum: sum, squares: squares,
      min: Nanoseconds(try box.decode(Int64.self, forKey: .min)),
      max: Nanoseconds(try box.decode(Int64.self, forKey: .max)))
    if let squares, total > 0, squares.variance(sum: sum, count: total) == nil {
      throw DecodingError.dataCorruptedError(
        forKey: .squares, in: box, debugDescription: "the sum and the sum of squares are not of the same samples")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    var text = ""
    var previous: UInt64 = 0
    for bin in bins {
      if !text.isEmpty { text += "," }
      text += "\(bin.lowest - previous):\(bin.count)"
      previous = bin.lowest
    }
    try box.encode(text, forKey: .bins)
    if below > 0 { try box.encode(below, forKey: .below) }
    if above > 0 { try box.encode(above, forKey: .above) }
    try box.encode("\(sum)", forKey: .sum)
    try box.encodeIfPresent(squares?.text, forKey: .squares)
    try box.encode(min.rawValue, forKey: .min)
    try box.encode(max.rawValue, forKey: .max)
  }

  private static func parse(_ text: String) -> [Bin]? {
    var bins: [Bin] = []
    var lowest: UInt64 = 0
    for pair in text.utf8.split(separator: UInt8(ascii: ",")) {
      let halves = pair.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      guard halves.count == 2, let gap = UInt64(String(Substring(halves[0]))),
        let count = UInt64(String(Substring(halves[1]))), count > 0, gap > 0 || bins.isEmpty
      else { return nil }
      let (next, overflow) = lowest.addingReportingOverflow(gap)
      guard !overflow, next <= UInt64(LatencyHistogram.limit.rawValue) else { return nil }
      lowest = next
      bins.append(Bin(lowest: lowest, count: count))
    }
    return bins
  }
}
