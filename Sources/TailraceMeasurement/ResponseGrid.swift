import Glibc
import TailraceCore

/// Response times over time: for each slot of equal width how many jobs settled in it, the sum and the greatest of
/// their response times, and how many fell into each of a row of bins.
///
/// As in ``TimeGrid``, slots double in width as the run grows, so that memory is bounded, and everything is a whole
/// number, so that the order in which it is filled and merged does not show. Memory is the system's, provided page by
/// page when a slot is first used.
struct ResponseGrid: ~Copyable, @unchecked Sendable {
  /// Slots at most.
  static let slotLimit = 128
  /// Eight bins per doubling from 1 µs to 9.5 hours, one below and one above.
  static let binCount = 1 + 35 * 8 + 1
  /// Words of a slot: the bins, then the sum in two halves, then the greatest.
  private static let stride = binCount + 3
  private static let byteCount = slotLimit * stride * MemoryLayout<UInt64>.stride

  private(set) var shift = TimeGrid.finestShift
  private let words: UnsafeMutablePointer<UInt64>
  /// Slots up to the latest instant that was added.
  private var used = 0

  init() {
    let memory = mmap(nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let memory, memory != MAP_FAILED else {
      fatalError("no memory for response times over time: error \(errno)")
    }
    words = memory.bindMemory(to: UInt64.self, capacity: Self.slotLimit * Self.stride)
  }

  deinit { munmap(words, Self.byteCount) }

  /// The bin of a response time in nanoseconds.
  @inline(__always)
  static func bin(of value: UInt64) -> Int {
    guard value >= 1_024 else { return 0 }
    let doublings = 63 - value.leadingZeroBitCount
    return min(1 + (doublings - 10) << 3 + Int(value >> UInt64(doublings - 3) & 7), binCount - 1)
  }

  /// The least value of a bin, in nanoseconds.
  static func lowest(of bin: Int) -> UInt64 {
    bin == 0 ? 0 : UInt64(8 + (bin - 1) & 7) << UInt64((bin - 1) >> 3 + 7)
  }

  /// Adds the response time of a job that settled at an instant of the run, both in nanoseconds.
  @inline(__always)
  mutating func add(_ response: Int64, at instant: Int64) {
    let instant = max(instant, 0)
    let place = Int(truncatingIfNeeded: instant &>> Int64(shift))
    let slot = words + (place < used ? place : extend(to: instant)) &* Self.stride
    let value = UInt64(max(response, 0))
    slot[Self.bin(of: value)] &+= 1
    let (sum, overflow) = slot[Self.binCount].addingReportingOverflow(value)
    slot[Self.binCount] = sum
    if overflow { slot[Self.binCount + 1] &+= 1 }
    if value > slot[Self.binCount + 2] { slot[Self.binCount + 2] = value }
  }

  @inline(never)
  private mutating func extend(to instant: Int64) -> Int {
    while instant >> Int64(shift) >= Int64(Self.slotLimit) { coarsen() }
    let slot = Int(instant >> Int64(shift))
    used = max(used, slot + 1)
    return slot
  }

  private mutating func coarsen() {
    for slot in 0..<used where slot > 0 {
      let from = words + slot * Self.stride
      if slot & 1 == 1 { Self.add(from, to: words + slot / 2 * Self.stride) }
      if slot & 1 == 0 { (words + slot / 2 * Self.stride).update(from: from, count: Self.stride) }
      from.update(repeating: 0, count: Self.stride)
    }
    used = (used + 1) / 2
    shift += 1
  }

  private static func add(_ from: UnsafeMutablePointer<UInt64>, to slot: UnsafeMutablePointer<UInt64>) {
    for bin in 0..<binCount { slot[bin] += from[bin] }
    let (sum, overflow) = slot[binCount].addingReportingOverflow(from[binCount])
    slot[binCount] = sum
    slot[binCount + 1] += from[binCount + 1] + (overflow ? 1 : 0)
    slot[binCount + 2] = max(slot[binCount + 2], from[binCount + 2])
  }

  /// Adds everything that another grid holds.
  mutating func merge(_ other: borrowing ResponseGrid) {
    while shift < other.shift { coarsen() }
    // A slot of the other is a part of one of these.
    for index in 0..<other.used {
      let slot = extend(to: Int64(index) << Int64(other.shift))
      Self.add(other.words + index * Self.stride, to: words + slot * Self.stride)
    }
  }

  /// What was added, from the run's start; the last slot is the last in which a job settled.
  var series: ResponseSeries {
    let slots = (0..<used).map { index -> ResponseSeries.Slot in
      let slot = words + index * Self.stride
      var result = ResponseSeries.Slot()
      for bin in 0..<Self.binCount where slot[bin] > 0 {
        result.bins.append(ResponseSeries.Bin(index: bin, count: slot[bin]))
      }
      result.sum = Int128(slot[Self.binCount + 1]) << 64 + Int128(slot[Self.binCount])
      result.max = Nanoseconds(Int64(clamping: slot[Self.binCount + 2]))
      return result
    }
    return ResponseSeries(width: Nanoseconds(1 << Int64(shift)), slots: slots)
  }
}
