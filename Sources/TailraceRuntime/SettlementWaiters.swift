/// Who is to be told when a job settles, in the order in which they came, each by a number by which it is withdrawn.
///
/// Numbers only grow, so that one is found by bisection; what was withdrawn leaves an empty place until half are empty.
struct SettlementWaiters {
  typealias Action = @Sendable (JobResult) -> Void

  struct Waiter {
    fileprivate let number: UInt64
    /// nil: withdrawn.
    fileprivate(set) var action: Action?
    /// Whether the scheduler's own code waits, which is told first, and not a callback of the user's.
    let isOwn: Bool
  }

  private var list: ContiguousArray<Waiter> = []
  private var nextNumber: UInt64 = 0
  /// How many are to be told.
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }
  /// Places of those and of what was withdrawn.
  var places: Int { list.count }

  mutating func add(isOwn: Bool, _ action: @escaping Action) -> UInt64 {
    defer { nextNumber += 1 }
    list.append(Waiter(number: nextNumber, action: action, isOwn: isOwn))
    count += 1
    return nextNumber
  }

  /// Takes one back; nil: it has been told, or withdrawn.
  mutating func withdraw(_ number: UInt64) -> Action? {
    var (low, high) = (0, list.count)
    while low < high {
      let middle = (low + high) / 2
      if list[middle].number < number { low = middle + 1 } else { high = middle }
    }
    guard low < list.count, list[low].number == number, let action = list[low].action.take() else { return nil }
    count -= 1
    // Only empty places are released here.
    if list.count >= 2 * count + 8 { list.removeAll { $0.action == nil } }
    return action
  }

  /// Those who are to be told, who are not told again.
  mutating func takeAll() -> ContiguousArray<Waiter> {
    var taken: ContiguousArray<Waiter> = []
    swap(&taken, &list)
    // Only empty places are released here.
    if taken.count > count { taken.removeAll { $0.action == nil } }
    count = 0
    return taken
  }
}
