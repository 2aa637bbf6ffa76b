import TailraceCore
import TailraceWorkload

/// Follows the records of a run and checks that they are possible under the scenario: what settles once, what never
/// runs at once, which limits hold at every instant and in every window.
///
/// It shares no code with the scheduler's core; from it come only the value types that records are made of. It looks at
/// everything at once and is meant for runs of thousands of records, not of millions.
package struct RecordAuditor {
  private let scenario: Scenario
  private let records: [TimelineRecord]
  private let dependencies: [UInt64: [UInt64]]
  private var byJob: [(job: UInt64, records: [TimelineRecord])] = []
  private var problems: [String] = []

  /// - Parameter dependencies: tape numbers of what each job depends on.
  package init(_ scenario: Scenario, records: [TimelineRecord], dependencies: [UInt64: [UInt64]] = [:]) {
    self.scenario = scenario
    self.records = records
    self.dependencies = dependencies
    var places: [UInt64: Int] = [:]
    for record in records {
      if let place = places[record.job] {
        byJob[place].records.append(record)
      } else {
        places[record.job] = byJob.count
        byJob.append((record.job, [record]))
      }
    }
  }

  /// What is impossible, in words; empty: nothing.
  package mutating func audit() -> [String] {
    for (job, records) in byJob { checkLife(of: job, records) }
    checkDependencies()
    checkWorkers()
    for pool in PoolID.allCases { checkPool(pool) }
    for type in scenario.jobs.indices { checkType(type) }
    checkMemory()
    checkOrder()
    return problems
  }

  private mutating func note(_ holds: Bool, _ words: @autoclosure () -> String) {
    if !holds { problems.append(words()) }
  }

  private var attempts: [TimelineRecord] { records.filter { $0.started != TimelineRecord.never } }

  // MARK: - One job

  private mutating func checkLife(of job: UInt64, _ records: [TimelineRecord]) {
    note(records.filter(\.settles).count == 1, "job \(job) settles \(records.filter(\.settles).count) times")
    note(records.last?.settles == true, "job \(job) goes on after it settled")
    let spec = scenario.jobs[Int(records[0].type.rawValue)]
    let limit = (spec.retry ?? scenario.scheduler.retry).limit
    let timeout = spec.timeout ?? scenario.scheduler.timeout
    for (index, record) in records.enumerated() {
      let name = "job \(job), attempt \(record.attempt)"
      note(Int(record.attempt) == index + 1, "\(name) is record \(index + 1)")
      checkInstants(of: record, name)
      if index > 0 {
        note(record.previousFinished == records[index - 1].finished, "\(name) does not follow the one before")
        note(
          record.eligible == TimelineRecord.never || record.eligible >= record.previousFinished,
          "\(name) is eligible before the one before ended")
      }
      guard record.started != TimelineRecord.never else { continue }
      note(index <= limit, "\(name): only \(limit) retries are allowed")
      if let timeout { note(record.finished - record.started <= timeout, "\(name) outlives its time-out") }
      note(
        record.outcome != .succeeded || record.settles && record.cause == .succeeded, "\(name) succeeded and goes on")
      note(record.cause != .succeeded || !record.settles || record.outcome == .succeeded, "\(name) did not succeed")
    }
  }

  private mutating func checkInstants(of record: TimelineRecord, _ name: String) {
    let stages = [
      record.intended, record.submitted, record.accepted, record.eligible, record.started, record.finished,
    ].filter { $0 != TimelineRecord.never }
    note(zip(stages, stages.dropFirst()).allSatisfy { $0 <= $1 }, "\(name): its instants are out of order")
  }

  private mutating func checkDependencies() {
    let last = Dictionary(uniqueKeysWithValues: byJob.map { ($0.job, $0.records[$0.records.count - 1]) })
    for (job, records) in byJob {
      for dependency in dependencies[job] ?? [] {
        guard let other = last[dependency] else {
          problems.append("job \(job) depends on \(dependency), which was never seen")
          continue
        }
        let completed = other.cause == .succeeded
        for record in records where record.started != TimelineRecord.never {
          note(completed && other.finished <= record.started, "job \(job) starts before job \(dependency) completed")
        }
        note(completed || records.last?.cause != .succeeded, "job \(job) completes without job \(dependency)")
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
        note(
          before.finished <= record.started, "worker \(record.worker) runs jobs \(before.job) and \(record.job) at once"
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
    note(most <= limit, "\(most) attempts at once in the pool \(pool.name), which allows \(limit)")
    note(own.allSatisfy { Int($0.worker) < configuration.workers }, "a worker that the pool \(pool.name) has not")
    if let rate = configuration.rate { checkRate(own, rate, "the pool \(pool.name)") }
  }

  private mutating func checkType(_ type: Int) {
    let spec = scenario.jobs[type]
    let own = attempts.filter { Int($0.type.rawValue) == type }
    if let limit = spec.concurrency {
      let most = most(spans(own))
      note(most <= limit, "\(most) attempts at once of \(spec.name), which allows \(limit)")
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
      note(level <= Double(limit.burst) + slack, "job \(record.job) starts above the rate of \(what)")
    }
  }

  private mutating func checkMemory() {
    guard let budget = scenario.scheduler.memoryBudget else { return }
    let most = most(spans(attempts) { scenario.jobs[Int($0.type.rawValue)].memory })
    note(most <= budget, "\(most) bytes reserved at once, the budget is \(budget)")
  }

  // MARK: - Order

  /// No job starts while a more urgent one that could have started waits, where nothing but workers limits either.
  private mutating func checkOrder() {
    let free = attempts.filter { record in
      let spec = scenario.jobs[Int(record.type.rawValue)]
      return spec.concurrency == nil && spec.rate == nil && spec.memory == 0
    }
    for late in free {
      for early in free where early.pool == late.pool && early.started < late.started && late.eligible < early.started {
        // `early` started while `late` waited: it must not come after it in the policy's order.
        note(
          !precedes(late, early),
          "job \(early.job) starts before job \(late.job), which waited and comes first under the policy")
      }
    }
  }

  private func precedes(_ a: TimelineRecord, _ b: TimelineRecord) -> Bool {
    switch scenario.scheduler.policy {
    case .fifo: return a.eligible < b.eligible
    case .priority: return (a.priority, a.eligible) < (b.priority, b.eligible)
    case .aging(let boost):
      func key(_ record: TimelineRecord) -> Int64 {
        record.eligible.nanoseconds + Int64(record.priority.rawValue - 1) * boost.rawValue
      }
      return key(a) < key(b)
    }
  }
}
