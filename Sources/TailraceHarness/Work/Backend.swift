import Synchronization
import TailraceCore
import TailraceWorkload

/// A shared backend. Above its capacity, an attempt that starts is slowed down in proportion to the concurrent
/// attempts.
final class Backend: Sendable {
  private let capacity: Double
  private let busy = Atomic<Int>(0)

  init(capacity: Int) { self.capacity = Double(capacity) }

  /// An attempt begins; what it will do from now on.
  func enter(_ order: WorkOrder) -> WorkOrder {
    let running = Double(busy.wrappingAdd(1, ordering: .relaxed).newValue)
    var order = order
    order.plan.service = order.plan.service.scaled(by: max(1, running / capacity))
    return order
  }

  /// An attempt is over.
  func leave() { busy.wrappingSubtract(1, ordering: .relaxed) }
}
