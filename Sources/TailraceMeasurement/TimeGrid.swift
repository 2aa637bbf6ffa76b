import TailraceCore

/// A quantity over time, summed in slots of equal width that double as the run grows, so that its memory is bounded.
///
/// Slots are a power of two of nanoseconds wide, at least ``finestShift``. Everything in it is a whole number, so the
/// order in which it is filled and merged does not show.
struct TimeGrid: Sendable {
  /// Slots at most.
  static let slotLimit = 1_024
  /// Slots are 2^20 ns (about 1 ms) wide at first.
  static let finestShift = 20

  private(set) var shift = TimeGrid.finestShift
  /// What was added to each slot on its own.
  private var sums: [Int64] = []
  /// Changes of how many spans cover a slot wholly.
  private var changes: [Int64] = []

  /// The width of a slot.
  var width: Nanoseconds { Nanoseconds(1 << Int64(shift)) }

  /// Counts something that happened at an instant of the run.
  mutating func add(at instant: Int64) {
    let slot = slot(of: max(instant, 0))
    sums[slot] += 1
  }

  /// Adds a span of time: each slot's sum grows by the nanoseconds of it that lie within.
  mutating func addSpan(from start: Int64, to end: Int64) {
    let start = max(start, 0)
    guard end > start else { return }
    let last = slot(of: end)
    let first = Int(start >> Int64(shift))
    if first == last {
      sums[first] += end - start
    } else {
      sums[first] += Int64(first + 1) << Int64(shift) - start
      sums[last] += end - Int64(last) << Int64(shift)
      changes[first + 1] += 1
      changes[last] -= 1
    }
  }

  private mutating func slot(of instant: Int64) -> Int {
    while instant >> Int64(shift) >= Int64(Self.slotLimit) { coarsen() }
    let slot = Int(instant >> Int64(shift))
    if slot >= sums.count {
      let missing = slot + 1 - sums.count
      sums.append(contentsOf: repeatElement(0, count: missing))
      changes.append(contentsOf: repeatElement(0, count: missing))
    }
    return slot
  }

  private mutating func coarsen() {
    let values = slots
    sums = stride(from: 0, to: values.count, by: 2).map { values[$0] + ($0 + 1 < values.count ? values[$0 + 1] : 0) }
    changes = Array(repeating: 0, count: sums.count)
    shift += 1
  }

  /// The sum of each slot, from the run's start.
  var slots: [Int64] {
    var covering: Int64 = 0
    return sums.indices.map { index in
      covering += changes[index]
      return sums[index] + covering << Int64(shift)
    }
  }

  /// Adds everything that another grid holds.
  mutating func merge(_ other: TimeGrid) {
    var other = other
    while other.shift < shift { other.coarsen() }
    while shift < other.shift { coarsen() }
    for (index, value) in other.slots.enumerated() where value != 0 {
      _ = slot(of: Int64(index) << Int64(shift))
      sums[index] += value
    }
  }
}
