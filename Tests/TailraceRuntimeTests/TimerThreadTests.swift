// Goal: actions are called once, in order, when their instant comes, or are told that it never will.

import Glibc
import TailraceCore
import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(2)))
struct TimerThreadTests {
  @Test func actionsAreCalledInOrderOfTheirInstants() async {
    let timer = TimerThread()
    let (called, last) = (Log<Int>(), Gate())
    let now = MonotonicClock.now()
    for place in [5, 1, 4, 2, 3] {
      timer.schedule(at: now + .milliseconds(Int64(20 + place))) { inTime in
        #expect(inTime && MonotonicClock.now() >= now + .milliseconds(Int64(20 + place)))
        called.append(place)
        if place == 5 { last.open() }
      }
    }
    await last.wait()
    #expect(called.all == [1, 2, 3, 4, 5])
    timer.stop()
  }

  @Test func withdrawnActionIsNeverCalled() async {
    let timer = TimerThread()
    let (wrong, last) = (Gate(), Gate())
    let numbers = (0..<1_000).map { index in
      timer.schedule(at: MonotonicClock.now() + .milliseconds(Int64(5 + index))) { _ in wrong.open() }
    }
    timer.schedule(at: MonotonicClock.now() + .milliseconds(10)) { _ in last.open() }
    for number in numbers.reversed() { #expect(timer.withdraw(number) != nil || wrong.isOpen) }
    #expect(timer.withdraw(numbers[0]) == nil)
    await last.wait()
    timer.stop()
  }

  @Test func stoppingCallsWhatIsDueLaterWithFalse() async {
    let timer = TimerThread()
    let called = Log<Bool>()
    timer.schedule(at: .distantFuture) { called.append($0) }
    timer.stop()
    timer.schedule(at: .zero) { called.append($0) }
    timer.stop()
    #expect(called.all == [false, false])
    await #expect(throws: CancellationError.self) { try await timer.sleep(until: .distantFuture) }
  }

  @Test func cancelledSleeperWakesAtOnce() async throws {
    let timer = TimerThread()
    let sleeper = Task { try await timer.sleep(until: .distantFuture) }
    sleeper.cancel()
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    try await timer.sleep(until: MonotonicClock.now() + .milliseconds(1))
    timer.stop()
  }

  @Test func onlyTheLatestOrderCountsInWhateverSequenceTheyArrive() async {
    let timer = TimerThread()
    let latest = LatestTimer()
    let (called, last) = (Log<Int>(), Gate())
    latest.set(2, at: MonotonicClock.now() + .milliseconds(10), on: timer) { _ in
      called.append(2)
      last.open()
    }
    latest.set(1, at: MonotonicClock.now() + .milliseconds(1), on: timer) { _ in called.append(1) }
    await last.wait()
    latest.set(3, at: .distantFuture, on: timer) { _ in called.append(3) }
    latest.set(4, at: .distantFuture, on: timer) { _ in called.append(4) }
    timer.stop()
    #expect(called.all == [2, 4])
  }

  @Test func aTaskStandsInForAThreadThatIsRefused() async throws {
    let timer = TimerThread(refusals: 5)
    #expect(timer.refused == nil, "no thread was asked for yet")
    #expect(timer.start() == EAGAIN)
    // The task comes late, and asks for the thread each time.
    for _ in 0..<20 { try await timer.sleep(until: timer.now + .milliseconds(5)) }
    #expect(timer.refused == nil, "the thread was given in the end")
    timer.stop()
  }

  @Test func aTimerWithoutAThreadEndsAllTheSame() async {
    let timer = TimerThread(refusals: .max)
    let answer = Locked<Bool?>(nil)
    timer.schedule(at: timer.now + .seconds(3_600)) { inTime in answer.withLock { $0 = inTime } }
    #expect(timer.refused == EAGAIN)
    timer.stop()
    #expect(answer.withLock { $0 } == false)
  }

  @Test func aTimerWithoutAThreadIsAReasonOfHealth() {
    var facts = HealthFacts()
    facts.timerError = EAGAIN
    #expect(facts.judged(by: HealthLimits(), at: .zero) == .degraded([.timerNotStarted(error: EAGAIN)]))
    #expect("\(HealthReason.timerNotStarted(error: EAGAIN))".contains("process limit (ulimit -u"))
  }
}
