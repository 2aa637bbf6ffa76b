// Goal: planning from the command line finds, refuses and gives up with the right words and status.

import Testing

@Suite struct PlanTests {
  @Test func theCheapestIsNamed() async throws {
    let outcome = try await Binary.run([
      "plan", "governance-five", "--target", "makespan < 700ms", "--vary", "scheduler.workers=1..5",
    ])
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.hasPrefix("Cheapest that meets every target with 95 % confidence: scheduler.workers=3\n"))
    #expect(outcome.output.contains("The next cheaper, scheduler.workers=2, fails makespan < 700ms."))
  }

  @Test func whatCannotBeMetIsStatus2AndWhatIsWrong64() async throws {
    let missed = try await Binary.run([
      "plan", "governance-five", "--target", "makespan < 1ms", "--vary", "scheduler.workers=1..5",
    ])
    #expect(missed.status == 2 && missed.output.hasPrefix("None of the 5 configurations"), "\(missed)")
    for (arguments, words) in [
      (["--vary", "scheduler.workerz=1..5"], "unknown key 'workerz'"), ([], "nothing varies"),
      (["--vary", "scheduler.workers=5..1"], "the lower first"), (["--vary", "scheduler.workers=1,,2"], "empty"),
      (["--vary", "scheduler.workers=0..5"], "'0' is out of range"),
    ] {
      let outcome = try await Binary.run(["plan", "governance-five"] + arguments)
      #expect(outcome.status == 64 && outcome.error.contains(words), "\(outcome)")
    }
  }
}
