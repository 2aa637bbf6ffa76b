import TailraceCore
import TailraceWorkload

/// What was injected shows in the records, and nothing else went wrong.
extension RecordAuditor {
  /// How much longer an attempt may seem to have run than it did: stalls and forward jumps of the clock meanwhile.
  func timeLost(by record: TimelineRecord) -> Nanoseconds {
    faults.filter { ($0.kind == .stall || $0.kind == .clockStep) && $0.until > $0.at }
      .filter { $0.at < record.finished && $0.until > record.started }
      .reduce(.zero) { $0 + ($1.until - $1.at) }
  }

  /// Whether the process stood still at an instant, or its clock jumped over it.
  func passedUnseen(_ instant: Instant) -> Bool {
    faults.contains { ($0.kind == .stall || $0.kind == .clockStep) && $0.at <= instant && instant < $0.until }
  }

  mutating func checkFaults() {
    for fault in faults {
      switch fault.kind {
      case .attemptFailed: checkAttempt(fault) { $0.outcome != .succeeded }
      case .attemptHung: checkAttempt(fault) { $0.outcome != .succeeded && $0.outcome != .failed }
      case .jobLost: check(!records.contains { $0.number == fault.number }, "job \(fault.number!), lost, is on record")
      case .jobDoubled:
        check(records.contains { $0.number == fault.number }, "job \(fault.number!), doubled, is not on record")
      case .workerCrashed: checkCrash(fault)
      case .stall: checkStall(fault)
      case .clockStep: break
      }
    }
    // A worker dies only if the plan says so, and only while it is present.
    let isVague = hasBackwardStep
    for record in records where record.outcome == .crashed {
      check(
        faults.contains {
          $0.kind == .workerCrashed && $0.worker == WorkerPlace(pool: record.pool, number: record.worker)
            && (isVague ? record.finished >= $0.at : record.finished == $0.at)
        }, "job \(record.number) crashed, and no worker did")
    }
  }

  private mutating func checkAttempt(_ fault: InjectedFault, _ holds: (TimelineRecord) -> Bool) {
    let own = records.filter {
      $0.number == fault.number && Int($0.attempt) == fault.attempt && $0.started != TimelineRecord.never
    }
    // Of a job that was doubled one copy may have been struck.
    let struck = own.count(where: holds)
    let isDoubled = doubled.contains(fault.number!)
    check(
      struck > 0 && (isDoubled || struck == own.count),
      "attempt \(fault.attempt) of job \(fault.number!): \(fault.kind) shows not")
  }

  /// Nothing begins or goes on on a worker that is away.
  private mutating func checkCrash(_ fault: InjectedFault) {
    guard let worker = fault.worker, !hasBackwardStep else { return }
    let meanwhile = records.filter {
      $0.started != TimelineRecord.never && WorkerPlace(pool: $0.pool, number: $0.worker) == worker
        && $0.started < fault.until && $0.finished > fault.at
    }
    check(meanwhile.isEmpty, "worker \(worker.number), away, runs job \(meanwhile.first?.number ?? 0)")
  }

  /// Nothing happens while the process stands still.
  private mutating func checkStall(_ fault: InjectedFault) {
    guard !hasBackwardStep else { return }
    // What was dropped never happened: its record carries its intended instant.
    for record in records where !(record.settles && record.cause == .dropped) {
      for instant in [record.submitted, record.accepted, record.started, record.finished]
      where instant > fault.at && instant < fault.until {
        check(false, "something happens to job \(record.number) in a stall")
      }
    }
  }

  /// After a step back the scheduler's time stands until the clock has caught up: what was and what is cannot be told
  /// apart by instants.
  private var hasBackwardStep: Bool { faults.contains { $0.kind == .clockStep && $0.until < $0.at } }

  /// An attempt that ends by itself takes as long as the tape says, and ends as it says, unless a fault had a hand in
  /// it.
  mutating func checkWork() {
    let afflicted = faults.contains { $0.kind == .stall || $0.kind == .clockStep }
    let struck = Set(
      faults.filter { $0.kind == .attemptFailed || $0.kind == .attemptHung }.map { "\($0.number!) \($0.attempt)" })
    for record in records where record.started != TimelineRecord.never {
      let plan = tape.virtualAttempt(
        job: record.number, type: Int(record.type.rawValue), attempt: Int(record.attempt))
      let took = record.finished - record.started
      let isStruck = struck.contains("\(record.number) \(record.attempt)")
      switch record.outcome {
      case .succeeded, .failed, .failedPermanently:
        check(
          isStruck || record.outcome == plan.outcome,
          "job \(record.number), attempt \(record.attempt): \(record.outcome), not \(plan.outcome)")
        let planned = plan.length.map { "\($0)" } ?? "for ever"
        check(
          afflicted || took == plan.length || scenario.backendCapacity != nil && took > plan.length ?? .zero,
          "job \(record.number), attempt \(record.attempt) took \(took), not \(planned)")
      case .timedOut, .cancelled, .crashed:
        check(
          afflicted || isStruck || scenario.backendCapacity != nil || plan.length.map { took <= $0 } ?? true,
          "job \(record.number), attempt \(record.attempt) ended late: \(took)")
      }
    }
  }
}
