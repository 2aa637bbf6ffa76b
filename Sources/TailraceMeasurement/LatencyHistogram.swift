import TailraceCore

/// Collects lengths of time, in nanoseconds, into bins of three significant digits, beside their exact count, sum,
/// least and greatest.
///
/// The bins are HdrHistogram's; the place of a value among them is computed here, since it is folded millions of times
/// a second. A test holds it against that library.
///
/// Recording allocates only when a value is larger than any before it: the histogram grows with what it sees, up to
/// ``limit``. Values outside 0…``limit`` are counted and shown, never dropped in silence.
package struct LatencyHistogram: Sendable {
  /// The longest time that has a bin of its own: one hour. Longer ones are counted as ``above``.
  package static let limit = Nanoseconds.seconds(3_600)

  /// Samples by bin, as many bins as the greatest value so far needs.
  private var bins: [UInt32] = []
  /// Samples within 0…``limit``.
  package private(set) var count: UInt64 = 0
  /// Samples below zero: the instants they were taken from are out of order.
  package private(set) var below: UInt64 = 0
  /// Samples above ``limit``.
  package private(set) var above: UInt64 = 0
  /// The exact sum of all samples, those out of range included.
  package private(set) var sum: Int128 = 0
  private var least = Int64.max
  private var greatest = Int64.min

  /// Makes an empty histogram, which holds no memory.
  package init() {}

  /// Adds a sample.
  @inline(__always)
  package mutating func record(_ value: Nanoseconds) { record(value.rawValue) }

  /// Adds a sample in nanoseconds.
  @inline(__always)
  mutating func record(_ value: Int64) {
    sum &+= Int128(value)
    if value < least { least = value }
    if value > greatest { greatest = value }
    let index = Self.index(of: value)
    if index < bins.count, bins[index] != .max {
      bins[index] &+= 1
      count &+= 1
    } else {
      recordSlowly(value)
    }
  }

  /// The bin of a value: below 2048 its own, from there on 1024 per doubling. Past every bin for a negative value.
  @inline(__always)
  private static func index(of value: Int64) -> Int {
    let magnitude = max(0, 53 - value.leadingZeroBitCount)
    return value < 0 ? .max : magnitude << 10 + Int(value >> Int64(magnitude))
  }

  /// The least value of a bin.
  private static func lowest(of index: Int) -> UInt64 {
    index < 2_048 ? UInt64(index) : UInt64(index & 1_023 | 1_024) << UInt64(index >> 10 - 1)
  }

  /// Takes a value that is out of range, or the first so great that it needs more bins.
  @inline(never)
  private mutating func recordSlowly(_ value: Int64) {
    guard value >= 0 else {
      below += 1
      return
    }
    let index = Self.index(of: value)
    // A bin counts in 32 bits: what would wrap is shown as out of range instead.
    guard value <= Self.limit.rawValue, index >= bins.count else {
      above += 1
      return
    }
    grow(to: index + 1)
    bins[index] = 1
    count += 1
  }

  /// Makes room for whole doublings, so that a slowly rising maximum grows the list some forty times at most.
  private mutating func grow(to wanted: Int) {
    let size = max(wanted <= 64 ? 64 : wanted <= 512 ? 512 : (wanted + 1_023) & ~1_023, bins.count)
    bins.append(contentsOf: repeatElement(0, count: size - bins.count))
  }

  /// Adds every sample of another histogram.
  package mutating func merge(_ other: LatencyHistogram) {
    count += other.count
    below += other.below
    above += other.above
    sum += other.sum
    least = min(least, other.least)
    greatest = max(greatest, other.greatest)
    grow(to: other.bins.count)
    for (index, theirs) in other.bins.enumerated() where theirs > 0 {
      let (sum, overflow) = bins[index].addingReportingOverflow(theirs)
      bins[index] = overflow ? .max : sum
      guard overflow else { continue }
      // What does not fit the bin is out of range, as it would be in one histogram.
      above += UInt64(sum) + 1
      count -= UInt64(sum) + 1
    }
  }

  /// What was recorded, in the form in which results keep it; nil when nothing was.
  package var distribution: Distribution? {
    guard count + below + above > 0 else { return nil }
    var values: [Distribution.Bin] = []
    for (index, count) in bins.enumerated() where count > 0 {
      values.append(Distribution.Bin(lowest: Self.lowest(of: index), count: UInt64(count)))
    }
    return Distribution(
      bins: values, below: below, above: above, sum: sum, min: Nanoseconds(least), max: Nanoseconds(greatest))
  }
}
