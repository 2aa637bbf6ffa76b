/// A binary heap of accounts by waiting jobs relative to their weight, longest first. Each account stores its position.
///
/// Used only if jobs are shed by shares. Ties go to the account that was created first.
struct ShareHeap: ~Copyable {
  private var entries = OwnedArray<UInt32>()

  /// The account with the most waiting; nil: nothing waits.
  var first: UInt32? { entries.first }

  /// Updates an account after its waiting jobs or its weight changed.
  @inline(never)
  mutating func update(_ share: UInt32, in shares: inout OwnedArray<ShareAccount>) {
    let position = Int(shares[Int(share)].heapPosition)
    if position < 0 {
      guard shares[Int(share)].waiting > 0 else { return }
      entries.append(share)
      siftUp(entries.count - 1, in: &shares)
    } else if shares[Int(share)].waiting == 0 {
      shares[Int(share)].heapPosition = -1
      let last = entries.removeLast()
      guard position < entries.count else { return }
      entries[position] = last
      if siftUp(position, in: &shares) == position { siftDown(position, in: &shares) }
    } else if siftUp(position, in: &shares) == position {
      siftDown(position, in: &shares)
    }
  }

  private static func precedes(_ a: UInt32, _ b: UInt32, in shares: borrowing OwnedArray<ShareAccount>) -> Bool {
    let (left, right) = (shares[Int(a)].length, shares[Int(b)].length)
    return left != right ? left > right : a < b
  }

  @discardableResult
  private mutating func siftUp(_ start: Int, in shares: inout OwnedArray<ShareAccount>) -> Int {
    var position = start
    let share = entries[position]
    while position > 0, Self.precedes(share, entries[(position - 1) / 2], in: shares) {
      place(entries[(position - 1) / 2], at: position, in: &shares)
      position = (position - 1) / 2
    }
    place(share, at: position, in: &shares)
    return position
  }

  private mutating func siftDown(_ start: Int, in shares: inout OwnedArray<ShareAccount>) {
    var position = start
    let share = entries[position]
    while position * 2 + 1 < entries.count {
      var child = position * 2 + 1
      if child + 1 < entries.count, Self.precedes(entries[child + 1], entries[child], in: shares) { child += 1 }
      guard Self.precedes(entries[child], share, in: shares) else { break }
      place(entries[child], at: position, in: &shares)
      position = child
    }
    place(share, at: position, in: &shares)
  }

  private mutating func place(_ share: UInt32, at position: Int, in shares: inout OwnedArray<ShareAccount>) {
    entries[position] = share
    shares[Int(share)].heapPosition = Int32(position)
  }
}
