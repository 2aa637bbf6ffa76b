import TailraceCore

/// A quantity over time, summed in slots of equal width that double as the run grows, so that memory is bounded.
///
/// The width of a slot is a power of two in nanoseconds, at least 2^``finestShift``. All values are integers, so the
/// result does not depend on the order of adding and merging.
struct TimeGrid: ~Copyable, @unchecked Sendable {
  /// Maximum number of slots.
  static let slotLimit = 1_024
  /// Slots are 2^20 ns (about 1 ms) wide at first.
  static let finestShift = 20

  private(set) var shift = TimeGrid.finestShift
  // Both are variables, because the thread sanitizer's pass of Swift 6.3.1 creates an invalid module from constants.
  /// The amounts added to each slot individually.
  private var sums = UnsafeMutablePointer<UInt64>.allocate(capacity: slotLimit)
  /// Carries of ``sums``, each 2⁶⁴, for extreme cases such as a century in a hundred thousand queues. nil: none, as in
  /// almost every run.
  private var carries: UnsafeMutablePointer<Int64>?
  /// Changes of the number of spans that cover a slot completely.
  private var changes = UnsafeMutablePointer<Int64>.allocate(capacity: slotLimit)
  /// The number of slots up to the latest instant added.
  private var used = 0

  init() {
    sums.initialize(repeating: 0, count: Self.slotLimit)
    changes.initialize(repeating: 0, count: Self.slotLimit)
  }

  deinit {
    sums.deallocate()
    carries?.deallocate()
    changes.deallocate()
  }

  /// The width of a slot.
  var width: Nanoseconds { Nanoseconds(1 << Int64(shift)) }

  /// Counts an event at an instant of the run.
  @inline(__always)
  mutating func add(at instant: Int64) { sums[slot(of: max(instant, 0))] &+= 1 }

  /// Adds a time span: each slot's sum increases by the nanoseconds of the span within the slot.
  @inline(__always)
  mutating func addSpan(from start: Int64, to end: Int64) {
    let start = max(start, 0)
    guard end > start else { return }
    let last = slot(of: end)
    let first = Int(truncatingIfNeeded: start &>> Int64(shift))
    if first == last {
      add(UInt64(truncatingIfNeeded: end &- start), to: first)
    } else {
      // Intermediate values do not exceed the slots' width, so wrapping sums of instants lose nothing.
      add(UInt64(truncatingIfNeeded: Int64(first + 1) &<< Int64(shift) &- start), to: first)
      add(UInt64(truncatingIfNeeded: end &- Int64(last) &<< Int64(shift)), to: last)
      changes[first + 1] &+= 1
      changes[last] &-= 1
    }
  }

  @inline(__always)
  private mutating func add(_ length: UInt64, to slot: Int) {
    let (sum, overflow) = sums[slot].addingReportingOverflow(length)
    sums[slot] = sum
    if overflow { setCarry(carry(of: slot) + 1, of: slot) }
  }

  @inline(__always)
  private func carry(of slot: Int) -> Int64 { carries.map { $0[slot] } ?? 0 }

  @inline(never)
  private mutating func setCarry(_ carry: Int64, of slot: Int) {
    if carries == nil {
      carries = .allocate(capacity: Self.slotLimit)
      carries!.initialize(repeating: 0, count: Self.slotLimit)
    }
    carries![slot] = carry
  }

  private mutating func set(_ sum: Int128, of slot: Int) {
    sums[slot] = UInt64(truncatingIfNeeded: sum)
    let carry = Int64(truncatingIfNeeded: sum >> 64)
    if carry != self.carry(of: slot) { setCarry(carry, of: slot) }
  }

  @inline(__always)
  private mutating func slot(of instant: Int64) -> Int {
    let slot = Int(truncatingIfNeeded: instant &>> Int64(shift))
    return slot < used ? slot : extend(to: instant)
  }

  @inline(never)
  private mutating func extend(to instant: Int64) -> Int {
    while instant >> Int64(shift) >= Int64(Self.slotLimit) { coarsen() }
    let slot = Int(instant >> Int64(shift))
    used = max(used, slot + 1)
    return slot
  }

  private mutating func coarsen() {
    // In place: a pair of slots is at or after the slot that receives its sum.
    var covering: Int128 = 0
    let wide = used
    used = (wide + 1) / 2
    for slot in 0..<Self.slotLimit {
      var sum: Int128 = 0
      for part in slot * 2..<max(slot * 2, min(slot * 2 + 2, wide)) {
        covering += Int128(changes[part])
        sum += Int128(carry(of: part)) << 64 + Int128(sums[part]) + covering << Int128(shift)
      }
      set(sum, of: slot)
      changes[slot] = 0
    }
    shift += 1
  }

  /// The sum of each slot, from the run's start.
  var slots: [Int128] {
    var covering: Int128 = 0
    return (0..<used).map { index in
      covering += Int128(changes[index])
      return Int128(carry(of: index)) << 64 + Int128(sums[index]) + covering << Int128(shift)
    }
  }

  /// Adds everything in another grid.
  mutating func merge(_ other: borrowing TimeGrid) {
    while shift < other.shift { coarsen() }
    // A slot of the other grid is a part of a slot of this one.
    for (index, value) in other.slots.enumerated() where value != 0 {
      let slot = slot(of: Int64(index) << Int64(other.shift))
      set(Int128(carry(of: slot)) << 64 + Int128(sums[slot]) + value, of: slot)
    }
  }
}
