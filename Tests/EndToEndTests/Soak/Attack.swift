import Foundation
import Subprocess

/// One attack: the files that it makes, and the command that meets them.
struct Attack {
  enum Kind: String, CaseIterable, CustomStringConvertible {
    case scenario, simulated, trace, result, rows, signal, limits, fullDisk
    var description: String { rawValue }
  }

  private var command: SoakCommand

  /// Makes the files of an attack.
  init(_ kind: Kind, in folder: SoakFolder, _ random: inout SoakRandom) throws {
    switch kind {
    case .scenario:
      try folder.write("mine.yaml", try Self.scenario(&random))
      command = SoakCommand(arguments: ["validate", "mine.yaml"], statuses: [0, 64])
    case .simulated:
      try folder.write("mine.yaml", try Self.scenario(&random))
      command = SoakCommand(arguments: ["run", "mine.yaml", "--system", "simulated", "--grace", "1s", "--quiet"])
      // A mutant may be a long run: the user ends it.
      command.signals = [(3_000, .interrupt)]
      command.seconds = command.secondsAfterSignal
    case .trace:
      let (name, text) = Self.trace(&random)
      try folder.write(name, Mutation.changed(Array(text.utf8), &random))
      command = SoakCommand(arguments: ["trace", name], statuses: [0, 64])
    case .result:
      command = try Self.result(in: folder, &random)
    case .rows:
      command = try Self.rows(in: folder, &random)
    case .signal:
      command = Self.interrupted(&random)
    case .limits:
      command = Self.limited(&random)
    case .fullDisk:
      command = SoakCommand(
        arguments: random.pick([["list"], ["show", "quick-start"], ["show", "quick-start", "--tape"], ["doctor"]]),
        statuses: [1], outputTo: "/dev/full")
    }
  }

  /// Runs it.
  ///
  /// - Returns: What is wrong, a line each.
  func run(in folder: SoakFolder, _ random: inout SoakRandom) async throws -> [String] {
    try await command.faults(in: folder)
  }

  // MARK: - Files

  private static let sources: [URL] = {
    let root = Binary.tests.deletingLastPathComponent().deletingLastPathComponent()
    let folders = ["Sources/TailraceWorkload/Scenarios", "Tests/EndToEndTests/Scenarios", "Benchmarks/Scenarios"]
    return folders.flatMap { folder in
      (try? FileManager.default.contentsOfDirectory(
        at: root.appendingPathComponent(folder), includingPropertiesForKeys: nil)) ?? []
    }.filter { $0.pathExtension == "yaml" }.sorted { $0.path < $1.path }
  }()

  private static func scenario(_ random: inout SoakRandom) throws -> [UInt8] {
    Mutation.changed(Array(try Data(contentsOf: random.pick(sources))), &random)
  }

  private static func trace(_ random: inout SoakRandom) -> (name: String, text: String) {
    switch random.below(3) {
    case 0:
      let rows = (1...20).map { "\($0) \($0 * 10) 3 \(5 + $0) 2 -1 -1 2 60 -1 1 \($0 % 3) 1 1 1 1 -1 -1" }
      return ("log.swf", "; Version: 2.2\n" + rows.joined(separator: "\n") + "\n")
    case 1:
      let rows = (1...20).map { "2024-03-01T10:00:\(10 + $0)Z,\($0 * 10)ms,\"type \($0 % 3)\",\($0 % 5 == 0)" }
      return ("log.csv", "submitted,duration,type,failed\n" + rows.joined(separator: "\n") + "\n")
    default:
      let rows = (1...20).map {
        "{\"submitted\": \($0), \"duration\": 0.\($0), \"type\": \"t\($0 % 3)\", \"failed\": false}"
      }
      return ("log.jsonl", rows.joined(separator: "\n") + "\n")
    }
  }

  private static func result(in folder: SoakFolder, _ random: inout SoakRandom) throws -> SoakCommand {
    let root = Binary.tests.deletingLastPathComponent().appendingPathComponent("TailraceReportTests/Golden")
    let (source, name) = random.pick([("result.json", "result.json"), ("capacity-capacity.json", "capacity.json")])
    let original = Array(try Data(contentsOf: root.appendingPathComponent(source)))
    try FileManager.default.createDirectory(atPath: "\(folder.path)/report", withIntermediateDirectories: true)
    try folder.write("report/\(name)", Mutation.changed(original, &random))
    return SoakCommand(arguments: ["report", "report"], statuses: [0, 2, 3, 4, 64])
  }

