// Goal: nothing that a command has started outlives it, however it ends: also what daemonizes, also when it is killed.

import Foundation
import Subprocess
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A folder with programs that start others in every way, and the processes that came of it.
struct Brood {
  let folder: TemporaryFolder

  /// How many processes a run of the script comes to.
  static let size = 4

  init() throws {
    folder = try TemporaryFolder()
    // In a session of its own; an orphan; an orphan with its own session, which closes its files; in the same group.
    let script = """
      #!/bin/sh
      sleeper='echo $$ >> "\(folder.path)/pids"; exec sleep 3600'
      setsid sh -c "$sleeper" &
      (sh -c "$sleeper" &)
      (setsid nohup sh -c "$sleeper" >/dev/null 2>&1 </dev/null &)
      """
    try write("brood", script + "\nsh -c \"$sleeper\"\n")
    // One that ends by itself, once the others are there.
    try write("quitter", script + "\nwhile [ \"$(cat pids 2>/dev/null | wc -l)\" -lt 3 ]; do sleep 0.05; done\n")
    try write(
      "brood.yaml",
      """
      name: brood
      jobs: {child: {work: {subprocess: ["\(folder.path)/brood"]}}}
      load: {batch: 3, of: child}
      drain: 1h
      scheduler: {workers: 3}

      """)
    try write(
      "quitter.yaml",
      """
      name: quitter
      jobs: {child: {work: {subprocess: ["\(folder.path)/quitter"]}}}
      load: {batch: 1, of: child}
      scheduler: {workers: 1}

      """)
    try write(
      "plain.yaml", "name: plain\njobs: {a: {service: 1ms}}\nload: {batch: 2, of: a}\nscheduler: {workers: 1}\n")
  }

  func write(_ name: String, _ text: String) throws {
    let path = folder.url.appendingPathComponent(name)
    try Data(text.utf8).write(to: path)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path.path)
  }

  /// Those that have begun.
  var processes: [Int32] { ((try? folder.text("pids")) ?? "").split(separator: "\n").compactMap { Int32($0) } }
  var survivors: [Int32] { processes.filter(Self.lives) }

  /// Waits until none is left.
  func waitForEnd() async throws { try await Self.wait { survivors.isEmpty } }

  /// Waits for something; gives up after a time that is no limit of anything, only the end of a test that fails.
  static func wait(until isSo: () throws -> Bool) async throws {
    for _ in 0..<6_000 {
      if try isSo() { return }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  static func lives(_ process: Int32) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
    let state = stat.split(separator: ")").last?.split(separator: " ").first
    return state != "Z" && state != "X"
  }

  /// Runs a command, and signals it once so many processes are there.
  func run(
    _ arguments: [String], signals: [Signal], once count: Int, environment: [Environment.Key: String?] = [:]
  ) async throws -> (process: Int32, status: TerminationStatus, error: String) {
    var variables: [Environment.Key: String?] = ["NO_COLOR": "1", "SWIFT_BACKTRACE": "enable=no"]
    variables.merge(environment) { $1 }
    let result = try await Subprocess.run(
      .path(FilePath(Binary.path)), arguments: Arguments(arguments), environment: .inherit.updating(variables),
      workingDirectory: FilePath(folder.path), input: .none, output: .discarded, error: .string(limit: 1 << 20)
    ) { execution in
      for (number, signal) in signals.enumerated() {
        if number == 0 {
          try await Self.wait { processes.count >= count || !Self.lives(execution.processIdentifier.value) }
        } else {
          try await Task.sleep(for: .milliseconds(300))
        }
        // It may have ended at the signal before.
        try? execution.send(signal: signal)
      }
      return execution.processIdentifier.value
    }
    return (result.closureResult, result.terminationStatus, result.standardError)
  }
}

@Suite struct LeftBehindTests {
  /// What ends a run, and after how many signals.
  static let endings: [[Signal]] = [
    [.kill], [.init(rawValue: SIGSEGV)], [.init(rawValue: SIGABRT)], [.quit], [.terminate], [.init(rawValue: SIGHUP)],
    [.interrupt],
    [.interrupt, .interrupt], [.terminate, .interrupt],
  ]

  @Test(arguments: endings.indices) func jobsEndWithTheRun(_ index: Int) async throws {
    let brood = try Brood()
    let (process, status, _) = try await brood.run(
      ["run", "brood.yaml", "--grace", "100ms", "--progress", "none"], signals: Self.endings[index],
      once: 3 * Brood.size)
    // A signal that is late meets jobs that run again.
    #expect(brood.processes.count >= 3 * Brood.size, "\(status)")
    try await brood.waitForEnd()
    #expect(brood.survivors.isEmpty, "\(Self.endings[index]) of \(process), \(status)")
  }

