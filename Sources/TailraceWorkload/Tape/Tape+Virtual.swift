import TailraceCore

/// The result of an attempt in virtual time.
package struct VirtualAttempt: Sendable, Hashable {
  /// Its duration; nil: it hangs until it is stopped.
  package var length: Nanoseconds?
  /// Its outcome, unless it is stopped earlier.
  package var outcome: AttemptOutcome
}

extension Tape {
  /// The result of an attempt in virtual time. Its duration is the service time as drawn, `simulated_service` for real
  /// operations, or the sum of cycles and pauses for work in cycles.
  ///
  /// - Parameter attempt: From 1.
  @inline(__always)
  package func virtualAttempt(job: UInt64, type: Int, attempt number: Int) -> VirtualAttempt {
    let plan = attempt(job: job, type: type, attempt: number)
    let outcome: AttemptOutcome
    switch plan.ending {
    case .hangs: return VirtualAttempt(length: nil, outcome: .cancelled)
    case .succeeds: outcome = .succeeded
    case .fails: outcome = .failed
    case .failsPermanently: outcome = .failedPermanently
    }
    switch types[type].course {
    case .plain: return VirtualAttempt(length: plan.service, outcome: outcome)
    case .operation:
      // A stall is added.
      let draw = jobRandom.key(job).key(UInt64(number)).key(.simulatedService).uniform
      let length = plan.service + (types[type].simulatedService?.quantile(draw) ?? .zero)
      return VirtualAttempt(length: length, outcome: outcome)
    case .cycles:
      guard case .cycles(let limit, _, let pause, _) = types[type].work else {
        preconditionFailure("\(types[type].work.kind) is not work in cycles")
      }
      return cycles(plan, limit: limit, pause: pause, outcome: outcome) {
        cycleFails(job: job, type: type, attempt: number, cycle: $0)
      }
    }
  }

  /// Runs cycles until enough have succeeded, or the limit is reached, in which case the attempt times out.
  private func cycles(
    _ plan: AttemptPlan, limit: Int, pause: Nanoseconds, outcome: AttemptOutcome, fails: (Int) -> Bool
  ) -> VirtualAttempt {
    var (done, succeeded) = (0, 0)
    while done < max(1, limit), succeeded < max(1, plan.cycles) {
      done += 1
      if !fails(done) { succeeded += 1 }
    }
    let length = plan.service.times(done) + pause.times(done - 1)
    return VirtualAttempt(length: length, outcome: succeeded >= max(1, plan.cycles) ? outcome : .timedOut)
  }
}

extension Scenario {
  /// Job types with real work and without `simulated_service`.
  package var jobsWithoutVirtualTime: [String] {
    jobs.filter { job in
      switch job.work {
      case .sleep, .spin, .memory, .cycles: false
      case .sqlite, .subprocess, .events: job.simulatedService == nil
      }
    }.map(\.name)
  }
}