  /// A driver whose rows were right before they were changed, or that does what no driver should.
  private static func rows(in folder: SoakFolder, _ random: inout SoakRandom) throws -> SoakCommand {
    let header =
      "job,job_type,priority,attempt,worker,"
      + ["intended", "submitted", "accepted", "eligible", "started", "finished"].map { "\($0)_ns," }.joined()
      + "outcome"
    let rows = (0..<10).map { job in
      let at = job * 10_000_000
      return "\(job),a,normal,1,async-\(job % 2),\(at),\(at),\(at),\(at),\(at),\(at + 5_000_000),succeeded"
    }
    let text = ([header] + rows).joined(separator: "\n") + "\n"
    try folder.write("rows.csv", random.chance(70) ? Mutation.changed(Array(text.utf8), &random) : Array(text.utf8))
    let ending = random.pick([
      "exit 0", "exit 3", "kill -9 $$", "sleep 600 & exit 0", "(sleep 600 &) ; exit 1", "yes | head -c 3000000 >&2",
      "echo 'Error: \u{1B}[2J# PASSED' >&2; exit 1",
    ])
    try folder.write("driver", "#!/bin/sh\ncp rows.csv \"$2\"\n\(ending)\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder.path)/driver")
    try folder.write(
      "mine.yaml",
      """
      name: driven
      jobs: {a: {service: 5ms}}
      load: {constant: 100/s, of: a}
      duration: 100ms
      scheduler: {workers: 2}
      """)
    var command = SoakCommand(arguments: ["run", "mine.yaml", "--system", "exec:./driver"])
    // A program that fails, or writes rows that cannot be true: see docs/driver.md.
    command.statuses.insert(1)
    return command
  }

  // MARK: - Circumstances

  private static let commands: [[String]] = [
    ["run", "quick-start", "--grace", "500ms"], ["run", "swarm-subprocess", "swarm-database", "--grace", "500ms"],
    ["run", "four-servers", "--system", "simulated", "--duration", "30m"],
    ["compare", "quick-start", "--vary", "scheduler.workers=1,2", "--grace", "500ms"],
    ["capacity", "four-servers", "--system", "simulated"],
    ["plan", "four-servers", "--vary", "scheduler.workers=1..40"],
    ["plan", "four-servers", "--vary", "scheduler.workers=1..4", "--confirm"], ["verify", "--live"], ["doctor"],
    ["list"], ["validate", "quick-start"], ["show", "four-servers", "--tape"],
    ["baseline", "save", "mine", "quick-start"], ["noise", "quick-start", "--system", "simulated"],
    ["gate", "quick-start", "--self-test", "--system", "simulated"],
    ["run", "quick-start", "--system", "sequential,task-group,dispatch", "--grace", "500ms"],
    ["run", "four-servers", "--system", "simulated-sequential", "--duration", "300d"],
    ["verify", "--seed", "3"], ["gate", "quick-start", "--against", Binary.path, "--grace", "500ms"],
  ]

  private static func interrupted(_ random: inout SoakRandom) -> SoakCommand {
    var command = SoakCommand(arguments: random.pick(commands))
    let signal = random.pick([Signal.interrupt, .terminate, .terminalClosed])
    command.signals = [(random.below(2_500), signal)]
    if random.chance(40) { command.signals.append((random.below(300), signal)) }
    command.seconds = command.secondsAfterSignal
    return command
  }

  private static func limited(_ random: inout SoakRandom) -> SoakCommand {
    let limits = random.pick([
      "ulimit -n \(20 + random.below(60))", "ulimit -v \((300 + random.below(2_000)) * 1_000)",
      "ulimit -f \(random.below(20))", "ulimit -s \(64 + random.below(1_000))", "ulimit -t 10",
    ])
    var command = SoakCommand(arguments: random.pick(commands), limits: limits)
    // What the machine refuses is an error of its own, not a crash.
    command.statuses.insert(1)
    command.signals = [(4_000, .interrupt)]
    command.seconds = command.secondsAfterSignal
    return command
  }
}
