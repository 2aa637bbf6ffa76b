import TailraceCore
import TailraceWorkload

/// What goes wrong by the scenario's plan of faults.
///
/// # Stalls and clocks
/// The simulation has one clock, the process's. While the process stands still, nothing is decided, submitted or
/// noticed: what fell due is done at the end of the stall, late. Work that waits goes on meanwhile; work that uses a
/// processor takes that much longer. Where the clock jumps, work goes on as if it had not, so that its ends move by the
/// same step; timers and intended arrivals stay where they are on the clock. A process whose clock was set back stamps
/// what happens with its latest instant until the clock has caught up: nothing ever ends before it began.
extension Simulation {
  /// When the next fault comes that matters: none does once nothing else is left to happen.
  func nextFault(before instant: Instant) -> Instant {
    guard let faults else { return instant }
    let real = min(instant, faults.nextReturn)
    return real == .distantFuture ? real : min(real, faults.plan.next)
  }

  /// Everything that goes wrong at the present instant, before anything else happens there. A stall or a jump moves the
  /// present on.
  mutating func strike(isInterrupted: () -> Bool) {
    var strikes = 0
    while faults!.plan.next <= reading {
      strikes += 1
      if strikes & 0xfff == 0, isInterrupted() { return }
      let strike = faults!.plan.takeNext()
      switch strike.kind {
      case .crash(let workers, let pool):
        for victim in faults!.crash(strike, workers: workers, in: pool, at: reading) { kill(victim) }
      case .stall(let length): standStill(until: strike.at + length)
      case .stepClock(let step): stepClock(step)
      }
    }
    while let worker = faults!.takeReturn(by: reading) {
      core.workerReturned(worker.number, pool: worker.pool, at: now)
    }
  }

  private mutating func kill(_ worker: WorkerPlace) {
    core.workerLeft(worker.number, pool: worker.pool, at: now)
    guard let attempt = calendar.take(from: place(worker.pool, worker.number)) else { return }
    core.attemptEnded(
      attempt.token, started: attempt.started, finished: now, outcome: .crashed, at: now, into: &outbox)
  }

  /// Stalls that overlap end with the last of them.
  private mutating func standStill(until end: Instant) {
    let end = min(end, .horizon)
    guard end > reading else { return }
    faults!.record(InjectedFault(.stall, at: reading, until: end))
    calendar.postpone(by: end - reading) { computes[Int($0.token.type.rawValue)] }
    reading = end
    now = max(now, reading)
  }

  /// A step that leads beyond the end of virtual time leads to it.
  private mutating func stepClock(_ step: Nanoseconds) {
    let target = max(min(reading + step, .horizon), Instant.zero - (.horizon - .zero))
    let step = target - reading
    faults!.record(InjectedFault(.clockStep, at: reading, until: reading + step))
    calendar.postpone(by: step) { _ in true }
    reading = reading + step
    now = max(now, reading)
  }

  /// Submits a job as far as it gets: not at all, once, or twice.
  mutating func submitThroughFaults(holdsUp: Bool) {
    switch faults!.plan.fate(of: job.number, type: job.type, at: reading) {
    case .arrives: submit(holdsUp: holdsUp)
    case .isLost: faults!.record(InjectedFault(.jobLost, at: now, number: job.number))
    case .isDoubled:
      submit(holdsUp: holdsUp)
      // The duplicate is invisible to the submitter: nothing depends on it, and it is never cancelled or awaited.
      faults!.record(InjectedFault(.jobDoubled, at: now, number: job.number))
      _ = core.jobSubmitted(submission, at: now, into: &outbox)
    }
  }

  /// What a fault makes of an attempt that starts now.
  mutating func afflict(_ attempt: inout VirtualAttempt, _ token: AttemptToken) {
    let (type, number) = (Int(token.type.rawValue), Int(token.attempt))
    switch faults!.plan.ending(of: token.number, type: type, attempt: number, at: reading) {
    case .fails:
      faults!.record(InjectedFault(.attemptFailed, at: now, number: token.number, attempt: number))
      attempt.outcome = .failed
    case .hangs:
      faults!.record(InjectedFault(.attemptHung, at: now, number: token.number, attempt: number))
      attempt.length = nil
    case .succeeds, .failsPermanently, nil: break
    }
  }
}
