/// An exact sum of squares, from which a variance is computed.
///
/// It is an integer of 192 bits, enough for 2⁶⁴ samples of any 64-bit value. The result does not depend on the order of
/// adding and merging, and the small difference of large numbers in a variance is exact.
package struct SquareSum: Sendable, Hashable {
  private var low: UInt128 = 0
  private var high: UInt64 = 0

  package init() {}

  /// Adds the square of a value.
  mutating func add(_ value: Int64) {
    let (upper, lower) = value.magnitude.multipliedFullWidth(by: value.magnitude)
    add(UInt128(upper) << 64 | UInt128(lower), 0)
  }

  mutating func merge(_ other: SquareSum) { add(other.low, other.high) }

  /// Adds `high·2¹²⁸ + low`.
  mutating func add(_ low: UInt128, _ high: UInt64) {
    let (sum, overflow) = self.low.addingReportingOverflow(low)
    self.low = sum
    self.high &+= high &+ (overflow ? 1 : 0)
  }

  /// The variance of the samples, `(n·Σx² − (Σx)²) / n²`, with an exact numerator.
  ///
  /// - Parameters:
  ///   - sum: of the same samples.
  ///   - count: the number of samples; above zero.
  /// - Returns: nil if the sums cannot belong to the same samples.
  func variance(sum: Int128, count: UInt64) -> Double? {
    // 256-bit numbers in halves.
    let lower = low.multipliedFullWidth(by: UInt128(count))
    let product = (high: lower.high + UInt128(high) * UInt128(count), low: lower.low)
    let square = sum.magnitude.multipliedFullWidth(by: sum.magnitude)
    let (difference, borrow) = product.low.subtractingReportingOverflow(square.low)
    let (upper, isNegative) = product.high.subtractingReportingOverflow(square.high + (borrow ? 1 : 0))
    guard !isNegative else { return nil }
    let numerator = Double(upper) * 0x1p128 + Double(difference)
    return numerator / Double(count) / Double(count)
  }

  /// An integer in decimal, or `HIGH:LOW` for `HIGH·2¹²⁸ + LOW`.
  var text: String { high == 0 ? "\(low)" : "\(high):\(low)" }

  /// Parses ``text``.
  init?(text: String) {
    let halves = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(halves.count), let low = UInt128(halves[halves.count - 1]) else { return nil }
    self.low = low
    guard halves.count == 2 else { return }
    guard let high = UInt64(halves[0]) else { return nil }
    self.high = high
  }
}
