// Goal: an interrupted run ends soon, with a report of what was measured that is marked invalid, and a second signal
// ends it at once.

import Foundation
import Subprocess
import Testing

@Suite(.serialized) struct InterruptionTests {
  @Test(arguments: [Signal.interrupt, .terminate, .terminalClosed])
  func theFirstSignalDrainsAndReports(_ signal: Signal) async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.interrupt(
      ["run", Binary.scenario("endless"), "quick-start", "--jobs", "--grace", "1m"], with: signal, times: 1, in: folder)
    #expect(outcome.status == 4, "\(outcome)")
    #expect(outcome.error.contains("Interrupted: running jobs may finish; a report follows."))
    #expect(outcome.output.hasPrefix("INVALID selection: not finished; "), "\(outcome)")
    let report = try folder.text("reports/latest/report.md")
    #expect(report.hasPrefix("# INVALID: selection\n"))
    #expect(report.contains("The suite is not finished: it was interrupted."))
    // The scenario that never ran is not in it.
    #expect(!outcome.output.contains("quick-start"))
    let rows = try folder.text("reports/latest/jobs.csv").split(separator: "\n").dropFirst()
    #expect(rows.allSatisfy { $0.hasSuffix(",succeeded") || $0.hasSuffix(",cancelled") }, "\(rows.suffix(3))")
  }

  /// As a terminal's Ctrl-\\: the way out where nothing else is one.
  @Test func quittingEndsTheProgram() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.interrupt(
      ["run", Binary.scenario("endless")], with: .quit, times: 1, in: folder)
    #expect(outcome.status == -Signal.quit.rawValue, "\(outcome)")
  }

  /// What is interrupted once a round is over, and what its report is called.
  static let rounds: [(arguments: [String], report: String)] = [
    (["compare", "--vary", "scheduler.workers=1,2"], "compare-quick-start"),
    (["gate", "--against", Binary.path], "gate"),
  ]

  @Test(arguments: rounds.indices) func roundsAreReportedAndAreNoSuccess(_ index: Int) async throws {
    let folder = try TemporaryFolder()
    let (arguments, report) = Self.rounds[index]
    // In virtual time a round takes no time: a thousand of them are enough to be amid them.
    let outcome = try await Binary.interrupt(
      arguments + ["quick-start", "--system", "simulated", "--rounds", "1000"], with: .interrupt, times: 1,
      once: "round 1 of 1000", in: folder)
    #expect(outcome.status == 4, "\(outcome)")
    #expect(outcome.output.contains("not finished: it was interrupted; rounds that count by then: "), "\(outcome)")
    #expect(try folder.text("reports/latest/report.md").contains("it was interrupted"))
    #expect(try folder.files(under: "reports").contains { $0.path.contains(report) })
  }

  @Test func aSearchForTheLimitReportsWhatIsKnown() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.interrupt(
      ["capacity", "four-servers", "--system", "live", "--duration", "3s"], with: .terminate, times: 1,
      once: "[2] live", in: folder)
    #expect(outcome.status == 4, "\(outcome)")
    #expect(outcome.output.hasPrefix("NOT FINISHED: results so far:"), "\(outcome)")
    #expect(try folder.text("reports/latest/report.md").contains("four-servers"))
  }

  // MARK: - Every command

  /// Files for commands that would go on for long.
  private static let files = [
    "endless.yaml":
      "jobs: {a: {service: 1ms}}\nload: {interval: 1s}\nduration: 36500d\ntargets: ['response.mean < 1s']\n",
    "batch.yaml": "jobs: {a: {service: 1ns}}\nload: {batch: 100_000_000}\n",
    "bursty.yaml": "jobs: {a: {service: 1ms}}\nload: {bursty: {rate: 1e-9/s, on: 1ms, off: 1ms}}\nduration: 36525d\n"
      + "targets: ['response.mean < 1s']\n",
    "retry.yaml": "jobs: {a: {service: 1us, failures: {always: 100%}, retries: {limit: 65534, backoff: none}}}\n"
      + "load: {poisson: 100/s}\nduration: 1000s\n",
    "block.yaml": "jobs: {a: {service: 10m}}\nload: {constant: 1000/s}\nduration: 10m\n"
      + "scheduler: {workers: 2, queue: {capacity: 5, when_full: block}}\n",
  ]

  /// What goes on for long, each in another way; those that have a grace period are given none.
  static let commands: [[String]] = [
    ["run", "endless.yaml", "--system", "simulated"], ["run", "endless.yaml", "--system", "simulated-sequential"],
    ["run", "batch.yaml", "--system", "simulated"], ["run", "bursty.yaml", "--system", "simulated", "--force"],
    ["run", "retry.yaml", "--system", "simulated-sequential"], ["run", "block.yaml", "--grace", "0s"],
    ["run", "block.yaml", "--system", "sequential"],
    ["run", "block.yaml", "--system", "dispatch", "--set", "scheduler.queue.capacity=1000000", "--grace", "0s"],
    ["compare", "endless.yaml", "--vary", "scheduler.workers=1,2", "--system", "simulated"],
    ["gate", "endless.yaml", "--system", "simulated", "--against", Binary.path],
    ["gate", "endless.yaml", "--system", "simulated", "--self-test"],
    ["baseline", "save", "mine", "endless.yaml", "--system", "simulated"],
    ["noise", "endless.yaml", "--system", "simulated"],
    ["plan", "endless.yaml", "--vary", "scheduler.workers=1..4"],
    ["plan", "bursty.yaml", "--vary", "scheduler.workers=1..4", "--force"], ["capacity", "endless.yaml"],
    ["verify", "--live"], ["show", "batch.yaml", "--tape"],
    ["show", "bursty.yaml", "--tape", "--limit", "5"],
  ]

  /// The bound is grace + 2 s; a machine that is busy with other tests gets several times that.
  @Test(arguments: commands.indices) func everyCommandSaysThatItIsNotFinished(_ index: Int) async throws {
    let folder = try TemporaryFolder()
    for (name, text) in Self.files {
      let yaml = "name: \(name.dropLast(5))\n" + text
      try yaml.write(to: folder.url.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
    // Before the program has begun, a signal has its usual action.
    for wait in [300, 1_000, 4_000, 10_000] {
      let (outcome, seconds) = try await Binary.interrupt(
        Self.commands[index], with: .interrupt, after: .milliseconds(wait + 37 * index), in: folder)
      if outcome.status == -SIGINT { continue }
      #expect(outcome.status == 4, "\(outcome)")
      #expect(
        (outcome.output.suffix(100_000) + outcome.error).lowercased().contains("not finished"), "\(outcome.error)")
      #expect(seconds < 10, "\(seconds) s: \(outcome.arguments)")
      let isWrong = ["cheapest that", "passed", "no rate", "saved"].contains {
        outcome.output.lowercased().contains($0)
      }
      #expect(!isWrong, "\(outcome)")
      return
    }
    Issue.record("\(Self.commands[index]) never began")
  }

  @Test func theQuitSignalEndsIt() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.interrupt(
      ["run", Binary.scenario("endless"), "--grace", "10m"], with: .quit, times: 1, in: folder)
    #expect(outcome.status == -SIGQUIT, "\(outcome)")
  }

  @Test func theSecondSignalEndsItAtOnce() async throws {
    let folder = try TemporaryFolder()
    let arguments = ["run", Binary.scenario("endless"), "--set", "jobs.tick.service=10m", "--grace", "10m"]
    // Once a job runs: a run that is interrupted before its first has nothing to wait for.
    let outcome = try await Binary.interrupt(
      arguments, with: .interrupt, times: 2, once: "jobs submitted", in: folder)
    #expect(outcome.status == 130, "\(outcome)")
    #expect(!folder.exists("reports"))
  }
}
