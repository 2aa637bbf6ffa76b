/// The open batches.
struct BatchTable {
  struct Batch {
    let failFast: Bool
    /// The jobs to cancel; kept for fail-fast batches only.
    var members: ContiguousArray<JobID> = []
    var unsettled = 0
    var sealed = false
    var failed = false
  }

  /// Looked up by number only, never iterated.
  private var open: [UInt32: Batch] = [:]
  var nextNumber: UInt32 = 0

  /// Batches that are open.
  var count: Int { open.count }

  mutating func add(failFast: Bool) -> BatchID {
    // Wraps before the value that means "no batch" and skips numbers of batches that are still open.
    while open[nextNumber] != nil { nextNumber = (nextNumber &+ 1) & Identifiers.mask }
    defer { nextNumber = (nextNumber &+ 1) & Identifiers.mask }
    open[nextNumber] = Batch(failFast: failFast)
    return BatchID(rawValue: nextNumber)
  }

  subscript(number: UInt32) -> Batch? {
    @inline(__always) get { open[number] }
    _modify { yield &open[number] }
  }
}

extension SchedulerCore {
  /// Opens a batch: jobs submitted with its identifier settle together.
  ///
  /// - Parameter failFast: if true, the first dead-lettered job cancels the rest; if false, every result and every
  ///   failure is collected.
  /// - Throws: ``LimitReached`` when ``mostBatches`` are open.
  public mutating func batchOpened(failFast: Bool) throws(LimitReached) -> BatchID {
    guard batches.count < Self.mostBatches else {
      throw LimitReached(
        "open batches", count: batches.count, limit: Self.mostBatches,
        remedy: "settle those whose jobs are all submitted")
    }
    return batches.add(failFast: failFast)
  }

  /// The maximum number of batches open at once.
  public static let mostBatches = 1_000_000

  /// Adds a job to a fail-fast batch. Settled members are removed periodically, so that a batch that stays open for
  /// long keeps only jobs it can still cancel.
  mutating func noteMember(_ job: JobID, of number: UInt32) {
    let known = batches[number]!.members.count
    if known >= 64, known > 2 * batches[number]!.unsettled {
      var kept = ContiguousArray<JobID>()
      for member in batches[number]!.members where state(of: member)?.isTerminal == false { kept.append(member) }
      batches[number]!.members = kept
    }
    batches[number]!.members.append(job)
  }

  /// Seals a batch: no more jobs will be submitted to it. Once all its jobs have settled, `settleBatch` is ordered.
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
