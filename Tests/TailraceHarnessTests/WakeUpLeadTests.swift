// Goal: what is said to take a time takes it: sleepers learn how late they wake, do not overdo it, and are never early.

import Foundation
import TailraceCore
import Testing
@testable import TailracePlatform

@testable import TailraceHarness
@testable import TailraceMeasurement

struct WakeUpLeadTests {
  private static let start = Instant(nanoseconds: 1_000_000_000)
  private static let far = start + .seconds(1)

  private func lead(of lead: borrowing WakeUpLead) -> Int64 {
    (Self.far - lead.aim(at: Self.far, from: Self.start)).rawValue
  }

  /// Lateness as machines have it: a least, and a long tail. Its median is `least` + 0.69 × `scatter`.
  private func teach(_ lead: borrowing WakeUpLead, least: Double, scatter: Double, _ count: Int, seed: UInt64) {
    var random = ResamplingGenerator(seed: seed)
    for _ in 0..<count {
      lead.learn(Nanoseconds(Int64(least - scatter * log(Double.random(in: .ulpOfOne..<1, using: &random)))))
    }
  }

  @Test func itFollowsTheMedian() {
    let lead = WakeUpLead()
    #expect(self.lead(of: lead) == 0)
    teach(lead, least: 100_000, scatter: 60_000, 1_000, seed: 1)
    let median = 141_600.0
    #expect(abs(Double(self.lead(of: lead)) - median) < 25_000, "\(self.lead(of: lead))")
    // The machine is busy now: its processors are awake.
    teach(lead, least: 5_000, scatter: 10_000, 1_000, seed: 2)
    #expect(abs(Double(self.lead(of: lead)) - 12_000) < 5_000, "\(self.lead(of: lead))")
  }

  @Test func itStaysWithinReason() {
    let lead = WakeUpLead()
    // So late because of something else.
    for _ in 0..<10_000 { lead.learn(.milliseconds(5)) }
    #expect(self.lead(of: lead) == WakeUpLead.greatest.rawValue)
    // At most an eighth of a sleep is spent awake, and nothing of one whose time has come.
    let soon = Self.start + .microseconds(80)
    #expect(lead.aim(at: soon, from: Self.start) == soon - .microseconds(10))
    #expect(lead.aim(at: Self.start, from: soon) == Self.start)
    for _ in 0..<10_000 { lead.learn(.zero) }
    #expect(self.lead(of: lead) == 0)
  }

  /// Wakes at once, however long it is to sleep.
  private struct Sleepless: PreciseSleeper {
    func sleep(until deadline: Instant) async throws { try Task.checkCancellation() }
  }

  @Test func nobodyReturnsEarly() async throws {
    let sleeper = PunctualSleeper(Sleepless())
    for length in [0, 1, 100, 3_000] as [Int64] {
      let deadline = MonotonicClock.now() + .microseconds(length)
      try await sleeper.sleep(until: deadline)
      #expect(MonotonicClock.now() >= deadline)
      try ThreadSleeper.sleep(until: deadline + .microseconds(500), lead: WakeUpLead()) { false }
      #expect(MonotonicClock.now() >= deadline + .microseconds(500))
    }
  }
}
