import TailraceCore

/// Forwards every record to several observers in order.
struct ObserverFanOut: TimelineObserver {
  let observers: [any TimelineObserver]

  /// Returns a single observer as is, and nil for none, so that only multiple observers have the extra cost.
  static func joining(_ observers: [any TimelineObserver]) -> (any TimelineObserver)? {
    observers.count > 1 ? ObserverFanOut(observers: observers) : observers.first
  }

  func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {
    for observer in observers { observer.record(records, shard: shard) }
  }

  func typeRegistered(_ name: String, as id: JobTypeID) {
    for observer in observers { observer.typeRegistered(name, as: id) }
  }
}
