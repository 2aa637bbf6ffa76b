import TailraceCore

extension Scheduler {
  /// The maximum number of jobs that ``jobs(in:ofType:label:limit:)`` returns.
  public static let mostListed = 10_000

  /// Lists known jobs by state, type and label.
  ///
  /// The cost is proportional to the highest number of jobs that the scheduler has kept at once so far, whatever the
  /// limit: some nanoseconds for each that does not match. The lock is held for at most 1,024 jobs at a time, so that
  /// other calls continue. A job that matches during the whole call is listed once, unless the limit is reached first.
  /// A job that changes its state meanwhile may be missing. The order is not specified.
  ///
  /// ```swift
  /// for job in try scheduler.jobs(in: [.available, .running], ofType: "resize", limit: 20) { print(job) }
  /// ```
  ///
  /// - Parameters:
  ///   - states: the states of interest; by default those of jobs that have not settled. Settled jobs are listed while
  ///     the scheduler keeps them.
  ///   - type: the name of a job type; nil: all.
  ///   - label: one of the job's labels; nil: any job.
  ///   - limit: the maximum number of jobs; 1 to 10,000.
  /// - Throws: ``/TailraceCore/InvalidValues`` if the limit is out of range.
  public func jobs(
    in states: Set<JobState> = [.waitingForRoom, .blocked, .scheduled, .available, .running],
    ofType type: String? = nil, label: String? = nil, limit: Int = 100
  ) throws(InvalidValues) -> [JobStatus] {
    var check = ValueCheck()
    check.check("limit", limit, in: 1...Self.mostListed)
    try check.throwFound()
    var found: [JobStatus] = []
    var slot = 0
    while found.count < limit {
      let isComplete = withState { state in
        state.list(&found, from: &slot, atMost: limit) { state, job in
          states.contains(job.state) && (type == nil || state.types[job.type].name == type)
            && (label == nil || state.entry(of: job.id).watch?.labels.contains(label!) == true)
        }
      }
      if isComplete { break }
    }
    return found
  }
}

extension DriverState {
  /// Adds the next jobs that match. Returns whether there are no more slots.
  fileprivate mutating func list(
    _ found: inout [JobStatus], from slot: inout Int, atMost limit: Int,
    where matches: (borrowing DriverState, (id: JobID, type: JobTypeID, state: JobState)) -> Bool
  ) -> Bool {
    let end = min(core.slotCount, slot + 1_024)
    while slot < end, found.count < limit {
      defer { slot += 1 }
      guard let job = core.job(inSlot: slot), matches(self, job), let status = status(of: job.id) else { continue }
      found.append(status)
    }
    return slot >= core.slotCount
  }
}
