import Foundation
import Subprocess
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceRuntime
import TailraceWorkload

/// A scheduler behind a driver that exchanges lines with Tailrace: `stream:PATH`, or the name of an installed driver.
/// docs/driver-protocol.md has the contract.
package struct StreamedSystem: ReplaySystem {
  /// What the names of a user's own drivers begin with.
  package static let prefix = "stream:"
  /// How long a driver may take to start its servers and workers.
  var startTime = Nanoseconds.seconds(120)
  /// How long a driver may take to end.
  var endTime = Nanoseconds.seconds(10)

  package let name: String
  package var summary: String
  /// The program's path.
  let program: String
  let arguments: [String]
  let environment: [String: String]
  /// What the scheduler lacks, as far as it is known before the driver runs.
  let lackedAbilities: [DriverAbility]
  private let knownObstacle: String?
  /// Set for a crash test.
  package var crashPlan: CrashPlan?

  /// A user's own driver.
  ///
  /// - Parameter name: The result is nil if it does not begin with ``prefix``.
  package init?(named name: String) {
    guard name.hasPrefix(Self.prefix) else { return nil }
    let path = String(name.dropFirst(Self.prefix.count))
    self.init(
      name: name, summary: "Your own driver, which submits jobs as Tailrace sends them: docs/driver-protocol.md.",
      program: path.isEmpty ? "" : URL(fileURLWithPath: path).standardizedFileURL.path)
  }

  package init(
    name: String, summary: String, program: String, arguments: [String] = [], environment: [String: String] = [:],
    lacks: [DriverAbility] = [], obstacle: String? = nil
  ) {
    self.name = name
    self.summary = summary
    self.program = program
    self.arguments = arguments
    self.environment = environment
    lackedAbilities = lacks
    knownObstacle = obstacle
  }

  package var bringsItsWork: Bool { true }

  package var obstacle: String? { knownObstacle ?? ProgramPath.obstacle(of: program, named: name, form: "stream:PATH") }

  package func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String] {
    scenario.driverNeeds.filter(lackedAbilities.contains).map(\.words) + scenario.lacksForDrivers
  }

  package func demand(of scenario: Scenario) -> RunDemand {
    var demand = RunDemand()
    demand.isOtherProgram = true
    return demand
  }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    try await StreamedReplay(self, replay)()
  }
}

/// One replay on a driver.
struct StreamedReplay {
  private let system: StreamedSystem
  private let replay: Replay
  private let run: DriverRun
  private let jobs: DriverJobs
  private let meters: RunMeters

  init(_ system: StreamedSystem, _ replay: Replay) throws(SystemRefusal) {
    self.system = system
    self.replay = replay
    jobs = DriverJobs(replay.scenario)
    if system.crashPlan != nil { jobs.crashes = CrashTally() }
    run = try DriverRun(name: system.name, jobs: jobs)
    meters = RunMeters(replay.meter)
  }

  func callAsFunction() async throws -> ReplayOutcome {
    let child = try run.start(system.program, system.arguments, environment: system.environment) { [meters] in
      meters.watch(program: $0)
    }
    // Whatever happens, nothing that the driver started goes on.
    defer { run.process.endFamily() }
    let mirror = Task { [run, interruption = replay.interruption] in
      while !interruption.isSet { try await Task.sleep(for: .milliseconds(20)) }
      run.halt.stop()
    }
    defer { mirror.cancel() }
    do {
      let ready = try await prepare()
      let outcome = try await drive(ready)
      await end(child)
      try check()
      return outcome
    } catch {
      child.cancel()
      await child.value
      run.process.endFamily()
      await run.finishReading()
      throw error
    }
  }

  private var isInterrupted: Bool { replay.interruption.isSet }

