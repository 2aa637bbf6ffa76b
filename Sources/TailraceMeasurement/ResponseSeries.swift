import TailraceCore

/// Response times over time: of all jobs that ran to their end, by the instant at which they settled, warm-up included.
///
/// Its JSON holds each slot as text, `sum max gap:count,gap:count…` in nanoseconds and numbers of bins, empty for a
/// slot in which no job settled. Reading it gives an equal value.
package struct ResponseSeries: Sendable, Hashable, Codable {
  /// Response times that count as one: an eighth of a doubling.
  package struct Bin: Sendable, Hashable {
    /// From 0, in ascending order.
    var index: Int
    package var count: UInt64
    /// The value that stands for the bin, in nanoseconds: no sample in it is further from it than 6 %, below 1 µs
    /// 512 ns.
    package var middle: UInt64 {
      (ResponseGrid.lowest(of: index) + ResponseGrid.lowest(of: index + 1)) / 2
    }
  }

  /// What settled within one stretch of time.
  package struct Slot: Sendable, Hashable {
    var bins: [Bin] = []
    /// Of all response times, in nanoseconds; exact.
    var sum: Int128 = 0
    /// The greatest response time; exact.
    package internal(set) var max = Nanoseconds.zero

    /// Jobs that settled.
    package var count: UInt64 { bins.reduce(0) { $0 + $1.count } }
    /// The mean response time in nanoseconds, exact; nil without jobs.
    package var mean: Double? { bins.isEmpty ? nil : Double(sum) / Double(count) }

    /// A percentile (nearest rank) to within 6 %, or nil where ``Distribution/samplesNeeded(for:)`` finds too few jobs.
    package func percentile(_ wanted: Double) -> Nanoseconds? {
      let count = count
      guard count >= Distribution.samplesNeeded(for: wanted) else { return nil }
      let rank = Swift.max(1, (wanted / 100 * Double(count)).rounded(.up))
      var seen: UInt64 = 0
      for bin in bins {
        seen += bin.count
        if Double(seen) >= rank { return Swift.min(Nanoseconds(Int64(bin.middle)), max) }
      }
      return max
    }

    mutating func merge(_ other: Slot) {
      var counts: [Int: UInt64] = [:]
      for bin in bins + other.bins { counts[bin.index, default: 0] += bin.count }
      bins = counts.keys.sorted().map { Bin(index: $0, count: counts[$0]!) }
      sum += other.sum
      max = Swift.max(max, other.max)
    }
  }

  /// The slots' width in nanoseconds.
  package var width: Nanoseconds
  /// From the run's start; at most 128.
  package var slots: [Slot]

  /// The same in wider slots: each the sum of `factor` of these.
  package func widened(by factor: Int) -> ResponseSeries {
    guard factor > 1 else { return self }
    let starts = stride(from: 0, to: slots.count, by: factor)
    return ResponseSeries(
      width: Nanoseconds(width.rawValue * Int64(factor)),
      slots: starts.map { start in
        slots[start..<Swift.min(start + factor, slots.count)].reduce(into: Slot()) { $0.merge($1) }
      })
  }
}

extension ResponseSeries.Slot: Codable {
  package init(from decoder: any Decoder) throws {
    let box = try decoder.singleValueContainer()
    let text = try box.decode(String.self)
    guard let slot = Self(text) else {
      throw DecodingError.dataCorruptedError(
        in: box, debugDescription: "expected a sum, a maximum and gap:count pairs, got \(text.prefix(60))")
    }
    self = slot
  }

  package func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    guard !bins.isEmpty else { return try box.encode("") }
    var previous = 0
    let pairs = bins.map { bin in
      defer { previous = bin.index }
      return "\(bin.index - previous):\(bin.count)"
    }
    try box.encode("\(sum) \(max.rawValue) \(pairs.joined(separator: ","))")
  }

  private init?(_ text: String) {
    guard !text.isEmpty else { return }
    let fields = text.split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count == 3, let sum = Int128(fields[0]), let max = Int64(fields[1]), sum >= 0, max >= 0 else {
      return nil
    }
    self.sum = sum
    self.max = Nanoseconds(max)
    var index = 0
    for pair in fields[2].split(separator: ",", omittingEmptySubsequences: false) {
      let halves = pair.split(separator: ":", omittingEmptySubsequences: false)
      guard halves.count == 2, let gap = Int(halves[0]), let count = UInt64(halves[1]), count > 0,
        gap > 0 || bins.isEmpty, gap >= 0, gap < ResponseGrid.binCount - index
      else { return nil }
      index += gap
      bins.append(ResponseSeries.Bin(index: index, count: count))
    }
  }
}