  /// Every command that starts others, and how many processes come of it.
  static let commands: [(arguments: [String], count: Int)] = [
    (["run", "plain.yaml", "--system", "exec:./brood"], Brood.size),
    (["run", "brood.yaml", "--system", "sequential"], Brood.size),
    (["run", "brood.yaml", "--allocations"], 3 * Brood.size),
    (["compare", "brood.yaml", "--vary", "scheduler.workers=3,4"], 3 * Brood.size),
    (["gate", "brood.yaml", "--against", Binary.path], 3 * Brood.size),
    (["noise", "brood.yaml"], 3 * Brood.size),
    (["baseline", "save", "main", "brood.yaml"], 3 * Brood.size),
    (["gate", "plain.yaml", "--against", "HEAD", "--build", "PATH_TO/brood"], Brood.size),
  ]

  @Test(arguments: commands.indices, [[Signal.kill], [.interrupt, .interrupt]])
  func everyCommandsChildrenEndWithIt(_ index: Int, _ signals: [Signal]) async throws {
    let brood = try Brood()
    if Self.commands[index].arguments.contains("--build") { try await Repository.make(in: brood.folder) }
    let arguments = Self.commands[index].arguments.map {
      $0.replacingOccurrences(of: "PATH_TO", with: brood.folder.path)
    }
    let (_, status, error) = try await brood.run(
      arguments, signals: signals, once: Self.commands[index].count)
    #expect(brood.processes.count >= Self.commands[index].count, "\(status) \(error)")
    try await brood.waitForEnd()
    #expect(brood.survivors.isEmpty, "\(arguments), \(signals), \(status)")
  }

  /// Without the mark, it is found by its parent.
  @Test(arguments: [[Signal.kill], [.interrupt, .interrupt]])
  func whatHasClearedItsEnvironmentIsFoundByItsParent(_ signals: [Signal]) async throws {
    let brood = try Brood()
    let sleeper = "echo $$ >> '\(brood.folder.path)/pids'; exec sleep 3600"
    try brood.write("brood", "#!/bin/sh\nenv -i setsid sh -c \"\(sleeper.replacing("$", with: "\\$"))\" &\nwait\n")
    let arguments = ["run", "brood.yaml", "--grace", "1h", "--progress", "none"]
    let (_, status, _) = try await brood.run(arguments, signals: signals, once: 3)
    #expect(brood.processes.count >= 3, "\(status)")
    try await brood.waitForEnd()
    #expect(brood.survivors.isEmpty, "\(status)")
  }

  /// Without the mark and without its parent, it is found because the program has adopted it. A job whose child is
  /// killed is retried: the retry must not start another while the program ends.
  @Test(arguments: [[], [Signal.interrupt, .interrupt], [.quit]])
  func whatHasClearedItsEnvironmentAndLostItsParentIsFound(_ signals: [Signal]) async throws {
    let brood = try Brood()
    let sleeper = "echo $$ >> '\(brood.folder.path)/pids'; exec sleep 3600"
    // A job that ends once its daemons run, unless a signal is to end it.
    let waits = "while [ \"$(cat pids 2>/dev/null | wc -l)\" -lt 3 ]; do sleep 0.05; done"
    let end = signals.isEmpty ? waits : "wait; sleep 3600"
    try brood.write(
      "brood", "#!/bin/sh\n(env -i setsid sh -c \"\(sleeper.replacing("$", with: "\\$"))\" &)\n\(end)\n")
    let arguments = ["run", "brood.yaml", "--grace", "1h", "--progress", "none"]
    let (_, status, error) = try await brood.run(arguments, signals: signals, once: 3)
    #expect(brood.processes.count >= 3, "\(status) \(error)")
    try await brood.waitForEnd()
    #expect(brood.survivors.isEmpty, "\(status)")
  }

  /// An adopted child that has ended must not stay in the process table.
  @Test func adoptedOrphansAreReaped() async throws {
    let brood = try Brood()
    let path = brood.folder.path
    try brood.write("orphan", "#!/bin/sh\n(true &)\n(setsid true &)\n")
    // The last one counts the zombies among the run's children once the others have left theirs.
    try brood.write("counter", "#!/bin/sh\nps -o stat= --ppid $PPID | grep -c Z > \(path)/zombies\nexit 0\n")
    try brood.write(
      "orphans.yaml",
      """
      name: orphans
      jobs:
        orphan: {work: {subprocess: ["\(path)/orphan"]}}
        counter: {work: {subprocess: ["\(path)/counter"]}}
      load: [{batch: 60, of: orphan}, {batch: 1, of: counter, start: 10ms}]
      scheduler: {workers: 1, policy: fifo}

      """)
    let (_, status, error) = try await brood.run(
      ["run", "orphans.yaml", "--progress", "none", "--system", "live"], signals: [], once: 0)
    let zombies = try #require(Int(brood.folder.text("zombies").trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(zombies < 30, "\(status) \(error)")
  }

  @Test func whatAJobLeavesRunningEndsWithTheRun() async throws {
    let brood = try Brood()
    let (_, status, error) = try await brood.run(["run", "quitter.yaml", "--progress", "none"], signals: [], once: 0)
    #expect(brood.processes.count == 3, "\(status) \(error)")
    // At once: the run does not end before they do.
    #expect(brood.survivors.isEmpty, "\(status)")
  }

