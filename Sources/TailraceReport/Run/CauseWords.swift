import TailraceCore
import TailraceMeasurement

/// Why a target was missed, in sentences that the data supports.
package struct CauseWords {
  private let target: TargetOutcome
  private let cause: TargetCause
  private let run: RunResult
  private let metric: Metric?
  private var sentences: [String] = []

  /// The sentences, most important first; empty: nothing is known.
  package static func sentences(_ target: TargetOutcome, in scenario: ScenarioResult) -> [String] {
    guard let run = scenario.primary, let cause = scenario.causes?.first(where: { $0.target == target.expression })
    else { return [] }
    var words = CauseWords(target: target, cause: cause, run: run)
    words.addAll()
    return words.sentences
  }

  private init(target: TargetOutcome, cause: TargetCause, run: RunResult) {
    self.target = target
    self.cause = cause
    self.run = run
    metric = try? Metric(parsing: target.metric, types: run.measurement.classes.compactMap(\.key.type))
  }

  /// The quantity of the target; nil: its metric is a figure.
  private var quantity: Quantity? {
    if case .quantity(let quantity, _)? = metric?.subject { quantity } else { nil }
  }

  private mutating func addAll() {
    addDisturbances(isFailed: true)
    addDemand()
    addFates()
    if let slow = cause.slow {
      if isAboutThem(slow) { addJobs(slow) }
      if quantity == .submissionLag || slow.parts.first?.part == .submissionLag { addLag() }
      if quantity == .dependencyWait || slow.parts.first?.part == .dependencyWait {
        sentences.append("Dependency wait lasts until a job's dependencies and its own delay are over.")
      }
      if isAboutThem(slow) { addTime(slow) }
      addWait(slow)
      if isAboutThem(slow) { addService(slow) }
    }
    if !cause.faults.isEmpty {
      sentences.append("The scenario injected faults into this run: \(cause.faults.joined(separator: ", ")).")
    }
    addDisturbances(isFailed: false)
  }

  /// Whether the target is about how long these jobs took, not about a figure that their waiting affects.
  private func isAboutThem(_ slow: SlowJobs) -> Bool { quantity != nil || slow.limit == nil }

  // MARK: - Jobs that took too long

  private mutating func addJobs(_ slow: SlowJobs) {
    let shares = slow.parts.filter { $0.share >= 0.1 }.prefix(2)
    let most = shares.first.map { $0.share >= 0.8 ? [$0] : Array(shares) } ?? []
    let parts = most.enumerated().map { index, part in
      let of = index > 0 ? "" : slow.isWhole ? " of the time" : " of their time"
      return "\(HumanUnits.share(part.share))\(of) was \(Self.name(part.part))"
    }.joined(separator: " and ")
    if slow.isWhole {
      sentences.append(
        "Over all \(HumanUnits.counted(slow.jobs, "job")), \(parts); the result does not keep each job, so it does not "
          + "show when and why.")
      return
    }
    let count = "\(HumanUnits.count(Double(slow.jobs))) of \(HumanUnits.counted(slow.of, "job"))"
    let isWhole = quantity.map { $0 == .response || $0 == .responseUncorrected } ?? true
    let exceeded = slow.limit == nil ? "ended after their deadline" : "took longer than the limit"
    sentences.append(isWhole ? "\(count) \(exceeded); \(parts)." : "\(count) \(exceeded).")
    if slow.retrying >= 0.3, isWhole {
      sentences.append("\(HumanUnits.share(slow.retrying)) of their time came after a first attempt that failed.")
    }
    if let type = slow.type, slow.ofType >= 0.5 {
      let share = slow.ofType > 0.9999 ? "All of them are" : "\(HumanUnits.share(slow.ofType)) of them are"
      sentences.append("\(share) `\(type)`.")
    }
  }

  private mutating func addTime(_ slow: SlowJobs) {
    guard !slow.isWhole else { return }
    if slow.cameAtOnce { return sentences.append("All jobs of the run were due at one instant.") }
    guard !slow.stretches.isEmpty else { return sentences.append("They arrived throughout the run.") }
    let stretches = slow.stretches.map { stretch in
      stretch.from == stretch.to
        ? "at \(time(stretch.from))"
        : stretch.isLast ? "from \(time(stretch.from)) on" : "from \(time(stretch.from)) to \(time(stretch.to))"
    }
    var words = "They arrived \(stretches.joined(separator: ", "))"
    if let burst = slow.burst {
      let rate = burst.factor.map { "\(HumanUnits.digits($0)) times as fast as usual" } ?? "while usually none come"
      words += ", in or after a burst: from \(time(burst.from)) to \(time(burst.to)) jobs came \(rate)"
    }
    sentences.append(words + ".")
  }

  private mutating func addWait(_ slow: SlowJobs) {
    guard let wait = slow.wait else { return }
    let share = slow.parts.first { $0.part == .waiting }?.share ?? 0
    guard share >= 0.3 || quantity == .waiting || !isAboutThem(slow), let held = wait.held.first else { return }
    let queued = "up to \(HumanUnits.counted(wait.queued, "job")) were queued"
    let during = "For \(HumanUnits.share(held.share)) of \(isAboutThem(slow) ? "their" : "the jobs'") waiting"
    switch held.by {
    case .workers:
      let count = wait.workers.map { $0 == 1 ? "the only worker" : "all \($0) workers" } ?? "all workers"
      let verb = wait.workers == 1 ? "was" : "were"
      sentences.append("\(during) \(count) of the \(wait.pool.name) pool \(verb) busy; \(queued).")
    case .typeConcurrency:
      sentences.append("\(during) `\(held.type ?? "?")` was at its limit of \(limit(held, .count)) at once; \(queued).")
    case .poolConcurrency:
      sentences.append("\(during) the pool was at its limit of \(limit(held, .count)) at once; \(queued).")
    case .typeRate:
      sentences.append("\(during) `\(held.type ?? "?")` started at its rate limit of \(limit(held, .rate)); \(queued).")
    case .poolRate:
      sentences.append("\(during) jobs started at the pool's rate limit of \(limit(held, .rate)); \(queued).")
    case .memory:
      sentences.append(
        "\(during) the memory budget of \(limit(held, .bytes)) had too little left for the next job; \(queued).")
    case .adaptive, .unknown:
      let busy = wait.workers.map { "\(HumanUnits.digits(wait.running)) of \($0) workers were busy on average" }
      let why =
        held.by == .adaptive
        ? "no fixed limit was reached; the scheduler had lowered its own limit"
        : "no known limit was reached"
      sentences.append("\(during) \(why); \(busy.map { $0 + ", " } ?? "")\(queued).")
    }
    if held.by == .workers { addHolders(wait, slow) }
  }

  /// What used the workers while jobs waited for them.
  private mutating func addHolders(_ wait: SlowJobs.Wait, _ slow: SlowJobs) {
    if let stuck = wait.stuck {
      let worker = stuck.worker.map { "worker \(wait.pool.name)-\($0)" } ?? "a worker"
      let others = stuck.attempts > 1 ? " (the longest of \(stuck.attempts) such attempts)" : ""
      sentences.append(
        "A `\(stuck.type)` job kept \(worker) busy for \(time(stuck.service)) from \(time(stuck.started)) on\(others); "
          + "the median of its type is \(time(stuck.usual)).")
    } else if let type = wait.type, wait.ofType >= 0.5, type != metric?.key.type ?? slow.type {
      sentences.append("`\(type)` jobs used \(HumanUnits.share(wait.ofType)) of the workers' time meanwhile.")
    }
    if wait.retries >= 0.25 {
      sentences.append("Retries used \(HumanUnits.share(wait.retries)) of the workers' time meanwhile.")
    }
    if let load = wait.load, let workers = wait.workers, load >= Double(workers) {
      sentences.append(
        "\(HumanUnits.digits(load)) s of work arrived per second of the run, more than \(workers) "
          + "\(workers == 1 ? "worker" : "workers") can do.")
    }
  }

  private mutating func addService(_ slow: SlowJobs) {
    guard let service = slow.service, quantity == .service || slow.parts.first?.part == .service else { return }
    let mean = "Their attempts ran for \(time(service.mean)) on average"
    if service.mean.rawValue >= 3 * max(1, service.usual.rawValue) {
      sentences.append("\(mean); the median of their job types is \(time(service.usual)).")
    } else {
      sentences.append("\(mean), which is usual for their job types.")
    }
    if let worker = service.worker { sentences.append("Nearly all of them ran on worker \(worker).") }
  }

  private mutating func addLag() {
    if let held = cause.heldBack {
      sentences.append("A full queue held the submitter back for \(time(held)) in all.")
    } else if !cause.disturbances.contains("generator_lateness") {
      sentences.append("They were submitted after their intended arrival.")
    }
  }

  // MARK: - Other figures

  private mutating func addFates() {
    guard let fates = cause.fates, !fates.isEmpty else { return }
    let words = fates.prefix(4).map { fate in
      let of = fate.ofType.map { $0 < fate.jobs ? "\(HumanUnits.count(Double($0))) of them" : "all of them" }
      let type = of.flatMap { of in fate.type.map { " (\(of) `\($0)`)" } } ?? ""
      return "\(HumanUnits.count(Double(fate.jobs))) \(Self.words(fate.cause))\(type)"
    }
    let total = HumanUnits.counted(Int(clamping: Int64(target.samples)), "job")
    sentences.append("Of \(total), \(words.joined(separator: "; ")).")
    guard let errors = cause.errors, let first = errors.ordered.first else { return }
    let more = errors.reasons.count + (errors.others > 0 ? 1 : 0) - 1
    sentences.append(
      "\(HumanUnits.counted(first.attempts, "attempt")) failed with: \(first.words)"
        + (more > 0 ? "; \(HumanUnits.counted(more, "other error")) in the table of failures." : "."))
  }

  private mutating func addDemand() {
    guard let demand = cause.demand else { return }
    if target.unit == .rate, let offered = demand.offeredRate, offered < target.limit {
      return sentences.append(
        "The scenario offers \(HumanUnits.value(offered, .rate)), less than the target requires: no system can meet it."
      )
    }
    guard let use = demand.utilization, demand.workers > 0 else { return }
    let load = demand.offeredLoad.map { "; \(HumanUnits.digits($0)) erlangs were offered" } ?? ""
    sentences.append("The \(HumanUnits.counted(demand.workers, "worker")) were \(HumanUnits.share(use)) busy\(load).")
  }

  /// Disturbances from outside the system under test.
  private mutating func addDisturbances(isFailed: Bool) {
    for name in cause.disturbances {
      guard let check = run.validity.first(where: { $0.name == name }), (check.verdict == .failed) == isFailed
      else { continue }
      let observed = check.observed.map { " (\(HumanUnits.value($0, check.unit)))" } ?? ""
      sentences.append(
        isFailed
          ? "\(Self.disturbance(name))\(observed), so this figure does not describe the system."
          : "\(Self.disturbance(name))\(observed), which may have contributed.")
    }
  }

  private static func disturbance(_ check: String) -> String {
    switch check {
    case "generator_lateness": "The load generator itself was late"
    case "driver_hand_over": "The driver handed jobs over late"
    case "host_steal": "The host gave processor time to others"
    case "other_programs": "Other programs used processor time"
    case ValidityCheck.standstillName: "The process or the machine stood still"
    default: "`\(check)` found something wrong"
    }
  }

  private static func words(_ cause: String) -> String {
    switch cause {
    case SettlementCause.failed.name: "failed in their last attempt"
    case SettlementCause.timedOut.name: "timed out in their last attempt"
    case SettlementCause.failedPermanently.name: "failed with a permanent error"
    case SettlementCause.cancelled.name: "were cancelled by their submitter"
    case SettlementCause.dependencyFailed.name: "were cancelled with a job that they depend on"
    case SettlementCause.batchFailed.name: "were cancelled with their batch"
    case SettlementCause.shed.name: "were shed from the queue"
    case SettlementCause.rejected.name: "were rejected by a full queue"
    case SettlementCause.stopped.name: "were cancelled when the scheduler stopped"
    case SettlementCause.dropped.name: "were dropped because the load generator was too late"
    case SettlementCause.crashed.name: "ended when their worker died"
    case SettlementCause.duplicate.name: "were duplicates"
    case SettlementCause.invalid.name: "had invalid input"
    default: cause
    }
  }

  private static func name(_ part: Quantity) -> String {
    switch part {
    case .waiting: "waiting"
    case .service: "service"
    default: ExplanationWords.name(part)
    }
  }

  private func limit(_ held: SlowJobs.Held, _ unit: FigureUnit) -> String { HumanUnits.value(held.limit, unit) }
  private func time(_ value: Nanoseconds) -> String { HumanUnits.time(Double(value.rawValue)) }
}
