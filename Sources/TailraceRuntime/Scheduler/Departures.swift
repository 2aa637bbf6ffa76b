/// Values removed from the scheduler's state, to be released after its lock is unlocked.
///
/// Releasing a user's object may run a user's `deinit`, which may call the scheduler. Therefore payloads, values,
/// errors and closures are never released under the lock but moved here. ``Scheduler`` empties the list after each
/// locked section, in one place.
struct Departures {
  /// A user's value, or a container of one.
  enum Departure {
    case result(AttemptResult)
    case object(AnyObject)
  }

  private var list: ContiguousArray<Departure> = []

  @inline(__always) var isEmpty: Bool { list.isEmpty }

  /// Adds a payload or a value.
  @inline(__always)
  mutating func add(value: consuming (any Sendable)?) {
    if let value { list.append(.result(.value(value))) }
  }

  mutating func add(error: (any Error)?) {
    if let error { list.append(.result(.error(error))) }
  }

  @inline(__always)
  mutating func add(ending: consuming AttemptResult?) {
    if let ending { list.append(.result(ending)) }
  }

  @inline(__always)
  mutating func add(object: AnyObject?) {
    if let object { list.append(.object(object)) }
  }

  /// Releases everything and keeps the storage, so that steady state does not allocate.
  @inline(__always)
  mutating func release() {
    if !list.isEmpty { list.removeAll(keepingCapacity: true) }
  }
}

/// Boxes a value type until it may be released.
final class Held<Value> {
  let value: Value
  init(_ value: Value) { self.value = value }
}

extension Scheduler {
  /// Calls `body` with exclusive access to the scheduler's state. This is the only access.
  ///
  /// `body` must not call user code and must not release values that may hold user objects: return them, or move them
  /// to
  /// ``DriverState/departures``, to be released after unlocking.
  @inline(__always)
  func withState<Value, Failure: Error>(
    _ body: (inout DriverState) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    var departed = Departures()
    return try withState(releasing: &departed, body)
  }
}
