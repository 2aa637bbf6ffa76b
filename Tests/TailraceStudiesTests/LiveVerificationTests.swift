// Goal: what is measured in real time agrees only where it lies close to the exact value, whatever overhead is
// admitted.

import TailraceCore
import TailraceMeasurement
import Testing
@testable import TailraceReplay
@testable import TailraceStudies

@testable import TailraceHarness

@Suite(.serialized) struct LiveVerificationTests {
  /// The greatest overhead that is not taken for a disturbance.
  private static let worst = LiveVerification.Overhead(
    handOff: LiveVerification.Overhead.limit / 2, overrun: LiveVerification.Overhead.limit / 2)
  /// What an idle virtual machine adds.
  private static let usual = LiveVerification.Overhead(handOff: 60_000, overrun: 20_000)

  @Test(arguments: LiveVerification.systems.prefix(2).map(\.name), [1, 7] as [UInt64])
  func thirtyPerCentTooLongNeverAgrees(name: String, seed: UInt64) throws {
    let system = try #require(LiveVerification.systems.first { $0.name == name })
    let expectation = try LiveVerification.expectation(of: system, seed: seed)
    let exact = expectation.exact
    for overhead in [Self.usual, Self.worst] {
      let tolerance = expectation.tolerance(overhead)
      func verdict(_ factor: Double) -> LiveVerification.Verdict {
        LiveVerification.verdict(exact: exact, measured: exact * factor, tolerance: tolerance)
      }
      #expect(verdict(1.3) == .differs && verdict(0.7) == .differs, "\(name): \(exact) ± \(tolerance)")
      #expect(verdict(1) == .agrees)
    }
    // On an idle machine a seventh is too much.
    #expect(expectation.tolerance(Self.usual) < 0.15 * exact)
  }

  /// The exact value is that of theory, and the tapes are chosen so that chance hides nothing.
  @Test(arguments: LiveVerification.systems.map(\.name)) func chanceIsSmallAndKnown(name: String) throws {
    let system = try #require(LiveVerification.systems.first { $0.name == name })
    let expectation = try LiveVerification.expectation(of: system, seed: 1)
    #expect(Set(expectation.seeds).count == LiveVerification.repetitions)
    #expect(expectation.chance < 0.03 * expectation.exact)
    if let wait = system.wait { #expect(expectation.exact == wait(system.service.seconds) * 1e9) }
    // An overhead puts off jobs that are served one after another, whatever they are served by.
    #expect(expectation.tolerance(Self.usual) > 2.5 * Self.usual.total)
    #expect(expectation.tolerance(Self.usual) < expectation.tolerance(Self.worst))
  }

  @Test func whatWasNotMeasuredIsNotJudged() {
    #expect(LiveVerification.verdict(exact: 1, measured: nil, tolerance: 10) == .notJudged)
  }

  @Test func whatFailsIsNotJudgedAndNamed() async {
    let broken = LiveVerification.System(name: "broken", service: .milliseconds(1), theory: "none") { _, _ in "name: ["
    }
    let line = await LiveVerification.line(of: broken, seed: 1, Self.usual, "", StudyParts.forTests.live)
    #expect(line.verdict == .notJudged && line.note.hasPrefix("its run failed: broken"), "\(line)")
  }

  @Test func otherProgramsAreToldApart() {
    typealias Disturbance = MachineWatch.Disturbance
    #expect(Disturbance(others: 0.01, steal: 0).words == nil)
    #expect(Disturbance(others: 0.57, steal: 0).words?.contains("57 %") == true)
    #expect(Disturbance(others: 0, steal: 0.1).words?.contains("steal was 10 %") == true)
  }
}
