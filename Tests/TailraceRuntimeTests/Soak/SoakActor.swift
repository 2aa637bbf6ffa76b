import Foundation
import Synchronization

@testable import TailraceRuntime

/// One of the sixteen who call the scheduler: as a task or as a thread, at random, until they are told to stop.
final class SoakActor: @unchecked Sendable {
  private let number: Int
  private let scheduler: Scheduler
  private let ledger: SoakLedger
  private let reach: SoakReach
  private var random: Random
  /// Jobs that it has submitted, the last ones.
  private var ids: [JobID] = []
  private var schedules: [ScheduleID] = []
  /// Awaits that go on while it does other things.
  private var awaiting: [Task<Void, Never>] = []
  private var acts = 0

  init(number: Int, scheduler: Scheduler, ledger: SoakLedger, reach: SoakReach, random: Random) {
    (self.number, self.scheduler, self.ledger, self.reach, self.random) = (number, scheduler, ledger, reach, random)
  }

  private func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
  private func chance(_ percent: Int) -> Bool { below(100) < percent }
  private var anyID: JobID {
    // Now and then one that nobody ever got.
    chance(5) ? JobID(rawValue: random.next() >> 1) : ids.randomElement(using: &random) ?? JobID(rawValue: 0)
  }

  // MARK: - As a task

  func act() async {
    acts += 1
    // After the shutdown everything is refused at once: others must get a turn.
    if acts % 16 == 0 { await Task.yield() }
    switch below(20) {
    case 0..<8: await submit()
    case 8, 9: await awaitSome()
    case 10: await typed()
    case 11: await batch()
    case 12: await readEvents()
    default: common()
    }
  }

  private func submit() async {
    let request = request()
    if let id = try? await ledger.during("submit", { try await scheduler.submit(request) }) { note(id) }
  }

  private func typed() async {
    let wanted = below(1_000)
    guard
      let handle = try? await ledger.during("submit typed", { try await scheduler.submit(SoakJob(number: wanted)) })
    else { return }
    note(handle.id)
    let value = await ledger.awaiting {
      try await ledger.during("typed value") { try await handle.value(timeout: .milliseconds(50)) }
    }
    if let value, value != wanted { preconditionFailure("a job's value is another's: \(value), not \(wanted)") }
    if chance(20) { handle.cancel() }
  }

  private func awaitSome() async {
    let id = anyID
    let timeout: Duration? = [nil, .zero, .microseconds(100), .milliseconds(20)].randomElement(using: &random)!
    // Without a time-out it goes on beside: it may last until the shutdown.
    let task = Task { [ledger, scheduler] in
      _ = await ledger.awaiting {
        try await ledger.during("result") { try await scheduler.result(of: id, timeout: timeout) }
      }
    }
    if chance(30) { task.cancel() }
    if timeout == nil {
      awaiting.append(task)
      if awaiting.count > 32 { awaiting.removeFirst().cancel() }
    } else {
      await task.value
    }
  }

  private func batch() async {
    guard let batch = try? scheduler.openBatch(failFast: chance(50)) else { return }
    for _ in 0..<below(6) {
      var request = request()
      request.batch = batch
      if let id = try? await ledger.during("submit to a batch", { try await scheduler.submit(request) }) { note(id) }
    }
    let task = Task { [ledger, scheduler] in
      _ = await ledger.awaiting { await ledger.during("batch") { await scheduler.settleBatch(batch) } }
    }
    if chance(30) { task.cancel() }
    awaiting.append(task)
  }

  private func readEvents() async {
    guard let events = try? scheduler.events(bufferingNewest: 1 + below(100)) else { return }
    let count = below(20)
    let reader = Task { [ledger] in
      var left = count
      await ledger.during("events") { for await _ in events { left -= 1; if left <= 0 { break } } }
    }
    try? await Task.sleep(for: .microseconds(below(500)))
    reader.cancel()
    await reader.value
  }

  /// What it still awaits is answered, at the latest by the shutdown.
  func finish() async {
    for task in awaiting { await task.value }
    awaiting = []
    ids = []
  }

  // MARK: - As a thread

  func actBlocking() {
    acts += 1
    if acts % 64 == 0 { usleep(100) }
    if below(20) < 9 {
      let request = request()
      if let id = try? ledger.duringBlocking("submitBlocking", { try scheduler.submitBlocking(request) }) { note(id) }
    } else {
      common()
    }
  }

  // MARK: - As either

