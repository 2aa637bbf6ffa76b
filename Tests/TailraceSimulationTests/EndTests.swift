// Goal: every simulated run ends: at the horizon of virtual time whatever is added up, and soon after it is
// interrupted, also amid a million things that fall on one instant or belong to one job.

import TailraceCore
import TailraceSimulation
import Testing

@testable import TailraceWorkload

@Suite struct EndTests {
  private func scenario(_ yaml: String) throws -> Scenario {
    try ScenarioParser.parse(yaml: "name: e\n" + yaml, file: "e.yaml").get()
  }

  /// Scenarios that no file can declare, since they reach beyond the horizon.
  @Test(arguments: [
    [Fault.Kind.stepClock(.longest), .stepClock(.longest), .stepClock(.longest), .stepClock(.longest)],
    [.stall(.constant(.longest)), .stall(.constant(.longest)), .stepClock(.longest), .stepClock(.longest)],
    [
      .stepClock(.zero - .longest), .stepClock(.zero - .longest), .stepClock(.zero - .longest),
      .stall(.constant(.longest)),
    ],
  ])
  func virtualTimeEndsAtTheHorizon(_ kinds: [Fault.Kind]) throws {
    var scenario = try scenario("jobs: {a: {service: 1ms}}\nload: {poisson: 10/s}\nduration: 10s\n")
    scenario.faults = kinds.enumerated().map {
      Fault(kind: $1, timing: .at([.seconds(Int64($0) + 1)]), jobs: [])
    }
    var jobs: Set<UInt64> = []
    var asked = 0
    let summary = Simulation(Tape(scenario: scenario, seed: 1), dropAfter: .longest).run(
      isInterrupted: {
        asked += 1
        return asked > 10_000
      },
      record: { for record in $0 where record.settles { jobs.insert(record.number) } })
    #expect(summary.ended <= .horizon && asked <= 10_000)
    #expect(jobs.count == summary.intended, "every job has settled, or was cut off")
  }

  @Test func jobsOfACenturyAreCutOffAtTheHorizon() throws {
    let scenario = try scenario(
      """
      jobs: {a: {service: 36525d, delay: 36525d}}
      load: {batch: 6}
      drain: 36525d
      scheduler: {workers: 1, timeout: none}

      """)
    let tape = Tape(scenario: scenario, seed: 1)
    let summary = Simulation(tape).run { _ in }
    #expect(summary.ended <= .horizon && summary.cutOff > 0 && summary.unsettled == 0)
    var sequential = SequentialSimulation(tape)
    var last = Instant.zero
    let alone = sequential.run { last = max(last, $0.finished) }
    #expect(alone.ended <= .horizon && last <= .horizon && alone.cutOff == 1)
  }

  /// A hundred million jobs of one instant are handed on bit by bit.
  @Test func theRecordsOfOneInstantAreHandedOnInParts() throws {
    let scenario = try scenario("jobs: {a: {service: 1ns}}\nload: {batch: 300_000}\nscheduler: {workers: 1}\n")
    var (most, records) = (0, 0)
    let summary = Simulation(Tape(scenario: scenario, seed: 1)).run {
      most = max(most, $0.count)
      records += $0.count
    }
    #expect(summary.intended == 300_000 && records == 300_000)
    #expect(most <= 40_000, "\(most) records at once")
  }

  @Test func anInterruptionIsNoticedAmidOneInstant() throws {
    let scenario = try scenario("jobs: {a: {service: 1ns}}\nload: {batch: 50_000_000}\n")
    let summary = Simulation(Tape(scenario: scenario, seed: 1)).run(isInterrupted: { true }) { _ in }
    #expect(summary.intended < 10_000, "\(summary.intended)")
  }

  @Test func anInterruptionIsNoticedAmidOneJob() throws {
    let scenario = try scenario(
      "jobs: {a: {service: 1us, failures: {always: 100%}, retries: {limit: 65534, backoff: none}}}\nload: {batch: 9}\n")
    var sequential = SequentialSimulation(Tape(scenario: scenario, seed: 1))
    var attempts = 0
    let summary = sequential.run(isInterrupted: { true }) { _ in attempts += 1 }
    #expect(attempts < 1_000 && summary.cutOff == 1 && summary.intended == 1, "\(attempts) attempts")
    var count = 0
    _ = Simulation(Tape(scenario: scenario, seed: 1)).run(isInterrupted: { true }) { count += $0.count }
    #expect(count < 5_000, "\(count) records")
  }

  @Test func strikesThatNeverEndAreInterrupted() throws {
    var scenario = try scenario("jobs: {a: {service: 1ms}}\nload: {poisson: 10/s}\nduration: 10s\n")
    scenario.faults = [
      Fault(
        kind: .stall(.constant(.seconds(9))), timing: .every(.microseconds(1), from: .zero, until: nil), jobs: [])
    ]
    var asked = 0
    _ = Simulation(Tape(scenario: scenario, seed: 1)).run(
      isInterrupted: {
        asked += 1
        return asked > 5
      }, record: { _ in })
    #expect(asked >= 6)
  }

  @Test func aMillionCancellationsAreTakenInTheirOrder() {
    var list = Cancellations()
    var expected: [(at: Int64, job: UInt64)] = []
    var state: UInt64 = 7
    for job in 0..<20_000 as Range<UInt64> {
      state = state &* 6_364_136_223_846_793_005 &+ 1
      let at = Int64(state >> 52)
      list.note(job, at: Instant(nanoseconds: at))
      expected.append((at, job))
    }
    expected.sort { ($0.at, $0.job) < ($1.at, $1.job) }
    #expect(list.take(by: Instant(nanoseconds: -1)) == nil)
    var taken: [UInt64] = []
    for instant in [100, 2_000, Int64.max] {
      while let job = list.take(by: Instant(nanoseconds: instant)) { taken.append(job) }
      #expect(list.next.map { $0.nanoseconds > instant } ?? true)
    }
    #expect(taken == expected.map(\.job) && list.isEmpty)
  }
}
