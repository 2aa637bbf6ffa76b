/// Callbacks for settled jobs, by job type. Each has a number, used to withdraw it.
struct SettledCallbacks {
  /// In order of registration. Numbers increase, so a callback is found by bisection. A withdrawn callback leaves an
  /// empty entry; entries are compacted when half are empty.
  private struct List {
    var list: ContiguousArray<(number: UInt64, callback: SettledCallback?)> = []
    var count = 0

    mutating func add(_ callback: SettledCallback) {
      list.append((callback.number, callback))
      count += 1
    }

    mutating func remove(_ number: UInt64) -> SettledCallback? {
      var (low, high) = (0, list.count)
      while low < high {
        let middle = (low + high) / 2
        if list[middle].number < number { low = middle + 1 } else { high = middle }
      }
      guard low < list.count, list[low].number == number, let callback = list[low].callback.take() else { return nil }
      count -= 1
      // Only empty entries are released here.
      if list.count >= 2 * count + 8 { list.removeAll { $0.callback == nil } }
      return callback
    }

    var callbacks: [SettledCallback] { list.compactMap(\.callback) }
  }

  private var ofEveryType = List()
  private var byType: [String: List] = [:]
  /// The type by number, for callbacks of one type.
  private var types: [UInt64: String] = [:]
  private var nextNumber: UInt64 = 0

  var isEmpty: Bool { ofEveryType.count == 0 && byType.isEmpty }

  /// Returns the number to withdraw it with.
  mutating func add(_ type: String?, _ action: @escaping @Sendable (SettledJob) -> Void) -> UInt64 {
    nextNumber += 1
    let callback = SettledCallback(number: nextNumber, type: type, action: action)
    if let type {
      byType[type, default: List()].add(callback)
      types[nextNumber] = type
    } else {
      ofEveryType.add(callback)
    }
    return nextNumber
  }

  /// Returns the callback, which the caller releases outside the lock; nil: it was already withdrawn.
  mutating func remove(_ number: UInt64) -> SettledCallback? {
    guard let type = types.removeValue(forKey: number) else { return ofEveryType.remove(number) }
    let removed = byType[type]?.remove(number)
    if byType[type]?.count == 0 { byType[type] = nil }
    return removed
  }

  /// The callbacks for jobs of a type, in order of registration.
  func concerned(with type: String) -> [SettledCallback] {
    guard let own = byType[type]?.callbacks else { return ofEveryType.callbacks }
    guard ofEveryType.count > 0 else { return own }
    return (own + ofEveryType.callbacks).sorted { $0.number < $1.number }
  }
}