  /// Says `hello` and waits for `ready`; nil: the run was interrupted meanwhile.
  private func prepare() async throws -> DriverReady? {
    run.process.send(
      DriverMessages.hello(replay.scenario, seed: replay.tape.seed, reportsStarts: system.crashPlan != nil))
    let deadline = MonotonicClock.now() + system.startTime
    let isReady = await run.wait(until: deadline, every: .milliseconds(5)) { run.ready != nil || isInterrupted }
    if isInterrupted { return nil }
    try check()
    guard isReady, let ready = run.ready else {
      throw problem(
        run.hasEnded
          ? "ended \(statusWords) before it was ready"
          : "was not ready after \(Int(system.startTime.seconds)) s; answer hello with ready or unable")
    }
    let lacks = replay.scenario.driverNeeds.filter(ready.lacks.contains).map(\.words)
    guard lacks.isEmpty else {
      throw ExternalSystemProblem(
        description: "\(system.name) cannot replay '\(replay.scenario.name)': it lacks "
          + lacks.joined(separator: ", ") + "; use a scenario without it", isLack: true)
    }
    if let plan = system.crashPlan, !ready.processes.contains(where: { $0.role == plan.role }) {
      let roles = Set(ready.processes.map(\.role.rawValue)).sorted().joined(separator: ", ")
      throw ExternalSystemProblem(
        description: "\(system.name) names no process with the role \(plan.role.rawValue), so none can be killed; "
          + (roles.isEmpty ? "it names none at all" : "it names processes with the roles \(roles)"))
    }
    return ready
  }

  /// Sends the jobs and waits until they have settled.
  private func drive(_ ready: DriverReady?) async throws -> ReplayOutcome {
    let origin = MonotonicClock.now() + .milliseconds(20)
    let observer = ReplayObserver(shards: 2, replay: replay, origin: origin)
    run.begin(observer)
    let workers = ProgramPools(replay.scenario).workers
    replay.progress?.ask { [weak run] in
      let unsettled = run?.unsettled ?? 0
      // How many run is not known before they have ended.
      return JobCounts(waiting: max(0, unsettled - workers), running: min(unsettled, workers))
    }
    let sink = DriverSink(run, replay)
    var stoppable = replay
    stoppable.interruption = run.halt
    let generator = LoadGenerator(stoppable, origin: origin, sink: sink) { observer.recordOne($0, shard: 1) }
    let actor = system.crashPlan.map { CrashActor(plan: $0, run: run, origin: origin, seed: replay.tape.seed) }
    let acts = Task { [tape = replay.tape] in
      guard let actor, let ready else { return }
      await actor.act(until: Self.length(of: tape), on: ready.processes)
    }
    if ready != nil { try await DedicatedThread.run { generator.run() } }
    run.process.send(DriverMessages.drain)
    await waitForEnd()
    acts.cancel()
    await acts.value
    let ended = MonotonicClock.now()
    let left = run.unsettled
    let expense = meters.expense()
    run.close()
    let recorder = observer.merged()
    var observations = Self.observations(expense, ended - origin)
    observations.isOpenLoop = replay.scenario.hasOpenArrivals
    observations.generatorLateness = generator.ownLateness
    observations.isInterrupted = isInterrupted
    if left > 0, system.crashPlan == nil { observations.cutOff = left }
    observations.crash = crashFacts(origin)
    (observations.handOver, observations.submission) = run.withJobs {
      ($0.handOver.distribution, $0.submission.distribution)
    }
    observations.driver = ready.map { DriverFacts($0) }
    let facts = RunFacts(
      intended: generator.intended, workers: [(.async, workers)], unsettled: system.crashPlan == nil ? left : 0,
      startsWindow: replay.startsWindow
    ) { sink.dependencies[$0] ?? [] }
    return ReplayOutcome(recorder: recorder, facts: facts, observations: observations)
  }

  /// From the run's start to the last arrival, or to the end of the clients.
  private static func length(of tape: Tape) -> Nanoseconds {
    var last = Nanoseconds.zero
    var cursor = tape.makeCursor()
    while let job = cursor.next() { last = Nanoseconds(job.intended.nanoseconds) }
    return max(last, tape.scenario.duration ?? .zero)
  }

