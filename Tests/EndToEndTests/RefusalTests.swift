// Goal: what cannot be done is refused before anything runs, with status 64, every problem at once, its place and a way
// out, and no trace on disk.

import Foundation
import Testing

@Suite struct RefusalTests {
  static let broken = Binary.tests.deletingLastPathComponent().appendingPathComponent("TailraceWorkloadTests/Broken")
  static let files = try! FileManager.default.contentsOfDirectory(atPath: broken.path)
    .filter { $0.hasSuffix(".yaml") }.sorted()

  @Test(arguments: files) func everyProblemOfABrokenFileHasAPlace(_ file: String) async throws {
    let folder = try TemporaryFolder()
    let path = Self.broken.appendingPathComponent(file).path
    let checked = try await Binary.run(["validate", path], in: folder)
    let run = try await Binary.run(["run", path], in: folder)
    for outcome in [checked, run] {
      #expect(outcome.status == 64, "\(outcome)")
      #expect(outcome.output.isEmpty)
      #expect(!outcome.errorLines.isEmpty)
      for line in outcome.errorLines {
        #expect(line.hasPrefix(path + ":"), "no file: \(line)")
        #expect(line.dropFirst(path.count).wholeMatch(of: /:\d+:\d+: .+; .+/) != nil, "no place or way out: \(line)")
      }
    }
    #expect(checked.error == run.error)
    #expect(!folder.exists("reports"))
  }

