import TailraceCore
import TailraceWorkload

extension Scenario {
  /// What no system that runs one job at a time can replay, in words.
  package var lacksForOneAtATime: [String] {
    (jobs.contains { $0.uniqueKeys != nil } ? ["unique keys"] : [])
      + (hasClosedArrivals ? ["clients that await their jobs (a closed load)"] : [])
  }

  /// What it asks of a system beyond running jobs on a bounded number of workers, in words.
  package func needs(tape: Tape) -> [String] {
    var needs: [String] = []
    if hasDependencies { needs.append("dependencies between jobs") }
    if !failFastBatches.isEmpty { needs.append("fail-fast batches") }
    let priorities = Set(jobs.map(\.priority))
    switch scheduler.policy {
    case .fifo: break
    case .priority, .aging, .slopeAging: if priorities.count > 1 { needs.append("priorities") }
    case .deadline: needs.append("the policy deadline")
    case .shortest: needs.append("the policy shortest")
    case .fair(.jobType): if jobs.count > 1 { needs.append("the policy fair") }
    case .fair(.tenant): needs.append("the policy fair by tenant")
    }
    if jobs.contains(where: { $0.failures != .none && ($0.retry ?? scheduler.retry).limit > 0 }) {
      needs.append("retries")
    }
    if jobs.contains(where: { $0.failures.hangs > 0 }) { needs.append("timeouts") }
    if jobs.contains(where: { $0.delay != nil }) { needs.append("delayed jobs") }
    if jobs.contains(where: { $0.cancel != nil }) { needs.append("cancellation") }
    if jobs.contains(where: { $0.uniqueKeys != nil }) { needs.append("unique keys") }
    if ([scheduler.tenants.each] + scheduler.tenants.named.values).contains(where: {
      $0.concurrency != nil || $0.rate != nil
    }
    ) {
      needs.append("limits by tenant")
    }
    if scheduler.adaptive != nil { needs.append("adaptive limits") }
    if scheduler.autoscaling != nil { needs.append("autoscaling") }
    if scheduler.codel != nil { needs.append("shedding by waiting time (codel)") }
    if jobs.contains(where: { $0.concurrency != nil }) { needs.append("concurrency limits per job type") }
    if scheduler.concurrency.map({ $0 < scheduler.workers }) == true { needs.append("a concurrency limit") }
    if scheduler.rate != nil || jobs.contains(where: { $0.rate != nil }) { needs.append("rate limits") }
    if scheduler.memoryBudget != nil, jobs.contains(where: { $0.memory > 0 }) { needs.append("a memory budget") }
    if jobs.contains(where: { $0.resolvedPool == .thread }), jobs.contains(where: { $0.resolvedPool == .async }) {
      needs.append("two pools of workers")
    }
    if queueMayFill(tape) { needs.append("a bounded queue") }
    return needs + needsOfSimulation
  }

  /// Whether more jobs come than the queue holds, so that its bound may matter.
  private func queueMayFill(_ tape: Tape) -> Bool {
    var cursor = tape.makeCursor()
    for _ in 0..<min(scheduler.queueCapacity, 2_000_000) where cursor.next() == nil { return false }
    return cursor.next() != nil
  }
}
