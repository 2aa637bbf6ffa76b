import TailraceCore

/// Counts what crashes did to jobs.
struct CrashTally {
  /// A kill, or a stop, of a process.
  struct Kill {
    var at: Instant
    var process: String
    /// Jobs of which an attempt was running there.
    var held: Int
  }
  private(set) var kills: [Kill] = []
  /// The last kill that held the job, until it starts again.
  private var waiting: [Int: Instant] = [:]
  private var completed: Set<Int> = []
  private(set) var runTwice: Set<Int> = []
  private(set) var completedTwice: Set<Int> = []
  /// From a kill to the next start of each job that the process held.
  private(set) var recoveries: [Nanoseconds] = []

  /// Jobs that were held by a process that was killed and have not started again or settled.
  var stranded: Int { waiting.count }

  mutating func killed(_ process: String, at instant: Instant, held: [Int]) {
    kills.append(Kill(at: instant, process: process, held: held.count))
    for job in held { waiting[job] = instant }
  }

  mutating func started(_ job: Int, at instant: Instant) {
    if let kill = waiting.removeValue(forKey: job) { recoveries.append(max(.zero, instant - kill)) }
    if completed.contains(job) { runTwice.insert(job) }
  }

  mutating func endedAfterSettlement(_ job: Int, _ outcome: AttemptOutcome) {
    if completed.contains(job) {
      runTwice.insert(job)
      if outcome == .succeeded { completedTwice.insert(job) }
    }
  }

  mutating func settled(_ job: Int, _ cause: SettlementCause) {
    waiting[job] = nil
    if cause == .succeeded { completed.insert(job) }
  }
}
