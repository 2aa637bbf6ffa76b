import TailraceCore
import TailraceWorkload

/// Follows the records of a run and checks that they are possible under the scenario: what settles once, what never
/// runs at once, which limits hold at every instant and in every window.
///
/// It shares no code with the scheduler's core; from it come only the value types that records are made of. What each
/// attempt should do it asks the tape; what went wrong on purpose it is told. It looks at everything at once and is
/// meant for runs of thousands of records, not of millions.
package struct RecordAuditor {
  let scenario: Scenario
  let records: [TimelineRecord]
  private let dependencies: [UInt64: [UInt64]]
  let tape: Tape
  let faults: [InjectedFault]
  /// Jobs that were submitted twice on purpose, and those that were lost.
  let doubled: Set<UInt64>
  private let lost: Set<UInt64>
  private var byJob: [(job: UInt64, records: [TimelineRecord])] = []
  private var problems: [String] = []

  /// - Parameters:
  ///   - dependencies: tape numbers of what each job depends on.
  ///   - faults: what was injected.
  package init(
    _ tape: Tape, records: [TimelineRecord], dependencies: [UInt64: [UInt64]] = [:], faults: [InjectedFault] = []
  ) {
    self.tape = tape
    self.faults = faults
    doubled = Set(faults.filter { $0.kind == .jobDoubled }.compactMap(\.number))
    lost = Set(faults.filter { $0.kind == .jobLost }.compactMap(\.number))
    scenario = tape.scenario
    self.records = records
    self.dependencies = dependencies
    var places: [UInt64: Int] = [:]
    for record in records {
      if let place = places[record.number] {
        byJob[place].records.append(record)
      } else {
        places[record.number] = byJob.count
        byJob.append((record.number, [record]))
      }
    }
  }

  /// What is impossible, in words; empty: nothing.
  package mutating func audit() -> [String] {
    for (job, records) in byJob {
      if doubled.contains(job) { checkLives(of: job, records) } else { checkLife(of: job, records) }
    }
    checkDependencies()
    checkFaults()
    checkWork()
    checkWorkers()
    for pool in PoolID.allCases { checkPool(pool) }
    for type in scenario.jobs.indices { checkType(type) }
    checkMemory()
    checkKeys()
    checkTenants()
    checkOrder()
    return problems
  }

  mutating func check(_ holds: Bool, _ words: @autoclosure () -> String) {
    if !holds { problems.append(words()) }
  }

  private var attempts: [TimelineRecord] { records.filter { $0.started != TimelineRecord.never } }

  // MARK: - One job

  private mutating func checkLife(of job: UInt64, _ records: [TimelineRecord]) {
    check(records.filter(\.settles).count == 1, "job \(job) settles \(records.filter(\.settles).count) times")
    check(records.last?.settles == true, "job \(job) goes on after it settled")
    let spec = scenario.jobs[Int(records[0].type.rawValue)]
    let retry = spec.retry ?? scenario.scheduler.retry
    let limit = retry.limit
    var crashes = 0
    let timeout = spec.timeout(under: scenario.scheduler)
    for (index, record) in records.enumerated() {
      let name = "job \(job), attempt \(record.attempt)"
      check(Int(record.attempt) == index + 1, "\(name) is record \(index + 1)")
      checkInstants(of: record, name)
      if index > 0 {
        check(record.previousFinished == records[index - 1].finished, "\(name) does not follow the one before")
        check(
          record.eligible == TimelineRecord.never || record.eligible >= record.previousFinished,
          "\(name) is eligible before the one before ended")
      }
      guard record.started != TimelineRecord.never else { continue }
      check(index <= limit, "\(name): only \(limit) retries are allowed")
      check(crashes < retry.crashLimit ?? .max, "\(name) starts after \(crashes) crashes")
      if record.outcome == .crashed { crashes += 1 }
      if let timeout {
        check(record.finished - record.started <= timeout + timeLost(by: record), "\(name) outlives its timeout")
      }
      check(
        record.outcome != .succeeded || record.settles && record.cause == .succeeded, "\(name) succeeded and goes on")
      check(record.cause != .succeeded || !record.settles || record.outcome == .succeeded, "\(name) did not succeed")
    }
  }

  private mutating func checkInstants(of record: TimelineRecord, _ name: String) {
    let stages = [
      record.intended, record.submitted, record.accepted, record.eligible, record.started, record.finished,
    ].filter { $0 != TimelineRecord.never }
    check(zip(stages, stages.dropFirst()).allSatisfy { $0 <= $1 }, "\(name): its instants are out of order")
  }

  /// A job that was submitted twice: two lives under one number.
  private mutating func checkLives(of job: UInt64, _ records: [TimelineRecord]) {
    check(records.count(where: \.settles) == 2, "job \(job), doubled, settles \(records.count(where: \.settles)) times")
    check(records.count { $0.attempt == 1 } == 2, "job \(job), doubled, is not attempted twice")
    for record in records { checkInstants(of: record, "job \(job), doubled") }
  }

  private mutating func checkDependencies() {
    // Of a job that was doubled the first copy counts, whose end cannot be told from that of the second.
    let last = Dictionary(uniqueKeysWithValues: byJob.map { ($0.job, $0.records[$0.records.count - 1]) })
    for (job, records) in byJob {
      for dependency in dependencies[job] ?? [] where !doubled.contains(dependency) && !doubled.contains(job) {
        guard let other = last[dependency] else {
          if lost.contains(dependency) {
            check(
              records.allSatisfy { $0.started == TimelineRecord.never },
              "job \(job) starts without the lost \(dependency)")
            continue
          }
          problems.append("job \(job) depends on \(dependency), which was never seen")
          continue
        }
        let completed = other.cause == .succeeded
        for record in records where record.started != TimelineRecord.never {
          check(completed && other.finished <= record.started, "job \(job) starts before job \(dependency) completed")
        }
        check(completed || records.last?.cause != .succeeded, "job \(job) completes without job \(dependency)")
      }
    }
  }

  // MARK: - At every instant

  /// The most of something that is there at once: what ends at an instant makes room for what starts there.
  private func most(_ spans: [(from: Instant, to: Instant, weight: Int)]) -> Int {
    var edges = spans.filter { $0.to > $0.from }.flatMap { [($0.from, 1, $0.weight), ($0.to, 0, -$0.weight)] }
    edges.sort { ($0.0, $0.1) < ($1.0, $1.1) }
    var (now, most) = (0, 0)
    for edge in edges {
      now += edge.2
      most = max(most, now)
    }
    return most
  }

  private func spans(_ records: [TimelineRecord], weight: (TimelineRecord) -> Int = { _ in 1 }) -> [(
    from: Instant, to: Instant, weight: Int
  )] { records.map { ($0.started, $0.finished, weight($0)) } }

  private mutating func checkWorkers() {
    var last: [UInt32: TimelineRecord] = [:]
    let ordered = attempts.sorted { ($0.started, $0.finished) < ($1.started, $1.finished) }
    for record in ordered {
      let key = UInt32(record.pool.rawValue) << 16 | UInt32(record.worker)
      if let before = last[key] {
        check(
          before.finished <= record.started,
          "worker \(record.worker) runs jobs \(before.number) and \(record.number) at once"
        )
      }
      last[key] = record
    }
  }

  private mutating func checkPool(_ pool: PoolID) {
    let configuration = SchedulerConfiguration(scenario, seed: 0)[pool]
    let own = attempts.filter { $0.pool == pool }
    let limit = min(configuration.workers, configuration.concurrency ?? .max)
    let most = most(spans(own))
    check(most <= limit, "\(most) attempts at once in the pool \(pool.name), which allows \(limit)")
    check(own.allSatisfy { Int($0.worker) < configuration.workers }, "a worker that the pool \(pool.name) has not")
    if let rate = configuration.rate { checkRate(own, rate, "the pool \(pool.name)") }
  }

  private mutating func checkType(_ type: Int) {
    let spec = scenario.jobs[type]
    let own = attempts.filter { Int($0.type.rawValue) == type }
    if let limit = spec.concurrency {
      let most = most(spans(own))
      check(most <= limit, "\(most) attempts at once of \(spec.name), which allows \(limit)")
    }
    if let rate = spec.rate { checkRate(own, rate, spec.name) }
  }

  /// In any window of `w` seconds at most `burst + w × rate` starts: by the leaky bucket, whose level never exceeds the
  /// burst. (ITU-T I.371 shows that this and virtual scheduling accept the same.)
  private mutating func checkRate(_ records: [TimelineRecord], _ limit: RateLimit, _ what: String) {
    var (level, before) = (0.0, Instant.zero)
    for record in records.sorted(by: { $0.started < $1.started }) {
      level = max(0, level - (record.started - before).seconds * limit.rate.perSecond) + 1
      before = record.started
      // A nanosecond of rounding for each start that is in the bucket.
      let slack = 1e-9 * limit.rate.perSecond * Double(limit.burst + 1) + 1e-9
      check(level <= Double(limit.burst) + slack, "job \(record.number) starts above the rate of \(what)")
    }
  }

  private mutating func checkMemory() {
    guard let budget = scenario.scheduler.memoryBudget else { return }
    let most = most(spans(attempts) { scenario.jobs[Int($0.type.rawValue)].memory })
    check(most <= budget, "\(most) bytes reserved at once, the budget is \(budget)")
  }

  /// At most one live job has a unique key, and a duplicate is rejected only while another job has its key.
  private mutating func checkKeys() {
    var lives: [String: [(job: UInt64, from: Instant, to: Instant)]] = [:]
    for (job, records) in byJob {
      guard let key = tape.uniqueKey(of: job, type: Int(records[0].type.rawValue)) else { continue }
      for last in records where last.settles && last.cause != .rejected && last.cause != .duplicate {
        guard last.cause != .dropped else { continue }
        lives[key, default: []].append((job, last.submitted, last.finished))
      }
    }
    for (key, spans) in lives {
      let most = most(spans.map { ($0.from, $0.to, 1) })
      check(most <= 1, "\(most) live jobs have the key \(key)")
    }
    for record in records where record.cause == .duplicate && record.settles {
      let key = tape.uniqueKey(of: record.number, type: Int(record.type.rawValue)) ?? ""
      check(
        lives[key]?.contains { $0.from <= record.submitted && record.submitted <= $0.to } == true,
        "job \(record.number) refused for the key \(key), which no job holds")
    }
  }

  /// No tenant runs more at once, or starts faster, than it may.
  private mutating func checkTenants() {
    let tenants = scenario.scheduler.tenants
    guard tenants != TenantConfiguration() else { return }
    let byKey = Dictionary(grouping: attempts) { tape.tenant(of: $0.number, type: Int($0.type.rawValue)) ?? "" }
    for (key, records) in byKey where key != "" {
      let settings = tenants.named[key] ?? tenants.each
      let most = most(spans(records))
      check(most <= settings.concurrency ?? .max, "\(most) attempts at once of the tenant \(key)")
      if let rate = settings.rate { checkRate(records, rate, "the tenant \(key)") }
    }
  }

  // MARK: - Order

  /// No job starts while a more urgent one that could have started waits, where nothing but workers limits either.
  private mutating func checkOrder() {
    // What fell due between two checks was seen afterwards, all at once, and follows what ended then.
    let free = attempts.filter { record in
      let spec = scenario.jobs[Int(record.type.rawValue)]
      let tenants = scenario.scheduler.tenants
      let isTagged =
        tenants != TenantConfiguration() && tape.tenant(of: record.number, type: Int(record.type.rawValue)) != nil
      return spec.concurrency == nil && spec.rate == nil && spec.memory == 0 && !isTagged
        && !passedUnseen(record.eligible)
    }
    for late in free {
      for early in free where early.pool == late.pool && early.started < late.started && late.eligible < early.started {
        // `early` started while `late` waited: it must not come after it in the policy's order.
        check(
          !precedes(late, early),
          "job \(early.number) starts before job \(late.number), which waited and comes first under the policy")
      }
    }
  }

  private func precedes(_ a: TimelineRecord, _ b: TimelineRecord) -> Bool {
    switch scenario.scheduler.policy {
    case .fifo: return a.eligible < b.eligible
    case .priority: return (a.priority, a.eligible) < (b.priority, b.eligible)
    case .slopeAging, .deadline, .shortest, .fair:
      // Audited by tests of their own: what comes first depends on more than a record says.
      return false
    case .aging(let boost):
      func key(_ record: TimelineRecord) -> Int64 {
        record.eligible.nanoseconds + Int64(record.priority.rawValue - 1) * Nanoseconds(boost).rawValue
      }
      return key(a) < key(b)
    }
  }
}