  @Test func whatADriverLeavesRunningEndsWithIt() async throws {
    let brood = try Brood()
    let (_, status, error) = try await brood.run(
      ["run", "plain.yaml", "--system", "exec:./quitter", "--progress", "none"], signals: [], once: 0)
    #expect(error.contains("wrote no JOBS.csv"), "\(status) \(error)")
    #expect(brood.processes.count == 3 && brood.survivors.isEmpty, "\(status)")
  }

  /// A descendant that has the pipe open must not keep the reader waiting.
  @Test func aDaemonWithTheOutputOpenHoldsNothingUp() async throws {
    let brood = try Brood()
    try brood.write(
      "candidate", "#!/bin/sh\nsetsid sh -c 'echo $$ >> \"\(brood.folder.path)/pids\"; exec sleep 3600' &\nexit 3\n")
    let (_, status, error) = try await brood.run(
      ["gate", "plain.yaml", "--against", "./candidate", "--progress", "none"], signals: [], once: 0)
    #expect(status == .exited(4), "\(status) \(error)")
    #expect(try brood.folder.text("reports/latest/report.md").contains("it ended with status 3"))
    #expect(brood.survivors.isEmpty, "\(status)")
  }

  /// What watches over a run's children goes with the run.
  @Test func theKeeperEndsToo() async throws {
    let brood = try Brood()
    let (process, status, _) = try await brood.run(["run", "quitter.yaml", "--progress", "none"], signals: [], once: 0)
    #expect(!Self.hasKeeper(process), "\(status)")
    let (killed, _, _) = try await Brood().run(["run", "brood.yaml", "--progress", "none"], signals: [.kill], once: 1)
    try await Brood.wait { !Self.hasKeeper(killed) }
    #expect(!Self.hasKeeper(killed))
  }

  private static func hasKeeper(_ process: Int32) -> Bool {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.contains { entry in
      guard let bytes = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline") else { return false }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) == "keeper-of-\(process)"
    }
  }

  // MARK: - Growth

  /// A run after the other in one process: what each opens and starts, it closes and ends.
  @Test func manyRunsInOneProcessLeaveNoDescriptorsAndThreads() async throws {
    let folder = try TemporaryFolder()
    let count = 80
    for number in 100..<100 + count {
      let text = """
        name: s\(number)
        jobs:
          store: {work: {sqlite: mixed}}
          child: {work: {subprocess: [/bin/true]}}
          event: {work: events}
          block: {service: 1ms, pool: thread}
        load: [{batch: 4, of: store}, {batch: 2, of: child}, {batch: 2, of: event}, {batch: 4, of: block}]
        scheduler: {workers: 3, thread_workers: 3}

        """
      try Data(text.utf8).write(to: folder.url.appendingPathComponent("s\(number).yaml"))
    }
    let samples = try await Subprocess.run(
      .path(FilePath(Binary.path)),
      arguments: ["run", folder.path, "--output", "\(folder.path)/reports", "--progress", "none", "--system", "live"],
      input: .none, output: .discarded, error: .discarded
    ) { execution in
      var samples: [(descriptors: Int, threads: Int)] = []
      let process = "/proc/\(execution.processIdentifier.value)"
      func entries(_ name: String) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(process)/\(name)").count) ?? 0
      }
      while Brood.lives(execution.processIdentifier.value) {
        samples.append((entries("fd"), entries("task")))
        try await Task.sleep(for: .milliseconds(5))
      }
      return samples
    }.closureResult
    #expect(folder.exists("reports/latest/report.md"))
    // On a machine that gives the test no time to look there is nothing to compare.
    guard samples.count > 40 else { return }
    func most(_ range: Range<Int>) -> (descriptors: Int, threads: Int) {
      (samples[range].map(\.descriptors).max() ?? 0, samples[range].map(\.threads).max() ?? 0)
    }
    let early = most(samples.count / 10..<samples.count / 2)
    let late = most(samples.count / 2..<samples.count)
    // One a run would be some 40; what happens to be open at once varies by a few.
    #expect(late.descriptors < early.descriptors + 20, "\(early) then \(late), of \(samples.count)")
    #expect(late.threads < early.threads + 20, "\(early) then \(late), of \(samples.count)")
  }
}

/// A git repository in a folder.
enum Repository {
  static func make(in folder: TemporaryFolder) async throws {
    try await git(["init", "--quiet"], in: folder)
    try await git(
      ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--allow-empty", "-m", "first"],
      in: folder)
  }

  @discardableResult
  static func git(_ arguments: [String], in folder: TemporaryFolder) async throws -> String {
    let result = try await Subprocess.run(
      .name("git"), arguments: Arguments(arguments), workingDirectory: FilePath(folder.path), input: .none,
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    #expect(result.terminationStatus == .exited(0), "git \(arguments): \(result.standardError)")
    return result.standardOutput
  }
}
