// Goal: attempts end in the order of their instants, those of one instant in the order of their starts, whatever is
// stopped in between, and the memory for it does not grow.

import TailraceCore
import Testing

@testable import TailraceSimulation

struct AttemptCalendarTests {
  /// Tokens as the core hands them out: one worker, many jobs in a row.
  private func tokens(workers: Int, count: Int) -> [AttemptToken] {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = workers
    configuration.queueCapacity = count
    var core = try! SchedulerCore(configuration)
    let type = try! core.register(JobTypeConfiguration(name: "a"))
    var outbox = Outbox()
    var tokens: [AttemptToken] = []
    for number in 0..<count {
      _ = core.jobSubmitted(
        JobSubmission(type: type, number: UInt64(number), intended: .zero, submitted: .zero), at: .zero, into: &outbox)
    }
    while tokens.count < count {
      core.startJobs(at: .zero, into: &outbox)
      let started = Array(outbox.orders).compactMap { if case .startAttempt(let token) = $0 { token } else { nil } }
      outbox.clear()
      tokens += started
      for token in started {
        core.attemptEnded(token, started: .zero, finished: .zero, outcome: .succeeded, at: .zero, into: &outbox)
      }
    }
    return tokens
  }

  private func attempt(_ token: AttemptToken) -> AttemptCalendar.Attempt {
    AttemptCalendar.Attempt(token: token, started: .zero, outcome: .succeeded)
  }

  @Test func endsInOrderAndTiesByStart() {
    let tokens = tokens(workers: 50, count: 50)
    var calendar = AttemptCalendar(workers: 50)
    for (worker, token) in tokens.enumerated() {
      calendar.start(attempt(token), on: worker, until: Instant(nanoseconds: Int64((worker * 37) % 10)))
    }
    var ended: [(Int64, UInt64)] = []
    while calendar.next < .distantFuture {
      let at = calendar.next.nanoseconds
      ended.append((at, calendar.takeFirst().token.number))
    }
    let expected = (0..<50).map { (Int64(($0 * 37) % 10), UInt64($0)) }.sorted { $0 < $1 }
    #expect(ended.map(\.0) == expected.map(\.0) && ended.map(\.1) == expected.map(\.1))
    let running = calendar.running
    #expect(running == 0)
  }

  @Test func stoppedAttemptsEndOnceAndEarlier() {
    let tokens = tokens(workers: 3, count: 3)
    var calendar = AttemptCalendar(workers: 3)
    for (worker, token) in tokens.enumerated() {
      // The second hangs.
      calendar.start(
        attempt(token), on: worker, until: worker == 1 ? .distantFuture : Instant(nanoseconds: Int64(100 + worker)))
    }
    calendar.stop(tokens[0], on: 0, at: Instant(nanoseconds: 7))
    calendar.stop(tokens[1], on: 1, at: Instant(nanoseconds: 7))
    // A token of a job that the worker does not run stops nothing.
    calendar.stop(tokens[0], on: 2, at: Instant(nanoseconds: 1))
    var ended: [Int64] = []
    var outcomes: [AttemptOutcome] = []
    while calendar.next < .distantFuture {
      ended.append(calendar.next.nanoseconds)
      outcomes.append(calendar.takeFirst().outcome)
    }
    #expect(ended == [7, 7, 102])
    #expect(outcomes == [.cancelled, .cancelled, .succeeded])
  }

  @Test func stoppingForEverNeedsNoMoreRoom() {
    let tokens = tokens(workers: 1, count: 10_000)
    var calendar = AttemptCalendar(workers: 1)
    for (number, token) in tokens.enumerated() {
      calendar.start(attempt(token), on: 0, until: Instant(nanoseconds: 1_000_000_000))
      calendar.stop(token, on: 0, at: Instant(nanoseconds: Int64(number)))
      let next = calendar.next.nanoseconds
      #expect(next == Int64(number))
      let outcome = calendar.takeFirst().outcome
      #expect(outcome == .cancelled)
    }
    let next = calendar.next
    #expect(next == .distantFuture)
  }
}
