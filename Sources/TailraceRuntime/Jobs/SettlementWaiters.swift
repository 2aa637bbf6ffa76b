/// Waiters for a job's settlement, in order of registration. Each has a number, used to withdraw it.
///
/// Numbers increase, so a waiter is found by bisection. A withdrawn one leaves an empty entry; entries are compacted
/// when half are empty.
struct SettlementWaiters {
  typealias Action = @Sendable (JobResult) -> Void

  struct Waiter {
    fileprivate let number: UInt64
    /// nil: withdrawn.
    fileprivate(set) var action: Action?
    /// Whether this is the scheduler's own code, which is notified first, rather than a user callback.
    let isOwn: Bool
  }

  private var list: ContiguousArray<Waiter> = []
  private var nextNumber: UInt64 = 0
  /// The number of waiters.
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }
  /// The number of entries, including empty ones.
  var places: Int { list.count }

  mutating func add(isOwn: Bool, _ action: @escaping Action) -> UInt64 {
    defer { nextNumber += 1 }
    list.append(Waiter(number: nextNumber, action: action, isOwn: isOwn))
    count += 1
    return nextNumber
  }

  /// Withdraws a waiter; nil: it was notified or withdrawn.
  mutating func withdraw(_ number: UInt64) -> Action? {
    var (low, high) = (0, list.count)
    while low < high {
      let middle = (low + high) / 2
      if list[middle].number < number { low = middle + 1 } else { high = middle }
    }
    guard low < list.count, list[low].number == number, let action = list[low].action.take() else { return nil }
    count -= 1
    // Only empty entries are released here.
    if list.count >= 2 * count + 8 { list.removeAll { $0.action == nil } }
    return action
  }

  /// Removes and returns all waiters.
  mutating func takeAll() -> ContiguousArray<Waiter> {
    var taken: ContiguousArray<Waiter> = []
    swap(&taken, &list)
    // Only empty entries are released here.
    if taken.count > count { taken.removeAll { $0.action == nil } }
    count = 0
    return taken
  }
}
