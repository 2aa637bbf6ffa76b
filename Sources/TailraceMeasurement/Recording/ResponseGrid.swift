import Glibc
import TailraceCore

/// Response times over time: for each slot of equal width the number of jobs that settled in it, the sum and the
/// maximum of their response times, and a histogram.
///
/// As in ``TimeGrid``, slots double in width as the run grows, so memory is bounded. All values are integers, so the
/// result does not depend on the order of adding and merging. The system provides memory page by page on first use.
struct ResponseGrid: ~Copyable, @unchecked Sendable {
  /// Maximum number of slots.
  static let slotLimit = 128
  /// Eight bins per doubling from 1 µs to 9.5 hours, one below and one above.
  static let binCount = 1 + 35 * 8 + 1
  /// Words per slot: the bins, the sum in two halves, and the maximum.
  private static let stride = binCount + 3
  private static let byteCount = slotLimit * stride * MemoryLayout<UInt64>.stride

  private(set) var shift = TimeGrid.finestShift
  private let words: UnsafeMutablePointer<UInt64>
  /// The number of slots up to the latest instant added.
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

  /// The smallest value of a bin, in nanoseconds.
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

  /// Adds everything in another grid.
  mutating func merge(_ other: borrowing ResponseGrid) {
    while shift < other.shift { coarsen() }
    // A slot of the other grid is a part of a slot of this one.
    for index in 0..<other.used {
      let slot = extend(to: Int64(index) << Int64(other.shift))
      Self.add(other.words + index * Self.stride, to: words + slot * Self.stride)
    }
  }

  /// The series from the run's start to the last slot with a settled job.
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
