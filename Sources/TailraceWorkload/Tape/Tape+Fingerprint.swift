import TailraceCore

extension Tape {
  /// Maximum number of open-loop jobs that a fingerprint covers.
  package static let fingerprintedJobs = 100_000

  /// Sixteen hexadecimal digits that identify what a system receives: the jobs, their arrivals and the seed. Names,
  /// notes, targets and the scheduler's settings are not included, so configurations compared on the same tape share
  /// its fingerprint.
  ///
  /// It covers the description of the load, the first ``fingerprintedJobs`` jobs with their first attempts, and the
  /// first job of each closed client. Identical on every machine.
  package func fingerprint() -> String { identity().whole }

  /// The fingerprints of the whole tape and of its parts: the arrivals, and the jobs of each type. Changing a service
  /// time does not change the arrivals.
  package func identity() -> TapeIdentity {
    var hash = StableHash()
    var arrivals = StableHash()
    arrivals.combine(seed)
    arrivals.combine(scenario.duration)
    var types = scenario.jobs.map { job in
      var hash = StableHash()
      hash.combine(job)
      hash.combine(job.delay)
      if let cancel = job.cancel {
        hash.combine(cancel.share)
        hash.combine(cancel.after)
      }
      if let capacity = scenario.backendCapacity { hash.combine(capacity) }
      return hash
    }
    hash.combine(seed)
    hash.combine(scenario.duration)
    hash.combine(UInt64(scenario.jobs.count))
    for job in scenario.jobs { hash.combine(job) }
    if let capacity = scenario.backendCapacity { hash.combine(capacity) }
    for stream in scenario.streams {
      hash.combine(stream.start)
      hash.combine(stream.duration)
      hash.combine(stream.count)
      arrivals.combine(stream.start)
      arrivals.combine(stream.duration)
      arrivals.combine(stream.count)
    }
    if let trace = scenario.trace { hash.combine(trace.digest) }
    var cursor = makeCursor()
    for _ in 0..<Self.fingerprintedJobs {
      guard let job = cursor.next() else { break }
      combine(job, into: &hash)
      combine(arrivalOf: job, into: &arrivals)
      // A trace has a service time per job.
      if scenario.trace != nil {
        types[job.type].combine(attempt(job: job.number, type: job.type, attempt: 1).service)
      }
    }
    for client in clients {
      let (job, think) = closedJob(client: client, sequence: 0)
      combine(job, into: &hash)
      hash.combine(think)
      combine(arrivalOf: job, into: &arrivals)
      arrivals.combine(think)
    }
    return TapeIdentity(
      whole: hash.digits, arrivals: arrivals.digits,
      types: zip(scenario.jobs, types).map { ($0.name, $1.digits) })
  }

  /// Adds the arrival of a job and its dependencies.
  private func combine(arrivalOf job: TapeJob, into hash: inout StableHash) {
    hash.combine(job.number)
    hash.combine(scenario.jobs[job.type].name)
    hash.combine(UInt64(bitPattern: job.intended.nanoseconds))
    hash.combine(UInt64(job.batch.map { Int($0) + 1 } ?? 0))
    hash.combine(UInt64(job.dependencies.count))
    for dependency in job.dependencies { hash.combine(dependency) }
  }

  private func combine(_ job: TapeJob, into hash: inout StableHash) {
    let plan = attempt(job: job.number, type: job.type, attempt: 1)
    hash.combine(job.number)
    hash.combine(UInt64(job.type) << 8 | UInt64(job.priority.rawValue))
    hash.combine(UInt64(bitPattern: job.intended.nanoseconds))
    hash.combine(job.delay)
    hash.combine(job.cancelAfter)
    hash.combine(UInt64(job.batch.map { Int($0) + 1 } ?? 0))
    hash.combine(UInt64(job.dependencies.count))
    for dependency in job.dependencies { hash.combine(dependency) }
    hash.combine(plan.service)
    hash.combine(UInt64(plan.ending.rawValue) << 32 | UInt64(plan.cycles))
  }
}

