// Goal: what is verified agrees, and each mistake that somebody could make in the scheduler or in the measurement turns
// the table red.

import TailraceHarness
import TailraceMeasurement
import Testing
@testable import TailraceStudies

@testable import TailraceHarness

/// One after another: each takes all processors, which the live tests need too.
@Suite(.serialized) struct VerificationTests {
  private func lines(
    _ name: String, replications: Int = 5, fault: Verification.Fault? = nil
  ) async throws -> [Verification.Line] {
    let cases = VerificationCase.all.filter { $0.name.hasPrefix(name) }
    #expect(cases.count == 1, "\(name)")
    return await Verification(seed: 5, replications: replications, fault: fault).run(cases).lines
  }

  /// The system that shows a mistake, and a figure of it.
  @Test(arguments: [
    (Verification.Fault.prioritiesSwapped, "M/G/1 at 0.75, three", "waiting{type=urgent}.mean"),
    (.boostIgnored, "aging, four jobs", "waiting{type=low}.max"),
    (.percentileOffByOneBucket, "a thousand jobs in a row", "waiting.p99"),
    (.lastWorkerUnused, "D/M/4 at 0.8", "waiting.mean"),
    (.latenessLeftOut, "a full queue that blocks", "response.mean"),
  ])
  func aPlantedMistakeIsFound(fault: Verification.Fault, system: String, metric: String) async throws {
    let sound = try await lines(system)
    #expect(sound.allSatisfy { $0.agrees }, "\(sound)")
    let broken = try await lines(system, fault: fault)
    #expect(broken.first { $0.metric == metric }?.agrees == false, "\(broken)")
  }

  @Test func everySystemIsWellFormedAndSaysWhereItsAnswersComeFrom() async throws {
    #expect(VerificationCase.all.count > 20)
    #expect(Set(VerificationCase.all.map(\.name)).count == VerificationCase.all.count)
    #expect(VerificationCase.all.allSatisfy { !$0.theory.isEmpty && !$0.expected.isEmpty })
    let exact = await Verification(seed: 1).run(VerificationCase.all.filter { $0.isDeterministic }).lines
    #expect(exact.allSatisfy { $0.agrees && $0.halfWidth == 0 }, "\(exact)")
  }

  /// A system that cannot be run is named, and what the others came to is kept.
  @Test func aSystemThatFailsTakesNothingFromTheOthers() async throws {
    let sound = try #require(VerificationCase.all.first { $0.isDeterministic })
    let broken = VerificationCase(name: "broken", theory: "none", yaml: "name: [", expected: [])
    let found = await Verification(seed: 1).run([broken, sound])
    #expect(found.lines.count == sound.expected.count + 1 && found.lines.allSatisfy { $0.system == sound.name })
    #expect(found.failures.count == 1 && found.failures.allSatisfy { $0.hasPrefix("broken: ") }, "\(found.failures)")
  }

  @Test func theSameSeedGivesTheSameTable() async throws {
    let first = try await lines("M/M/2//20", replications: 2)
    let second = try await lines("M/M/2//20", replications: 2)
    #expect(first == second)
  }

  @Test func scoresMatchTheTailsOfStudentsT() {
    // Quantiles of t at 0.975, from tables, are normal scores of 1.96.
    for (degrees, t) in [(5, 2.5706), (10, 2.2281), (31, 2.0395), (100, 1.984)] {
      #expect(abs(Statistics.normalScore(t: t, degrees: Double(degrees)) - 1.96) < 0.01)
      #expect(abs(Statistics.normalScore(t: -t, degrees: Double(degrees)) + 1.96) < 0.01)
    }
  }
}
