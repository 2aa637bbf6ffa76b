extension SchedulerCore {
  /// When a job that waits for its delay or for its next attempt becomes eligible; nil in every other state.
  public func dueInstant(of id: JobID) -> Instant? {
    guard let slot = jobs.find(id), jobs[slot].pointee.state == .scheduled else { return nil }
    return jobs[slot].pointee.eligible
  }
}
