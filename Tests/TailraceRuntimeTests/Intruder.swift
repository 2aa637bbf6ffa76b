// Goal: code of the user's that calls the scheduler from wherever it is entered, and notes whether a lock was held.

import Logging
import Synchronization
@testable import TailracePlatform

@testable import TailraceRuntime

/// Code of the user's of every kind. Wherever it is entered it notes whether the thread holds a lock of the library,
/// and calls everything that a scheduler offers and that does not suspend.
final class Intruder: Sendable {
  private struct Noted {
    var entered: [String: Int] = [:]
    var underLock: [String: Int] = [:]
  }
  private let noted = Locked(Noted())
  private let isInside = Atomic<Bool>(false)
  private nonisolated(unsafe) weak var scheduler: Scheduler?
  private let known = Log<JobID>()

  /// Where code of the user's was entered, by kind.
  var entered: Set<String> { Set(noted.withLock { $0.entered.keys }) }
  /// The same, where a lock was held.
  var underLock: [String: Int] { noted.withLock { $0.underLock } }

  /// Before anything runs.
  func intrude(on scheduler: Scheduler) { self.scheduler = scheduler }
  func note(_ id: JobID) { known.append(id) }

  /// Code of the user's begins.
  ///
  /// - Parameter calls: whether it calls the scheduler.
  func enter(_ kind: String, calls: Bool = true) {
    let held = Lock.heldByThisThread
    noted.withLock { noted in
      noted.entered[kind, default: 0] += 1
      if held > 0 { noted.underLock[kind, default: 0] += 1 }
    }
    // What it calls enters code of the user's again.
    guard calls, let scheduler, !isInside.exchange(true, ordering: .acquiringAndReleasing) else { return }
    callEverything(of: scheduler)
    isInside.store(false, ordering: .releasing)
  }

  private func callEverything(of scheduler: Scheduler) {
    let new = try? scheduler.submitBlocking(JobRequest("plain", payload: Tripwire(self, "payload.deinit")))
    for id in [new, known.all.randomElement()].compactMap(\.self) {
      _ = scheduler.status(of: id)
      _ = scheduler.history(of: id)
      _ = try? scheduler.handle(of: id, as: Errand.self).status
      let wire = Tripwire(self, "callback.deinit")
      (try? scheduler.onSettled(of: id) { _ in wire.hold() })?.cancel()
      scheduler.cancel(id)
      _ = try? scheduler.replay(id)
    }
    _ = scheduler.cancelJobs(ofUnregistered: "nobody")
    _ = try? scheduler.jobs(in: [.available, .running, .deadLettered], ofType: "plain")
    _ = try? scheduler.openBatch(failFast: true)
    let wire = Tripwire(self, "callback.deinit")
    scheduler.onJobSettled { _ in wire.hold() }.cancel()
    _ = try? scheduler.events(bufferingNewest: 1)
    _ = (scheduler.metrics(), scheduler.health(), scheduler.concurrencyLimit(of: .async))
    _ = (scheduler.deadLetters(), scheduler.deadLetterHistories())
    _ = scheduler.replayAll { $0.attempts > 100 }
    scheduler.purgeDeadLetter(known.all.randomElement() ?? JobID(rawValue: 1))
    scheduler.purgeDeadLetters(olderThan: .seconds(1))
    recur(on: scheduler)
    // Most of these are refused: the name is taken, the scheduler has started.
    _ = try? scheduler.register("plain") { _ in nil }
    _ = try? scheduler.registerBlocking("plain") { _ in nil }
    try? scheduler.onSubmission { _ in }
    try? scheduler.use(attempt: AttemptHooks())
    if let log = try? EvidenceLog(EvidenceLog.Configuration(path: "/dev/null")) { try? scheduler.record(to: log) }
    if scheduler.metrics().uptime > .zero { scheduler.start() }
  }

  private func recur(on scheduler: Scheduler) {
    _ = scheduler.schedules()
    let job = JobRequest("plain", payload: Tripwire(self, "schedule.deinit"))
    guard let id = try? scheduler.schedule(RecurringJob("intruder", .every(.seconds(3_600)), job: job)) else { return }
    scheduler.pauseSchedule(id)
    scheduler.resumeSchedule(id)
    scheduler.removeSchedule(id)
  }
}

/// Tells an intruder when it is released.
final class Tripwire: Sendable {
  private let intruder: Intruder
  private let kind: String
  init(_ intruder: Intruder, _ kind: String) { (self.intruder, self.kind) = (intruder, kind) }
  deinit { intruder.enter(kind) }
  func hold() {}
}

/// An error that calls the scheduler when it is described and when it is released.
struct IntrudingError: Error, CustomStringConvertible {
  let intruder: Intruder
  private let wire: Tripwire
  init(_ intruder: Intruder) {
    self.intruder = intruder
    wire = Tripwire(intruder, "error.deinit")
  }
  var description: String {
    intruder.enter("error.description")
    return "hostile"
  }
}

/// Parameters that call the scheduler when they are looked at, encoded and released.
struct Errand: Job {
  typealias Output = Tripwire
  static let name = "errand"
  var wire: Tripwire?
  var intruder: Intruder?
  var fails = false
  init(_ intruder: Intruder) { (wire, self.intruder) = (Tripwire(intruder, "parameters.deinit"), intruder) }
  init(from decoder: any Decoder) throws {}
  func encode(to encoder: any Encoder) throws { intruder?.enter("parameters.encode") }
  func validate() throws { intruder?.enter("parameters.validate") }
}

struct HostileMiddleware: SubmissionMiddleware, AttemptMiddleware {
  let intruder: Intruder
  let wire: Tripwire
  init(_ intruder: Intruder) { (self.intruder, wire) = (intruder, Tripwire(intruder, "middleware.deinit")) }
  enum Key: JobValueKey { typealias Value = Tripwire }

  func prepare(_ request: inout JobRequest) throws {
    intruder.enter("middleware.submission")
    request[Key.self] = Tripwire(intruder, "request value.deinit")
    if request.labels.contains("refuse") { throw IntrudingError(intruder) }
  }
  func attempt(
    _ context: JobContext, next: @Sendable (JobContext) async throws -> (any Sendable)?
  ) async throws -> (any Sendable)? {
    intruder.enter("middleware.attempt")
    return try await next(context)
  }
  func blockingAttempt(
    _ context: JobContext, next: @Sendable (JobContext) throws -> (any Sendable)?
  ) throws -> (any Sendable)? {
    intruder.enter("middleware.attempt")
    return try next(context)
  }
}

final class HostileObserver: TimelineObserver {
  let intruder: Intruder
  private let batches = Atomic<Int>(0)
  init(_ intruder: Intruder) { self.intruder = intruder }
  deinit { intruder.enter("observer.deinit") }
  func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {
    // Its calls cause several batches of records: with each one calling there would be no end.
    let calls = batches.add(1, ordering: .relaxed).newValue % 20 == 1
    intruder.enter(shard == 0 ? "observer.record" : "observer.record of a worker", calls: calls)
  }
  func typeRegistered(_ name: String, as id: JobTypeID) { intruder.enter("observer.type") }
}

struct HostileLogHandler: LogHandler {
  let intruder: Intruder
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
  init(_ intruder: Intruder) { self.intruder = intruder }
  func log(event: LogEvent) { intruder.enter("logger") }
}