  @Test func thereAreTwentyOrMore() { #expect(Self.files.count >= 20) }

  @Test func allProblemsOfAllFilesAreReportedAtOnce() async throws {
    let folder = try TemporaryFolder()
    let paths = Self.files.map { Self.broken.appendingPathComponent($0).path }
    let all = try await Binary.run(["run", "quick-start", Self.broken.path], in: folder)
    #expect(all.status == 64)
    for path in paths { #expect(all.errorLines.contains { $0.hasPrefix(path + ":") }, "\(path) is not mentioned") }
    #expect(!folder.exists("reports"))
  }

  /// A command, and what its refusal must mention.
  static let refusals: [(arguments: [String], words: [String])] = [
    (["run", "governance-fiv"], ["'governance-fiv'", "did you mean 'governance-five'?", "tailrace list"]),
    (["show", "quickstart"], ["'quickstart'", "did you mean 'quick-start'?"]),
    (["validate", "none.yaml"], ["none.yaml: the file does not exist"]),
    (["run", "quick-start", "--target", "respons.p99 < 1ms"], ["--target 'respons.p99 < 1ms'", "unknown metric"]),
    (["run", "quick-start", "--target", "waiting{type=x}.p99 < 1ms"], ["unknown job type 'x'", "thumbnail"]),
    (["run", "quick-start", "--set", "scheduler.wokers=3"], ["--set scheduler.wokers=3", "did you mean 'workers'?"]),
    (["run", "quick-start", "--set", "scheduler.workers"], ["no '='", "KEY=VALUE"]),
    (["run", "quick-start", "--duration", "5"], ["'5' has no unit"]),
    (["run", "quick-start", "--set", "warmup=4s", "--duration", "3s"], ["warmup is not shorter than duration"]),
    (["run", "quick-start", "--time-scale", "0"], ["--time-scale", "out of range"]),
    (["run", "quick-start", "--pacer", "fast"], ["--pacer", "hybrid"]),
    (["run", "quick-start", "--system", "live,fast"], ["unknown system 'fast'", "task-group"]),
    (["run", "quick-start", "--seed", "-1"], ["--seed"]),
    (["run", "quick-start", "--frobnicate"], ["--frobnicate"]),
    (["run", "quick-start", "--output", "/dev/null/reports"], ["--output", "not a directory"]),
    (["show", "quick-start", "--limit", "3"], ["--tape"]),
    (["report", "nowhere"], ["nowhere/result.json"]),
    (["frobnicate"], ["frobnicate"]),
    (["gate", "quick-start", "--agianst", "x"], ["Unknown option '--agianst'; did you mean --against?"]),
    (["plan", "quick-start", "--vray", "scheduler.workers=1..2"], ["Unknown option '--vray'; did you mean --vary?"]),
  ]

  @Test(arguments: refusals.indices) func aRefusalNamesValuePlaceAndRemedy(_ index: Int) async throws {
    let folder = try TemporaryFolder()
    let (arguments, words) = Self.refusals[index]
    let outcome = try await Binary.run(arguments, in: folder)
    #expect(outcome.status == 64, "\(outcome)")
    #expect(outcome.output.isEmpty)
    for word in words { #expect(outcome.error.contains(word), "'\(word)' is not in: \(outcome.error)") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func aSystemThatLacksSomethingIsRefusedWithTheList() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.run(["run", "companion-interactions", "--system", "dispatch"], in: folder)
    #expect(outcome.status == 64, "\(outcome)")
    for word in ["companion-interactions", "dispatch", "dependencies", "priorities"] {
      #expect(outcome.error.contains(word), "\(outcome)")
    }
    #expect(!folder.exists("reports"))
  }

  @Test func twoScenariosOfOneNameAreRefused() async throws {
    let folder = try TemporaryFolder()
    for name in ["a.yaml", "b.yaml"] {
      try FileManager.default.copyItem(
        atPath: Binary.scenario("steady"), toPath: folder.url.appendingPathComponent(name).path)
    }
    let outcome = try await Binary.run(["run", "."], in: folder)
    #expect(outcome.status == 64)
    #expect(outcome.error.contains("'steady'") && outcome.error.contains("a.yaml"), "\(outcome)")
  }
}

/// A load that nobody could wait for.
@Suite struct AbsurdLoadTests {
  private static let commands: [[String]] = [
    ["run", "f.yaml"], ["run", "f.yaml", "--system", "simulated"], ["validate", "f.yaml"],
    ["show", "f.yaml", "--tape"],
    ["plan", "f.yaml", "--vary", "scheduler.workers=1..2"], ["capacity", "f.yaml"],
    ["compare", "f.yaml", "--vary", "scheduler.workers=1,2"], ["gate", "f.yaml", "--against", Binary.path],
    ["baseline", "save", "main", "f.yaml"], ["noise", "f.yaml"],
  ]

  @Test(arguments: commands) func isRefusedBeforeItStarts(_ arguments: [String]) async throws {
    let folder = try TemporaryFolder()
    let yaml = "name: f\njobs: {a: {service: 1ms}}\nload: {poisson: 1e9/s}\nduration: 1h\ntargets: [lost == 0]\n"
    try Data(yaml.utf8).write(to: folder.url.appendingPathComponent("f.yaml"))
    let outcome = try await Binary.run(arguments, in: folder)
    #expect(outcome.status == 64, "\(outcome)")
    #expect(outcome.error.contains("the load has 3.6 trillion jobs; at most 10 billion are replayed"), "\(outcome)")
    #expect(!folder.exists("reports"))
  }

  @Test func aLargeOneIsAnnounced() async throws {
    let folder = try TemporaryFolder()
    let yaml =
      "name: f\njobs: {a: {service: 1ms}}\nload: {batch: 30_000_000}\nscheduler: {queue: {capacity: 100_000_000}}\n"
    try Data(yaml.utf8).write(to: folder.url.appendingPathComponent("f.yaml"))
    let outcome = try await Binary.run(["validate", "f.yaml"], in: folder)
    guard outcome.status == 0 else {
      // A small machine has no room for it.
      return #expect(outcome.error.contains("30 million jobs wait at once"), "\(outcome)")
    }
    #expect(outcome.output.contains("f: about 30 million jobs, "), "\(outcome)")
    #expect(outcome.output.contains(" of computing and 21 GB of memory"), "\(outcome)")
    let few = try await Binary.run(["show", "f.yaml", "--tape", "--limit", "3"], in: folder)
    #expect(few.status == 0 && few.outputLines.count == 4, "\(few)")
  }
}
