import Foundation
import Subprocess
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceRuntime
import TailraceSpelling
import TailraceText
import TailraceWorkload

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// Any program that reads a tape, replays it and writes what became of each job: `exec:PATH`. docs/driver.md has the
/// contract.
package struct ExternalSystem: ReplaySystem {
  /// What the names of such systems begin with.
  package static let prefix = "exec:"
  /// Beside the time to drain, for a program to start and to write its rows.
  static let allowance = Nanoseconds.seconds(60)

  package let name: String
  package static let summary = "Your own program, which replays the tape itself: docs/driver.md."
  package var summary: String { Self.summary }
  private let path: String

  /// - Parameter name: nil comes back where it does not begin with ``prefix``.
  package init?(named name: String) {
    guard name.hasPrefix(Self.prefix) else { return nil }
    self.name = name
    path = String(name.dropFirst(Self.prefix.count))
  }

  package var bringsItsWork: Bool { true }
  package var heeds: Set<ReplaySetting> { [.grace] }

  /// The path in full, so that no search along PATH finds another program.
  private var program: String { URL(fileURLWithPath: path).standardizedFileURL.path }

  package var obstacle: String? {
    ProgramPath.obstacle(of: path.isEmpty ? "" : program, named: name, form: "exec:PATH")
  }

  /// What the tape's rows cannot tell a program. How jobs are scheduled is the program's own affair.
  package func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String] {
    var lacks: [String] = []
    let jobs = scenario.jobs
    if scenario.hasClosedArrivals { lacks.append("clients that await their jobs (a closed load)") }
    if jobs.contains(where: { $0.failures != .none && ($0.retry ?? scenario.scheduler.retry).limit > 0 }) {
      lacks.append("retries of failed attempts (the tape's rows contain only first attempts; set retries to 0)")
    }
    if jobs.contains(where: { $0.failures.hangs > 0 }) {
      lacks.append("attempts that hang (the tape's rows contain no timeouts)")
    }
    if jobs.contains(where: { if case .cycles = $0.work { true } else { false } }) { lacks.append("work in cycles") }
    if jobs.contains(where: { $0.uniqueKeys != nil }) { lacks.append("unique keys") }
    if jobs.contains(where: { $0.tenants != nil }) || scenario.trace?.tenants.isEmpty == false {
      lacks.append("tenants")
    }
    if !scenario.failFastBatches.isEmpty { lacks.append("fail-fast batches") }
    return lacks + scenario.needsOfSimulation
  }

  package func demand(of scenario: Scenario) -> RunDemand {
    var demand = RunDemand()
    demand.isOtherProgram = true
    return demand
  }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    let folder = URL(fileURLWithPath: TemporaryPlace.folder("tape"), isDirectory: true)
    defer { _ = Leftovers.remove(folder.path) }
    let expected = ExpectedJobs(replay.tape)
    do {
      try OutputFile.makeFolder(folder.path)
      try Self.write(replay.tape, to: folder.appendingPathComponent("TAPE.csv"))
    } catch {
      throw ExternalSystemProblem(
        description: "\(name): cannot write the tape to '\(folder.path)': \(ErrorWords.of(error))")
    }
    let meters = RunMeters(replay.meter)
    let end = try await ProgramRun(name: name, program: program, folder: folder, last: expected.jobs.last?.intended)
      .run(replay, meters)
    let expense = meters.expense()
    replay.progress?.submitted(
      expected.jobs.count, reached: Nanoseconds(expected.jobs.last?.intended.nanoseconds ?? 0))
    let records = try records(in: folder, for: expected, end)
    let recorder = Recorder(Recorder.RecorderSettings(replay.scenario, origin: .zero))
    let tap = replay.progress?.openTap(shards: 1, recorder.settings)
    records.withUnsafeBufferPointer {
      recorder.record($0)
      replay.log?.add($0)
      tap?.add($0, shard: 0)
    }
    let isInterrupted = replay.interruption.isSet
    let configuration = SchedulerConfiguration(replay.scenario, seed: replay.tape.seed)
    var facts = RunFacts(
      // Of a program that was stopped only what it wrote can be expected.
      intended: isInterrupted ? recorder.settledJobs : expected.jobs.count,
      workers: PoolID.allCases.map { ($0, configuration[$0].workers) }, startsWindow: replay.startsWindow
    ) { expected.dependencies[$0] ?? [] }
    if !isInterrupted {
      facts.intendedInWindow = expected.jobs(from: replay.scenario.warmup, to: replay.scenario.duration)
    }
    var observations = Self.observations(records, expense)
    observations.isOpenLoop = replay.scenario.hasOpenArrivals
    observations.isInterrupted = isInterrupted
    return ReplayOutcome(recorder: recorder, facts: facts, observations: observations)
  }

  private static func write(_ tape: Tape, to file: URL) throws {
    guard FileManager.default.createFile(atPath: file.path, contents: nil) else {
      throw FileProblem(.write, file.path, errno)
    }
    let handle = try FileHandle(forWritingTo: file)
    defer { try? handle.close() }
    var (text, failure): ([UInt8], (any Error)?) = ([], nil)
    tape.writeCSV(limit: .max) { line in
      text.append(contentsOf: line.utf8)
      text.append(UInt8(ascii: "\n"))
      guard text.count > 1 << 20, failure == nil else { return }
      do { try handle.write(contentsOf: text) } catch { failure = error }
      text.removeAll(keepingCapacity: true)
    }
    if let failure { throw failure }
    try handle.write(contentsOf: text)
  }

  /// What the program wrote; nothing where it was stopped before it wrote anything that can be read.
  private func records(in folder: URL, for expected: ExpectedJobs, _ end: ProgramRun.End) throws -> [TimelineRecord] {
    var bytes: [UInt8]?
    do throws(InputProblem) {
      bytes = try InputFile.read(folder.appendingPathComponent("JOBS.csv").path, .rows, .regular)
    } catch {
      if let (reason, advice) = error.halves {
        throw ExternalSystemProblem(description: "the JOBS.csv of \(name) cannot be used: \(reason); \(advice)")
      }
    }
    switch end {
    case .stopped(let isWhole): if !isWhole || bytes == nil { return [] }
    case .done: break
    }
    guard let bytes else {
      throw ExternalSystemProblem(
        description: "\(name) exited with status 0 and wrote no JOBS.csv, though \(expected.jobs.count) "
          + "\(expected.jobs.count == 1 ? "job was" : "jobs were") intended; write the file that its second argument "
          + "names"
      )
    }
    do {
      let records = try AttemptRowsReader.records(of: bytes, for: expected)
      if records.isEmpty, !expected.jobs.isEmpty, case .done = end { throw noRows(expected.jobs.count) }
      return records
    } catch let problems as AttemptRowsReader.Problems {
      throw ExternalSystemProblem(description: "\(name) wrote rows that cannot be used:\n\(problems)")
    }
  }

  private func noRows(_ intended: Int) -> ExternalSystemProblem {
    ExternalSystemProblem(
      description: "\(name) exited with status 0 and wrote no row, though \(intended) "
        + "\(intended == 1 ? "job was" : "jobs were") intended; write a row for each job to the file that its second "
        + "argument names")
  }

  /// What can be known of a run that was another program's: its rows, and the host.
  private static func observations(_ records: [TimelineRecord], _ expense: RunExpense) -> Observations {
    var observations = expense.observationsOfAnotherProgram()
    var lateness = LatencyHistogram()
    var last = Instant.zero
    for record in records {
      if record.attempt == 1, record.wasSubmitted { lateness.record(record.submitted - record.intended) }
      last = max(last, record.finished)
    }
    observations.generatorLateness = lateness.distribution
    observations.observedFor = last - .zero
    return observations
  }
}

