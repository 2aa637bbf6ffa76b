import TailraceCore

/// Several observers in the place of one: each gets every record, one after another.
struct ObserverFanOut: TimelineObserver {
  let observers: [any TimelineObserver]

  /// One observer as it is, none as nil: only several pay for being several.
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