  private func note(_ id: JobID) {
    ledger.submitted(id)
    ids.append(id)
    if ids.count > 64 { ids.removeFirst(32) }
  }

  private func request() -> JobRequest {
    let value = below(10_000)
    let payload: any Sendable = chance(40) ? HostileObject(value, reach) : value
    var request = JobRequest(
      chance(2) ? "unknown-\(below(4))" : SoakHandlers.names.randomElement(using: &random)!, payload: payload,
      priority: Priority.allCases.randomElement(using: &random))
    if chance(10) { request.delay = .microseconds(below(3_000)) }
    if chance(10) { request.timeout = .microseconds(1 + below(5_000)) }
    if chance(10) { request.hints = [.ioBound] }
    if chance(10) { request.memory = 1 + below(3 << 20) }
    if chance(10) { request.deadline = .milliseconds(below(50)) }
    if chance(10) { request.uniqueKey = "key-\(below(8))" }
    if chance(20) { request.tenant = "customer-\(below(8))" }
    if chance(20) { request.labels = ["label-\(below(8))", chance(10) ? "refused" : "taken"] }
    if chance(10), let id = ids.last { request.dependencies = [id] }
    if chance(10) { request.retry = RetryPolicy(limit: below(3), backoff: .fixed(.microseconds(Int64(below(2_000))))) }
    return request
  }

  private func common() {
    switch below(18) {
    case 0, 1: scheduler.cancel(anyID)
    case 2: _ = scheduler.status(of: anyID).map { "\($0.error ?? "")" }
    case 3: _ = scheduler.history(of: anyID)?.attempts.count
    case 4: _ = scheduler.metrics().successRate
    case 5: _ = "\(scheduler.health())"
    case 6: for letter in scheduler.deadLetters().prefix(3) { _ = letter.error ?? letter.payloadDescription }
    case 7: replay()
    case 8: scheduler.purgeDeadLetters(olderThan: .milliseconds(below(50)))
    case 9: if let letter = scheduler.deadLetters().first { scheduler.purgeDeadLetter(letter.id) }
    case 10, 11: callback()
    case 12: everyCallback()
    case 13: schedule()
    case 14: _ = scheduler.concurrencyLimit(of: chance(50) ? .async : .thread)
    case 15: _ = scheduler.deadLetterHistories().count
    case 16: _ = try? scheduler.handle(of: anyID, as: SoakJob.self).status
    default: registerLate()
    }
  }

  private func replay() {
    if chance(30) {
      for id in scheduler.replayAll(where: { $0.attempts < 3 }).replayed { note(id) }
    } else if let letter = scheduler.deadLetters().last, let id = try? scheduler.replay(letter.id) {
      note(id)
    }
  }

  private func callback() {
    let callback = ledger.newCallback()
    let held = HostileObject(below(10_000), reach)
    let registration = try? scheduler.onSettled(of: anyID) { [ledger, reach] result in
      ledger.called(callback)
      reach.callBack(held.number + result.attempts)
    }
    guard let registration else { return ledger.cancelled(callback) }
    if chance(50) {
      // Noted first: it may be called while it is taken back.
      ledger.cancelled(callback)
      registration.cancel()
    }
  }

  private func everyCallback() {
    let held = HostileObject(below(10_000), reach)
    let registration = scheduler.onJobSettled(type: chance(50) ? "nop" : nil) { [reach] job in
      if job.number % 64 == 0 { reach.callBack(held.number) }
    }
    usleep(200)
    registration.cancel()
  }

  private func schedule() {
    if let id = schedules.last, chance(50) {
      switch below(4) {
      case 0: scheduler.pauseSchedule(id)
      case 1: scheduler.resumeSchedule(id)
      default:
        scheduler.removeSchedule(id)
        schedules.removeLast()
      }
    } else if schedules.count < 4 {
      let request = JobRequest("nop", payload: HostileObject(below(100), reach))
      let recurring = RecurringJob("\(number)-\(acts)", .every(.milliseconds(1 + below(20))), job: request)
      if let id = try? scheduler.schedule(recurring) { schedules.append(id) }
    }
    _ = scheduler.schedules().map(\.fired)
  }

  /// Types whose jobs may wait for them already.
  private func registerLate() {
    let held = HostileObject(below(100), reach)
    guard chance(5) else { return }
    _ = try? scheduler.register("unknown-\(below(4))") { [reach] _ in
      reach.callBack(held.number)
      return nil
    }
  }
}