/// What a program is told of the workers that a scenario gives its jobs.
struct ProgramPools {
  /// 0: no job type runs on that pool.
  var asyncWorkers = 0
  var threadWorkers = 0
  /// Of both pools.
  var workers: Int { asyncWorkers + threadWorkers }
  /// Job types of the thread pool.
  var threadTypes: [String] = []

  init(_ scenario: Scenario) {
    threadTypes = scenario.jobs.filter { $0.resolvedPool == .thread }.map(\.name)
    let settings = scenario.scheduler
    if threadTypes.count < scenario.jobs.count { asyncWorkers = settings.workers }
    if !threadTypes.isEmpty { threadWorkers = settings.threadWorkers ?? settings.workers }
  }
}

/// One run of a program, in a folder that holds its tape.
private struct ProgramRun {
  /// How it ended.
  enum End: Sendable {
    /// By itself, with status 0.
    case done
    /// It was told to, since the run was interrupted; `isWhole` where it exited with status 0 all the same.
    case stopped(isWhole: Bool)
  }

  var name: String
  var program: String
  var folder: URL
  /// The last intended arrival.
  var last: Instant?

  func run(_ replay: Replay, _ meters: RunMeters) async throws -> End {
    let interruption = replay.interruption
    let grace = replay.grace.duration
    let words = folder.appendingPathComponent("stderr.txt").path
    let arguments = ["TAPE.csv", "JOBS.csv"].map { folder.appendingPathComponent($0).path }
    let environment = Self.environment(replay)
    let family = ProcessFamily()
    // Also what the program has left running when it has ended by itself.
    defer { family.end() }
    let child = Task { [program] in
      try await family.run(
        .path(FilePath(program)), arguments, environment: environment, grace: grace, output: .discarded,
        error: .fileDescriptor(
          try .open(
            FilePath(words), .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite]),
          closeAfterSpawningProcess: true)
      ) { meters.watch(program: $0) }.terminationStatus
    }
    let allowed = ((last ?? .zero) - .zero) + replay.scenario.drain + ExternalSystem.allowance
    let deadline = MonotonicClock.now() + allowed
    let watcher = Task {
      while !interruption.isSet, MonotonicClock.now() < deadline { try await Task.sleep(for: .milliseconds(20)) }
      child.cancel()
    }
    defer { watcher.cancel() }
    let status: TerminationStatus
    do {
      status = try await child.value
    } catch {
      if interruption.isSet { return .stopped(isWhole: false) }
      guard MonotonicClock.now() < deadline else { throw late(allowed) }
      throw ExternalSystemProblem(description: "\(name) could not be started: \(ErrorWords.of(error))")
    }
    // A signal from a terminal reaches the program too, and may have ended it before this one has noticed.
    if case .signaled = status, !interruption.isSet { try? await Task.sleep(for: .milliseconds(200)) }
    if interruption.isSet { return .stopped(isWhole: status == .exited(0)) }
    guard MonotonicClock.now() < deadline else { throw late(allowed) }
    switch status {
    case .exited(0): return .done
    case .exited(let code): throw failure("ended with status \(code)", words)
    case .signaled(let signal): throw failure("was ended by signal \(signal)", words)
    }
  }

  private static func environment(_ replay: Replay) -> [Environment.Key: String?] {
    let pools = ProgramPools(replay.scenario)
    var values: [Environment.Key: String?] = [
      "TAILRACE_WORKERS": "\(pools.workers)",
      "TAILRACE_ASYNC_WORKERS": "\(pools.asyncWorkers)", "TAILRACE_THREAD_WORKERS": "\(pools.threadWorkers)",
      "TAILRACE_THREAD_TYPES": pools.threadTypes.joined(separator: ","), "TAILRACE_SEED": "\(replay.tape.seed)",
    ]
    values.updateValue(replay.scenario.duration.map { "\($0.rawValue)" }, forKey: "TAILRACE_DURATION_NS")
    return values
  }

  private func late(_ allowed: Nanoseconds) -> ExternalSystemProblem {
    ExternalSystemProblem(
      description: "\(name) had not ended after \(Int(allowed.seconds)) s: the tape's length, the scenario's drain, "
        + "and \(Int(ExternalSystem.allowance.seconds)) s to start and to write; it was ended. Let it stop, or raise "
        + "drain"
    )
  }

  /// With the last that the program said.
  private func failure(_ how: String, _ file: String) -> ExternalSystemProblem {
    // The program may have said anything. A line that is written over by a carriage return ends by it.
    let lines = InputFile.end(of: file, count: 1 << 14).split { $0 == 0x0a || $0 == 0x0d }.suffix(12)
      .map { VisibleText.lines($0) }.map { $0.prefix(400) + ($0.count > 400 ? "…" : "") }
    let said = lines.isEmpty ? "it said nothing on standard error" : "it said last:\n" + lines.joined(separator: "\n")
    return ExternalSystemProblem(description: "\(name) \(how); \(said)")
  }
}

/// Why a program's replay came to nothing.
package struct ExternalSystemProblem: Error, CustomStringConvertible {
  package var description: String
  /// Whether the scheduler lacks what the scenario needs.
  var isLack = false
}
