/// What the scheduler keeps about the open batches.
struct BatchTable {
  struct Batch {
    let failFast: Bool
    /// Only of a fail-fast batch: whom to cancel.
    var members: ContiguousArray<JobID> = []
    var unsettled = 0
    var sealed = false
    var failed = false
  }

  /// Looked up by number only, never iterated.
  private var open: [UInt32: Batch] = [:]
  private var nextNumber: UInt32 = 0

  mutating func add(failFast: Bool) -> BatchID {
    defer { nextNumber += 1 }
    open[nextNumber] = Batch(failFast: failFast)
    return BatchID(rawValue: nextNumber)
  }

  subscript(number: UInt32) -> Batch? {
    get { open[number] }
    _modify { yield &open[number] }
  }
}

extension SchedulerCore {
  /// A submitter opened a batch: jobs submitted with its identifier settle together.
  ///
  /// - Parameter failFast: whether the first job that is dead-lettered cancels the rest; otherwise every
  ///   result and every failure is collected.
  public mutating func batchOpened(failFast: Bool) -> BatchID { batches.add(failFast: failFast) }

  /// No more jobs will be submitted to the batch; once all are settled, `settleBatch` is ordered.
  public mutating func batchSealed(_ id: BatchID, into outbox: inout Outbox) {
    guard batches[id.rawValue] != nil else { return }
    batches[id.rawValue]!.sealed = true
    finishBatchIfSettled(id, into: &outbox)
  }

  /// Whether the batch was opened and has not settled.
  public func isOpen(_ id: BatchID) -> Bool { batches[id.rawValue] != nil }

  func finishBatchIsDue(_ id: BatchID) -> Bool {
    guard let batch = batches[id.rawValue] else { return false }
    return batch.sealed && batch.unsettled == 0
  }

  mutating func finishBatchIfSettled(_ id: BatchID, into outbox: inout Outbox) {
    guard finishBatchIsDue(id) else { return }
    batches[id.rawValue] = nil
    outbox.orders.append(.settleBatch(id))
  }

  /// A job of a batch settled: counts it, and cancels the rest of a fail-fast batch when it was dead-lettered.
  mutating func batchMemberSettled(_ number: UInt32, state: JobState, into outbox: inout Outbox) {
    guard batches[number] != nil else { return }
    batches[number]!.unsettled -= 1
    if state == .deadLettered, batches[number]!.failFast, !batches[number]!.failed {
      batches[number]!.failed = true
      for member in batches[number]!.members { cancel(member, cause: .batchFailed, into: &outbox) }
    }
    finishBatchIfSettled(BatchID(rawValue: number), into: &outbox)
  }
}