/// The fingerprints of a tape and of its parts, sixteen hexadecimal digits each.
package struct TapeIdentity: Sendable, Hashable {
  package var whole: String
  /// The arrivals of jobs and their dependencies.
  package var arrivals: String
  /// The jobs of each type, in order of declaration.
  package var types: [(name: String, print: String)]

  package static func == (a: TapeIdentity, b: TapeIdentity) -> Bool { a.whole == b.whole }
  package func hash(into hasher: inout Hasher) { hasher.combine(whole) }
}

/// A hash that is the same in every process and on every machine: SplitMix64's finalizer folds in each word.
struct StableHash {
  private(set) var value: UInt64 = 0x7461_696c_7261_6365

  /// Sixteen hexadecimal digits.
  var digits: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  @inline(__always) mutating func combine(_ word: UInt64) {
    value = KeyedRandom.mix((value ^ word) &+ 0x9e37_79b9_7f4a_7c15)
  }

  @inline(__always) mutating func combine(_ time: Nanoseconds) { combine(UInt64(bitPattern: time.rawValue)) }

  mutating func combine(_ time: Nanoseconds?) {
    combine(time == nil ? 0 as UInt64 : 1)
    if let time { combine(time) }
  }

  mutating func combine(_ count: Int?) {
    combine(count == nil ? 0 as UInt64 : 1)
    if let count { combine(UInt64(count)) }
  }

  mutating func combine(_ number: Double) { combine(number.bitPattern) }

  mutating func combine(_ text: String) {
    combine(UInt64(text.utf8.count))
    for byte in text.utf8 { combine(UInt64(byte)) }
  }

  /// Adds the properties of a job type, without the scheduler's settings for it.
  mutating func combine(_ job: JobSpec) {
    combine(job.name)
    combine(UInt64(job.priority.rawValue))
    combine(job.work.kind)
    combine(job.service)
    if let simulated = job.simulatedService { combine(simulated) }
    switch job.work {
    case .sleep, .spin: break
    case .memory(let bytes): combine(UInt64(bytes))
    case .sqlite(let operation): combine(operation.rawValue)
    case .subprocess(let words): for word in words { combine(word) }
    case .events(let count): combine(UInt64(count))
    case .cycles(let limit, let needed, let pause, let failedShare):
      combine(UInt64(limit))
      combine(UInt64(needed.lowerBound) << 32 | UInt64(needed.upperBound))
      combine(pause)
      combine(failedShare)
    }
    combine(job.failures.attempts)
    combine(job.failures.hangs)
    combine(job.failures.always)
    combine(job.failures.permanent)
    combine(job.stall?.at)
    combine(job.stall?.length)
    if let keys = job.uniqueKeys { combine(keys) }
    if let tenants = job.tenants {
      for (name, share) in zip(tenants.names, tenants.shares) {
        combine(name)
        combine(share)
      }
    }
  }

  mutating func combine(_ service: ServiceTime?) {
    guard let service else { return combine(0 as UInt64) }
    switch service {
    case .constant(let value): combineAll(1, [value])
    case .exponential(let mean): combineAll(2, [mean])
    case .lognormal(let median, let p99): combineAll(3, [median, p99])
    case .uniform(let low, let high): combineAll(4, [low, high])
    case .pareto(let low, let alpha, let high):
      combineAll(5, [low])
      combine(alpha)
      combine(high)
    case .bimodal(let fast, let slow, let share):
      combineAll(6, [fast, slow])
      combine(share)
    case .empirical(_, let values):
      combineAll(7, values)
    }
  }

  private mutating func combineAll(_ kind: UInt64, _ times: [Nanoseconds]) {
    combine(kind)
    combine(UInt64(times.count))
    for time in times { combine(time) }
  }
}
