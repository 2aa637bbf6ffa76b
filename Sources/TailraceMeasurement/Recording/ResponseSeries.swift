import TailraceCore

/// Response times over time of all finished jobs, by settlement instant, including warm-up.
///
/// Its JSON contains each slot as text, `sum max gap:count,gap:count…` in nanoseconds and bin indices, empty for a slot
/// in which no job settled. Decoding gives an equal value.
package struct ResponseSeries: Sendable, Hashable, Codable {
  /// A bin of response times: an eighth of a doubling.
  package struct Bin: Sendable, Hashable {
    /// From 0, in ascending order.
    var index: Int
    package var count: UInt64
    /// The value that represents the bin, in nanoseconds: within 6 % of every sample in it; 512 ns for samples below 1
    /// µs.
    package var middle: UInt64 {
      (ResponseGrid.lowest(of: index) + ResponseGrid.lowest(of: index + 1)) / 2
    }
  }

  /// The jobs that settled within a slot of time.
  package struct Slot: Sendable, Hashable {
    var bins: [Bin] = []
    /// The exact sum of the response times, in nanoseconds.
    var sum: Int128 = 0
    /// The exact maximum response time.
    package internal(set) var max = Nanoseconds.zero

    /// Jobs that settled.
    package var count: UInt64 { bins.reduce(0) { $0 + $1.count } }
    /// The exact mean response time in nanoseconds; nil without jobs.
    package var mean: Double? { bins.isEmpty ? nil : Double(sum) / Double(count) }

    /// A percentile (nearest rank) to within 6 %; nil if there are fewer jobs than
    /// ``Distribution/samplesNeeded(for:)``.
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
  /// From the run's start; at most 128 slots.
  package var slots: [Slot]

  private enum CodingKeys: String, CodingKey {
    case slots
    case width = "widthNs"
  }

  /// The series in wider slots, each the sum of `factor` of these.
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
