// Goal: a pacer never returns before its instant, never sleeps when late, and can be stopped.

import Foundation
import TailraceCore
import TailraceHarness
import Testing
@testable import TailracePlatform
@testable import TailraceReplay

struct PacerTests {
  @Test(arguments: Pacing.allCases) func neverReturnsEarly(pacing: Pacing) {
    var pacer = Pacer(pacing: pacing)
    for step in 1...5 {
      let deadline = MonotonicClock.now() + .microseconds(Int64(step) * 400)
      let isInTime = pacer.wait(until: deadline)
      #expect(isInTime)
      #expect(MonotonicClock.now() >= deadline)
    }
  }

  @Test(arguments: Pacing.allCases) func returnsAtOnceWhenLate(pacing: Pacing) {
    var pacer = Pacer(pacing: pacing)
    // A hundred thousand waits for the past would take hours if one of them slept for any time worth the name.
    let past = MonotonicClock.now() - .seconds(1)
    for _ in 0..<100_000 where !pacer.wait(until: past) { Issue.record("the pacer says that it was stopped") }
  }

  @Test(arguments: Pacing.allCases) func stopEndsTheWait(pacing: Pacing) {
    let stop = StopFlag()
    var pacer = Pacer(pacing: pacing, stop: stop)
    let thread = Thread {
      Thread.sleep(forTimeInterval: 0.02)
      stop.stop()
    }
    thread.start()
    // The test would hang, not fail, if the flag went unseen.
    let ended = [pacer.wait(until: .distantFuture), pacer.wait(until: MonotonicClock.now() + .seconds(3_600))]
    #expect(ended == [false, false])
  }

  @Test func stretchStaysWithinItsBounds() {
    var pacer = Pacer(pacing: .hybrid)
    for _ in 0..<20 {
      pacer.wait(until: MonotonicClock.now() + .milliseconds(1))
      #expect(Pacer.stretchBounds.contains(pacer.stretch))
    }
  }
}