  private func crashFacts(_ origin: Instant) -> CrashFacts? {
    guard let plan = system.crashPlan, let tally = run.withJobs({ $0.crashes }) else { return nil }
    var recovery = LatencyHistogram()
    for time in tally.recoveries { recovery.record(time) }
    return CrashFacts(
      act: plan.act.words, role: plan.role.rawValue, restart: plan.restart, patience: plan.patience,
      kills: tally.kills.map { CrashFacts.Kill(at: $0.at - origin, process: $0.process, held: $0.held) },
      runTwice: tally.runTwice.count, completedTwice: tally.completedTwice.count, notRecovered: tally.stranded,
      recovery: recovery.distribution)
  }

  private func waitForEnd() async {
    let deadline =
      MonotonicClock.now() + (isInterrupted ? replay.grace : system.crashPlan?.patience ?? replay.scenario.drain)
    let wasInterrupted = isInterrupted
    _ = await run.wait(until: deadline) { run.unsettled == 0 || (isInterrupted && !wasInterrupted) }
    guard isInterrupted, !wasInterrupted else { return }
    _ = await run.wait(until: MonotonicClock.now() + replay.grace) { run.unsettled == 0 }
  }

  /// Says `stop`, and ends what does not end by itself.
  private func end(_ child: Task<Void, Never>) async {
    let endedBeforeStop = run.hasEnded
    run.process.send(DriverMessages.stop)
    let deadline = MonotonicClock.now() + (isInterrupted ? .milliseconds(700) : system.endTime)
    let hasEnded = await run.wait(until: deadline) { run.hasEnded }
    if !hasEnded {
      if !isInterrupted, run.failure == nil {
        run.fail(
          "\(system.name) had not ended \(Int(system.endTime.seconds)) s after stop; it was ended. "
            + "End workers and servers, write done, and exit")
      }
      child.cancel()
    }
    await child.value
    run.process.endFamily()
    await run.finishReading()
    if run.failure == nil, !isInterrupted {
      if run.status != .exited(0) || endedBeforeStop {
        let jobs = run.unsettled == 1 ? "1 job" : "\(run.unsettled) jobs"
        let when = run.unsettled > 0 ? " before \(jobs) had settled" : endedBeforeStop ? " before stop" : ""
        run.fail("\(system.name) ended \(statusWords)\(when)")
      } else if !run.isDone {
        run.fail("\(system.name) exited without writing done")
      }
    }
  }

  private var statusWords: String {
    switch run.status {
    case .exited(let code)?: "with status \(code)"
    case .signaled(let signal)?: "by signal \(signal)"
    case nil: "at once"
    }
  }

  /// Throws what went wrong, with the driver's last words.
  private func check() throws {
    guard let failure = run.failure, !isInterrupted else { return }
    throw ExternalSystemProblem(description: "\(failure); \(run.process.lastWords)")
  }

  private func problem(_ words: String) -> ExternalSystemProblem {
    ExternalSystemProblem(description: "\(system.name) \(words); \(run.process.lastWords)")
  }

  /// What can be known of a run whose jobs another program ran.
  private static func observations(_ expense: RunExpense, _ time: Nanoseconds) -> Observations {
    var observations = expense.observationsOfAnotherProgram()
    observations.otherPrograms = .unavailable("the driver, its workers and servers are other programs")
    observations.observedFor = time
    return observations
  }
}

extension DriverFacts {
  init(_ ready: DriverReady) {
    self.init(
      name: ready.name, version: ready.schedulerVersion,
      settings: ready.settings.sorted { $0.key < $1.key }.map { Setting($0.key, $0.value) },
      lacks: ready.lacks.map(\.words), notes: ready.notes)
  }
}

/// Whether a user's program can be started.
enum ProgramPath {
  /// - Parameter form: How the user names a program.
  static func obstacle(of program: String, named name: String, form: String) -> String? {
    guard !program.isEmpty else { return "\(name): the path of a program is missing; write \(form)" }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: program, isDirectory: &isFolder) else {
      return "\(name): '\(program)' does not exist; name an executable program"
    }
    guard !isFolder.boolValue, FileManager.default.isExecutableFile(atPath: program) else {
      return "\(name): '\(program)' is not an executable program; run chmod +x, or name another"
    }
    return nil
  }
}
