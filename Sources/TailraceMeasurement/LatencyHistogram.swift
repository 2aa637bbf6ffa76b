import Histogram
import TailraceCore

/// Collects lengths of time, in nanoseconds, into an HdrHistogram of three significant digits, beside their exact
/// count, sum, least and greatest.
///
/// Recording allocates only when a value is larger than any before it: the histogram grows with what it sees, up to
/// ``limit``. Values outside 0…``limit`` are counted and shown, never dropped in silence.
package struct LatencyHistogram: Sendable {
  /// The longest time that has a bin of its own: one hour. Longer ones are counted as ``above``.
  package static let limit = Nanoseconds.seconds(3_600)

  /// Values other than zero, which many quantities are most of the time and which need no bins.
  private var bins: Histogram<UInt32>?
  private var zeros: UInt64 = 0
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
    if value == 0 {
      zeros &+= 1
      count &+= 1
    } else {
      recordNonZero(value)
    }
  }

  private mutating func recordNonZero(_ value: Int64) {
    guard value > 0 else {
      below += 1
      return
    }
    // A bin counts in 32 bits: beyond that many samples it could wrap, so they are shown as out of range instead.
    guard value <= Self.limit.rawValue, count - zeros < UInt64(UInt32.max) else {
      above += 1
      return
    }
    if bins == nil {
      var fresh = Histogram<UInt32>(
        lowestDiscernibleValue: 1, highestTrackableValue: max(2, UInt64(value)), numberOfSignificantValueDigits: .three)
      fresh.autoResize = true
      bins = fresh
    }
    count &+= 1
    bins!.record(UInt64(value))
  }

  /// Adds every sample of another histogram.
  package mutating func merge(_ other: LatencyHistogram) {
    zeros += other.zeros
    count += other.count
    below += other.below
    above += other.above
    sum += other.sum
    least = min(least, other.least)
    greatest = max(greatest, other.greatest)
    guard let others = other.bins else { return }
    if bins == nil { bins = others } else { bins!.add(others) }
  }

  /// What was recorded, in the form in which results keep it; nil when nothing was.
  package var distribution: Distribution? {
    guard count + below + above > 0 else { return nil }
    var values: [Distribution.Bin] = []
    if zeros > 0 { values.append(Distribution.Bin(lowest: 0, count: zeros)) }
    if let bins {
      for step in bins.recordedValues() {
        values.append(
          Distribution.Bin(lowest: bins.lowestEquivalentForValue(step.value), count: UInt64(step.count)))
      }
    }
    return Distribution(
      bins: values, below: below, above: above, sum: sum, min: Nanoseconds(least), max: Nanoseconds(greatest))
  }
}
