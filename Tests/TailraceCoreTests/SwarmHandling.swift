// Goal: the swarm's dead letters and parked types.
import TailraceCore

extension SwarmRun {
  /// Runs a dead letter again, or forgets some.
  mutating func lookAtDeadLetters() {
    let letters = core.deadLetterIDs
    if let id = letters.isEmpty ? nil : random.pick(letters), random.chance(70) {
      guard var submission = auditor.jobs[id]?.submission else {
        return auditor.problem("an unheard of dead letter: \(id)")
      }
      submission.number = nextTag
      nextTag += 1
      (submission.intended, submission.submitted, submission.delay) = (now, now, .zero)
      (submission.dependencies, submission.batch) = ([], nil)
      guard let admission = core.deadLetterReplayed(id, number: submission.number, at: now, into: &outbox) else {
        return auditor.problem("\(id) is a dead letter and cannot be replayed")
      }
      if case .refused = admission, core.state(of: id) == nil {
        auditor.problem("the dead letter \(id) is gone, and its replay was refused")
      }
      took(admission, of: submission)
    } else if let id = letters.last, random.chance(50) {
      if !core.deadLetterPurged(id, at: now, into: &outbox) { auditor.problem("\(id) cannot be purged") }
    } else {
      core.deadLettersPurged(
        olderThan: .milliseconds(Int64(random.number(0...30))), at: now, into: &outbox)
    }
    collect()
  }

  /// A worker whose attempt was stopped gives its place to a spare one.
  mutating func replaceWorker() {
    for attempt in attempts where attempt.isStopped {
      let stuck = SwarmAuditor.Worker(pool: attempt.token.pool, worker: attempt.token.worker)
      guard !auditor.replaced.contains(stuck), !auditor.absent.contains(stuck),
        let place = auditor.spares.firstIndex(where: { $0.pool == stuck.pool })
      else { continue }
      let spare = auditor.spares.remove(at: place)
      auditor.replaced.append(stuck)
      core.workerReplaced(stuck.worker, by: spare.worker, pool: stuck.pool, at: now)
      return collect()
    }
  }

  /// A replaced worker that holds nothing any more is a spare one.
  mutating func noteFreePlaces() {
    let free = auditor.replaced.filter { worker in
      !attempts.contains { $0.token.pool == worker.pool && $0.token.worker == worker.worker }
    }
    auditor.replaced.removeAll { free.contains($0) }
    auditor.spares += free
  }

  /// Opens the first of the parked types.
  mutating func openType() {
    let type = auditor.parked.removeFirst()
    try! core.typeOpened(type, as: plan.types[Int(type.rawValue)], at: now, into: &outbox)
    collect()
  }
}
