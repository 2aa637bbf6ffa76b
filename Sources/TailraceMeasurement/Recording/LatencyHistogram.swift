import Glibc
import TailraceCore

/// Collects durations in nanoseconds in a histogram with three significant digits, plus exact count, sum, sum of
/// squares, minimum and maximum.
///
/// The bins are HdrHistogram's; the index is computed here, because millions of values are added per second. A test
/// compares it with that library.
///
/// All bins up to ``limit`` are mapped with the first sample, in memory that the system provides page by page on first
/// use. So a sample costs the same whether or not it is the longest so far, and a histogram of similar values uses a
/// few pages. It does not use the allocator that is being measured. Values outside 0…``limit`` are counted and
/// reported.
package struct LatencyHistogram: ~Copyable, @unchecked Sendable {
  /// The maximum duration with its own bin: ten years, for logs of months. Longer ones are counted in ``above``.
  package static let limit = Nanoseconds.seconds(3_650 * 86_400)

  /// Bins up to ``limit``.
  private static let binCount = index(of: limit.rawValue) + 1
  private static let byteCount = binCount * MemoryLayout<UInt32>.stride

  /// The maximum sample for the fast path: 2.4 hours, or 0 before the first sample. Overflowing the 128-bit sum of
  /// squares would take a century.
  private var reach: UInt64 = 0
  private static let furthestReach: UInt64 = 1 << 43 - 1
  /// Samples by bin; empty before the first.
  private var bins = UnsafeMutableBufferPointer<UInt32>(start: nil, count: 0)
  /// The exact sum of all samples, including those out of range.
  package private(set) var sum: Int128 = 0
  /// The exact sum of the squares of the samples within ``reach``.
  private var nearSquares: UInt128 = 0
  /// The minimum of the nonzero samples.
  private var least = Int64.max
  private var greatest = Int64.min
  /// Samples of 0, which are in no bin.
  private var zeros: UInt64 = 0
  /// The exact sum of the squares of all other samples, including those out of range.
  private var farSquares = SquareSum()
  /// Samples below zero, which indicate that instants are out of order.
  package private(set) var below: UInt64 = 0
  /// Samples above ``limit``.
  package private(set) var above: UInt64 = 0

  /// Creates an empty histogram, which uses no memory.
  package init() {}

  deinit { if let start = bins.baseAddress { munmap(start, Self.byteCount) } }

  /// Adds a sample.
  @inline(__always)
  package mutating func record(_ value: Nanoseconds) { record(value.rawValue) }

  /// Adds a sample in nanoseconds.
  @inline(__always)
  mutating func record(_ value: Int64) {
    // Most parts of an undelayed job take no time.
    if value == 0 {
      zeros &+= 1
      return
    }
    sum &+= Int128(value)
    if value < least { least = value }
    if value > greatest { greatest = value }
    // As a bit pattern, a negative value exceeds every reach.
    guard UInt64(bitPattern: value) <= reach else { return recordSlowly(value) }
    let (upper, lower) = value.multipliedFullWidth(by: value)
    nearSquares &+= UInt128(truncatingIfNeeded: upper) << 64 | UInt128(lower)
    let index = Self.index(of: value)
    if bins[index] != .max {
      bins[index] &+= 1
    } else {
      // Bins count in 32 bits; on overflow the sample counts as out of range.
      above += 1
    }
  }

  /// The bin of a value: below 2048 its own, from there on 1024 per doubling.
  @inline(__always)
  private static func index(of value: Int64) -> Int {
    let magnitude = 53 - (value | 2_047).leadingZeroBitCount
    return magnitude &<< 10 &+ Int(value &>> Int64(magnitude))
  }

  /// The smallest value of a bin.
  private static func lowest(of index: Int) -> UInt64 {
    index < 2_048 ? UInt64(index) : UInt64(index & 1_023 | 1_024) << UInt64(index >> 10 - 1)
  }

  /// Adds a value beyond the fast path, or the first one.
  @inline(never)
  private mutating func recordSlowly(_ value: Int64) {
    farSquares.add(value)
    if value < 0 {
      below += 1
    } else if value > Self.limit.rawValue {
      above += 1
    } else {
      if bins.isEmpty { makeBins() }
      let index = Self.index(of: value)
      if bins[index] != .max { bins[index] += 1 } else { above += 1 }
    }
  }

  /// Maps zeroed memory, which the system provides on first use.
  private mutating func makeBins() {
    let memory = mmap(nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let memory, memory != MAP_FAILED else { fatalError("no memory for a histogram: error \(errno)") }
    bins = UnsafeMutableBufferPointer(
      start: memory.bindMemory(to: UInt32.self, capacity: Self.binCount), count: Self.binCount)
    reach = Self.furthestReach
  }

  /// The range of bins that may contain samples. Others are not read, because reading would allocate their memory.
  private var usedBins: Range<Int> {
    guard !bins.isEmpty else { return 0..<0 }
    return Self.index(of: max(0, least))..<Self.index(of: min(greatest, Self.limit.rawValue)) + 1
  }

  /// The exact sum of the squares of all samples, including those out of range.
  private var squares: SquareSum {
    var squares = farSquares
    squares.add(nearSquares, 0)
    return squares
  }

  /// Adds all samples of another histogram.
  package mutating func merge(_ other: borrowing LatencyHistogram) {
    zeros += other.zeros
    below += other.below
    above += other.above
    sum += other.sum
    farSquares.merge(other.squares)
    least = min(least, other.least)
    greatest = max(greatest, other.greatest)
    if bins.isEmpty, !other.bins.isEmpty { makeBins() }
    for index in other.usedBins where other.bins[index] > 0 {
      let theirs = other.bins[index]
      let (sum, overflow) = bins[index].addingReportingOverflow(theirs)
      bins[index] = overflow ? .max : sum
      guard overflow else { continue }
      // Overflow counts as out of range, as in a single histogram.
      above += UInt64(sum) + 1
    }
  }

  /// The recorded samples as stored in results; nil if there are none.
  package var distribution: Distribution? {
    guard zeros + below + above > 0 || !bins.isEmpty else { return nil }
    var values: [Distribution.Bin] = []
    if zeros > 0 { values.append(Distribution.Bin(lowest: 0, count: zeros)) }
    for index in usedBins where bins[index] > 0 {
      values.append(Distribution.Bin(lowest: Self.lowest(of: index), count: UInt64(bins[index])))
    }
    return Distribution(
      bins: values, below: below, above: above, sum: sum, squares: squares,
      min: Nanoseconds(zeros > 0 ? min(least, 0) : least),
      max: Nanoseconds(zeros > 0 ? max(greatest, 0) : greatest))
  }
}
