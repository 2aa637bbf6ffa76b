import TailraceCore

/// The measurements of the jobs of one type and priority.
final class Cell {
  /// By ``Quantity``; a histogram without samples uses no memory. At a fixed address, because each record uses most.
  let histograms = UnsafeMutableBufferPointer<LatencyHistogram>.allocate(capacity: Quantity.allCases.count)
  /// Response times of jobs submitted exactly at their intended arrival: they count as both kinds of response time.
  @exclusivity(unchecked) private var punctual = LatencyHistogram()
  @exclusivity(unchecked) var causes = CauseCounts()
  @exclusivity(unchecked) var parts = PartSums()
  /// Attempts that started.
  @exclusivity(unchecked) var attempts = 0
  /// Attempts after the first that started or waited to start.
  @exclusivity(unchecked) var retries = 0
  /// Jobs that finished after their deadline.
  @exclusivity(unchecked) var late = 0
  /// From the intended arrival.
  private let deadline: Nanoseconds

  init(deadline: Nanoseconds? = nil) {
    self.deadline = deadline ?? Nanoseconds(.max)
    for index in histograms.indices { histograms.initializeElement(at: index, to: LatencyHistogram()) }
  }

  deinit {
    histograms.deinitialize()
    histograms.deallocate()
  }

  /// Must be called before reading: merges `punctual` into both response histograms.
  func close() {
    for part in Quantity.parts { parts.sums[part.rawValue] = histograms[part.rawValue].sum }
    histograms[Quantity.response.rawValue].merge(punctual)
    histograms[Quantity.responseUncorrected.rawValue].merge(punctual)
    punctual = LatencyHistogram()
  }

  @inline(__always)
  func add(_ record: UnsafePointer<TimelineRecord>) {
    if record.pointee.wasSubmitted { addParts(record) }
    if record.pointee.settles {
      causes[record.pointee.cause] += 1
      if record.pointee.wasSubmitted {
        let response = record.pointee.finished - record.pointee.intended
        parts.whole &+= Int128(response.rawValue)
        parts.settled += 1
        if record.pointee.cause.ranToItsEnd {
          if response > deadline { late += 1 }
          if record.pointee.submitted == record.pointee.intended { return punctual.record(response) }
          histograms[Quantity.response.rawValue].record(response)
          histograms[Quantity.responseUncorrected.rawValue].record(record.pointee.finished - record.pointee.submitted)
        }
      }
    }
  }

  @inline(__always)
  private func addParts(_ record: UnsafePointer<TimelineRecord>) {
    if record.pointee.attempt == 1 {
      parts.begun += 1
      add(.submissionLag, record.pointee.submitted - record.pointee.intended)
      add(
        .submission,
        (record.pointee.wasAccepted ? record.pointee.accepted : record.pointee.finished) - record.pointee.submitted)
      if record.pointee.wasAccepted {
        add(
          .dependencyWait,
          (record.pointee.becameEligible ? record.pointee.eligible : record.pointee.finished) - record.pointee.accepted)
      }
    } else {
      retries += 1
      add(
        .backoff,
        (record.pointee.becameEligible ? record.pointee.eligible : record.pointee.finished)
          - record.pointee.previousFinished)
      parts.links &-= Self.link(record.pointee.number, record.pointee.previousFinished)
    }
    if record.pointee.becameEligible {
      add(
        .waiting,
        (record.pointee.wasStarted ? record.pointee.started : record.pointee.finished) - record.pointee.eligible)
    }
    if record.pointee.wasStarted {
      attempts += 1
      add(.service, record.pointee.finished - record.pointee.started)
    }
    if !record.pointee.settles { parts.links &+= Self.link(record.pointee.number, record.pointee.finished) }
  }

  @inline(__always)
  private func add(_ quantity: Quantity, _ length: Nanoseconds) {
    histograms[quantity.rawValue].record(length)
  }

  /// A hash of an attempt's end. The record of the next attempt must contain the same end, so that in the sum over all
  /// records only matching pairs cancel out (with an error probability of 2⁻⁶⁴).
  private static func link(_ job: UInt64, _ finished: Instant) -> UInt64 {
    var z = job &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(bitPattern: finished.nanoseconds)
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  func merge(_ other: Cell) {
    for index in histograms.indices { histograms[index].merge(other.histograms[index]) }
    punctual.merge(other.punctual)
    causes.merge(other.causes)
    parts.merge(other.parts)
    attempts += other.attempts
    retries += other.retries
    late += other.late
  }
}

/// The check that the parts of jobs' time add up to the whole, in exact nanoseconds.
package struct PartSums: Sendable, Hashable {
  /// Sums over all records, by ``Quantity``; only those of ``Quantity/parts`` are used.
  var sums = [Int128](repeating: 0, count: Quantity.parts.count)
  /// Σ (settled − intended) over the submitted jobs that settled.
  package internal(set) var whole: Int128 = 0
  /// Submitted jobs that settled.
  package internal(set) var settled = 0
  /// Jobs whose first record was seen.
  package internal(set) var begun = 0
  /// 0 if each attempt after the first starts where the previous one ended.
  package internal(set) var links: UInt64 = 0

  init() {}

  /// The sum of a part over all records.
  package subscript(part: Quantity) -> Int128 { sums[part.rawValue] }
  /// The whole minus the sum of the parts, in nanoseconds; 0 if they add up.
  package var gap: Int128 { whole - sums.reduce(0, +) }
  /// Whether the sums are comparable: every job that began has settled.
  package var isComplete: Bool { begun == settled }
  /// Whether the parts add up, and each attempt starts where the previous one ended.
  package var addUp: Bool { gap == 0 && links == 0 }

  mutating func merge(_ other: PartSums) {
    for index in sums.indices { sums[index] += other.sums[index] }
    whole += other.whole
    settled += other.settled
    begun += other.begun
    links &+= other.links
  }
}

extension PartSums: Codable {
  private enum CodingKeys: String, CodingKey {
    case sums = "sums_ns"
    case whole = "whole_ns"
    case settled
    case begun
    case links
  }
  package init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    let texts = try box.decode([String].self, forKey: .sums)
    let numbers = texts.compactMap { Int128($0) }
    guard numbers.count == sums.count, texts.count == sums.count,
      let whole = Int128(try box.decode(String.self, forKey: .whole))
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .sums, in: box, debugDescription: "expected \(sums.count) whole numbers as text, got \(texts)")
    }
    sums = numbers
    self.whole = whole
    settled = try box.decode(Int.self, forKey: .settled)
    begun = try box.decode(Int.self, forKey: .begun)
    links = try box.decode(UInt64.self, forKey: .links)
  }
  package func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    try box.encode(sums.map { "\($0)" }, forKey: .sums)
    try box.encode("\(whole)", forKey: .whole)
    try box.encode(settled, forKey: .settled)
    try box.encode(begun, forKey: .begun)
    try box.encode(links, forKey: .links)
  }
}
