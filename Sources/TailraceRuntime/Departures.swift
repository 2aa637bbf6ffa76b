/// What was taken out of the scheduler's state and is released once its lock is free.
///
/// Releasing an object of the user's may run a `deinit` of the user's, which may call the scheduler. So nothing that
/// holds a payload, a value, an error or a closure is dropped under the lock: it is moved here. ``Scheduler`` empties
/// the list after each locked section, in one place.
struct Departures {
  /// Something of the user's, or something that holds some.
  enum Departure {
    case result(AttemptResult)
    case object(AnyObject)
  }

  private var list: ContiguousArray<Departure> = []

  @inline(__always) var isEmpty: Bool { list.isEmpty }

  /// A payload or a value.
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

  /// Releases everything; keeps the room, so that a worker allocates nothing once it is warm.
  @inline(__always)
  mutating func release() {
    if !list.isEmpty { list.removeAll(keepingCapacity: true) }
  }
}

/// Keeps what is no object until it may be released.
final class Held<Value> {
  let value: Value
  init(_ value: Value) { self.value = value }
}

extension Scheduler {
  /// Calls `body` with the scheduler's state to itself: the one way to it.
  ///
  /// `body` must neither call code of the user nor release what may hold some: what leaves the state is returned, or
  /// goes to ``DriverState/departures``, and is released when the lock is free again.
  @inline(__always)
  func withState<Value, Failure: Error>(
    _ body: (inout DriverState) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    var departed = Departures()
    return try withState(releasing: &departed, body)
  }
}
