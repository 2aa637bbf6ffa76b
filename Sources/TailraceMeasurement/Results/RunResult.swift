import TailraceCore

/// A name and a value; lists of settings keep their order.
package struct Setting: Sendable, Hashable, Codable {
  /// The name of the setting that marks a deliberate slowdown.
  package static let plantedSlowdown = "planted slowdown"
  package var name: String
  package var value: String
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// The number of injected faults in a run, by kind.
package struct InjectedFaults: Sendable, Hashable, Codable {
  package var attemptsFailed = 0
  package var attemptsHung = 0
  package var jobsLost = 0
  package var jobsDoubled = 0
  package var workersCrashed = 0
  package var stalls = 0
  package var clockSteps = 0
  package init() {}

  /// The kinds that occurred, in words.
  package var words: [String] {
    [
      ("attempts made to fail", attemptsFailed), ("attempts made to hang", attemptsHung), ("jobs lost", jobsLost),
      ("jobs submitted twice", jobsDoubled), ("workers crashed", workersCrashed), ("stalls", stalls),
      ("steps of the clock", clockSteps),
    ].filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
  }
}

/// What a crash test did to a driver's processes, and what became of the jobs.
package struct CrashFacts: Sendable, Hashable, Codable {
  /// A process that was killed or stopped.
  package struct Kill: Sendable, Hashable, Codable {
    /// From the run's start.
    package var at: Nanoseconds
    package var process: String
    /// Jobs that it was running.
    package var held: Int
    package init(at: Nanoseconds, process: String, held: Int) {
      self.at = at
      self.process = process
      self.held = held
    }
    private enum CodingKeys: String, CodingKey {
      case process, held
      case at = "atNs"
    }
  }
  /// The signal, in words.
  package var act: String
  package var role: String
  /// How long after a kill a replacement was asked for; nil: never.
  package var restart: Nanoseconds?
  package var patience: Nanoseconds
  package var kills: [Kill]
  /// Jobs that started again after they had completed.
  package var runTwice: Int
  /// Jobs that succeeded again after they had completed.
  package var completedTwice: Int
  /// Jobs that a killed process held and that neither started again nor settled.
  package var notRecovered: Int
  /// From a kill to the next start of each job that the process held; nil: no such job started again.
  package var recovery: Distribution?

  package init(
    act: String, role: String, restart: Nanoseconds?, patience: Nanoseconds, kills: [Kill], runTwice: Int,
    completedTwice: Int, notRecovered: Int, recovery: Distribution?
  ) {
    self.act = act
    self.role = role
    self.restart = restart
    self.patience = patience
    self.kills = kills
    self.runTwice = runTwice
    self.completedTwice = completedTwice
    self.notRecovered = notRecovered
    self.recovery = recovery
  }

  private enum CodingKeys: String, CodingKey {
    case act, role, kills, runTwice, completedTwice, notRecovered, recovery
    case restart = "restartNs"
    case patience = "patienceNs"
  }

  var figures: [Figure] {
    func time(_ value: Nanoseconds?, _ needed: String) -> Reading {
      value.map { Reading(Double($0.rawValue)) } ?? .unavailable(needed)
    }
    let none = "no job of a killed process started again"
    let few = recovery == nil ? none : "too few samples"
    return [
      Figure(.runTwice, Reading(Double(runTwice))), Figure(.completedTwice, Reading(Double(completedTwice))),
      Figure(.recoveryP50, time(recovery?.percentile(50), few)),
      Figure(.recoveryP99, time(recovery?.percentile(99), few)),
      Figure(.recoveryMax, time(recovery?.max, none)),
    ]
  }
}

/// The scheduler behind a driver, as the driver describes it.
package struct DriverFacts: Sendable, Hashable, Codable {
  package var name: String
  package var version: String
  /// What a reader must know to repeat the measurement.
  package var settings: [Setting]
  /// What the scheduler lacks, in words.
  package var lacks: [String]
  /// Sentences for the report.
  package var notes: [String]

  package init(name: String, version: String, settings: [Setting], lacks: [String], notes: [String]) {
    self.name = name
    self.version = version
    self.settings = settings
    self.lacks = lacks
    self.notes = notes
  }
}

/// Observations of a run besides its timelines.
package struct Observations: Sendable, Hashable, Codable {
  /// Whether arrivals are independent of job completion (an open loop), so that offered and achieved rate can differ.
  package var isOpenLoop = true
  /// The load generator's own lateness, without the time that a full queue blocked it; nil: not an open loop.
  package var generatorLateness: Distribution?
  /// From the moment a job was sent to a driver until the driver called its scheduler; nil: no driver took part.
  package var handOver: Distribution?
  /// How long the driver's calls of its scheduler took; nil: no driver took part.
  package var submission: Distribution?
  /// What a crash test did and found; nil: no crash test.
  package var crash: CrashFacts?
  /// The scheduler behind a driver; nil: no driver took part.
  package var driver: DriverFacts?
  /// The total time that a full queue blocked the generator.
  package var heldBack = Nanoseconds.zero
  /// Mean number of accepted, unsettled jobs, as integrated by the scheduler over ``observedFor``.
  package var meanJobsInSystem = Reading.notTaken
  /// From the run's start until no job was left.
  package var observedFor = Nanoseconds.zero
  /// CPU time of the process during the run, in nanoseconds.
  package var processorTime = Reading.notTaken
  /// In bytes.
  package var peakMemory = Reading.notTaken
  /// Bytes allocated per settled job.
  package var bytesPerJob = Reading.notTaken
  package var liveBytesWarm = Reading.notTaken
  package var liveBytesEnd = Reading.notTaken
  /// Allocator calls per settled job.
  package var allocationsPerJob = Reading.unavailable("counted only with --allocations")
  /// Share of the run's CPU time taken by the host, 0…1.
  package var hostSteal = Reading.notTaken
  /// Clock ticks behind ``hostSteal``, of all CPUs together; nil: not known.
  package var hostTicks: Int?
  /// Share of the run's CPU time used by other programs on the machine, 0…1; nil in results of earlier versions.
  package var otherPrograms: Reading?
  /// How long the run's own runnable threads waited for a CPU, in total, in nanoseconds; nil in results of earlier
  /// versions.
  package var runDelay: Reading?
  /// Pauses of the process or the machine; nil: not monitored, as in virtual time, or a result of an earlier version.
  package var standstill: Standstill?
  /// Iterations of a fixed loop per nanosecond of CPU time, just before the run: the speed of the machine; nil in
  /// results of earlier versions.
  package var spinSpeed: Reading?
  /// In nanoseconds.
  package var wakeUpP50 = Reading.notTaken
  /// In nanoseconds.
  package var wakeUpP99 = Reading.notTaken
  /// Whether the run was interrupted.
  package var isInterrupted = false
  /// Jobs that had not settled at the end of the drain time; nil: none.
  package var cutOff: Int?
  /// Injected faults; nil: the scenario has none.
  package var injectedFaults: InjectedFaults?
  /// Attempts missing from `jobs.csv` because its list was full; nil: none.
  package var attemptsLeftOut: Int?
  /// Reasons of unplanned attempt failures; nil: none, or not reported by the system.
  package var failures: FailureReasons?
  /// What the real work of the jobs did; nil: the jobs had no events, workflows or database operations.
  package var work: [WorkStatistic]?
  package init() {}

  private enum CodingKeys: String, CodingKey {
    case isOpenLoop, generatorLateness, meanJobsInSystem, bytesPerJob, liveBytesWarm, liveBytesEnd
    case allocationsPerJob, hostSteal, hostTicks, otherPrograms, standstill, isInterrupted, cutOff, injectedFaults
    case attemptsLeftOut, failures, work, handOver, submission, driver, crash
    case heldBack = "heldBackNs"
    case observedFor = "observedForNs"
    case processorTime = "processorTimeNs"
    case peakMemory = "peakMemoryBytes"
    case runDelay = "runDelayNs"
    case spinSpeed = "spinSpeedPerNs"
    case wakeUpP50 = "wakeUpP50Ns"
    case wakeUpP99 = "wakeUpP99Ns"
  }

  var figures: [Figure] {
    [
      Figure(.jobsInSystem, meanJobsInSystem), Figure(.processorTime, processorTime), Figure(.peakMemory, peakMemory),
      Figure(.bytesPerJob, bytesPerJob), Figure(.liveBytesWarm, liveBytesWarm), Figure(.liveBytesEnd, liveBytesEnd),
      Figure(.allocationsPerJob, allocationsPerJob), Figure(.hostSteal, hostSteal), Figure(.wakeUpP50, wakeUpP50),
      Figure(.wakeUpP99, wakeUpP99), Figure(.otherPrograms, otherPrograms ?? .notTaken),
      Figure(.runDelay, runDelay ?? .notTaken), Figure(.spinSpeed, spinSpeed ?? .notTaken),
    ] + (crash?.figures ?? [])
  }

  /// How long the run's threads waited for a CPU, as a share of their work, 0…1; nil: not known.
  ///
  /// The work is the greater of the threads' runnable time and the attempts' total service time. For computing jobs the
  /// two are similar; for sleeping jobs a waiting thread delays the wake-up.
  ///
  /// - Parameter service: of all attempts together, in nanoseconds.
  package func delayedShare(service: Double) -> Double? {
    guard let delay = runDelay?.value, let ran = processorTime.value, delay + ran > 0 else { return nil }
    return delay / max(delay + ran, service)
  }
}

/// The result of a run: a scenario's tape replayed on one system with one seed.
package struct RunResult: Sendable, Hashable, Codable {
  /// `live`, `sequential`, `task-group`, …
  package var system: String
  /// From 1.
  package var repetition: Int
  package var seed: UInt64
  /// The factor on every duration of the scenario; 1: none.
  package var timeScale: Double
  /// The tape's fingerprint in hexadecimal: equal for runs of the same jobs.
  package var fingerprint: String
  /// The fingerprints of the tape's parts; nil in results of earlier versions.
  package var tape: TapeParts?
  package var measurement: RunMeasurement
  package var observations: Observations
  package var validity: [ValidityCheck]

  /// Creates a run's result and its validity certificate.
  package init(
    system: String, repetition: Int = 1, seed: UInt64, timeScale: Double, fingerprint: String,
    tape: TapeParts? = nil, measurement: RunMeasurement, observations: Observations,
    bounds: ValidityBounds = ValidityBounds()
  ) {
    self.system = system
    self.repetition = repetition
    self.seed = seed
    self.timeScale = timeScale
    self.fingerprint = fingerprint
    self.tape = tape
    self.measurement = measurement
    self.observations = observations
    self.measurement.figures += observations.figures
    validity = ValidityCheck.certificate(of: self.measurement, observations: observations, bounds: bounds)
  }

  /// Whether it ran in virtual time.
  package var isSimulated: Bool { system == "simulated" || system == "simulated-sequential" }
  /// Whether it ran one job at a time, as the baseline of speedups.
  package var isSequential: Bool { system == "sequential" || system == "simulated-sequential" }
  /// Whether it is the baseline of the other run's speedup: one job at a time, on the same clock and tape.
  package func isBaseline(of other: RunResult) -> Bool {
    isSequential && isSimulated == other.isSimulated && fingerprint == other.fingerprint
  }

  /// Whether no check of the certificate failed.
  package var isValid: Bool { !validity.contains { $0.verdict == .failed } }

  /// A figure's value; nil if the run does not have it.
  package func reading(of figure: FigureName) -> Reading? {
    measurement.figures.first { $0.name == figure }?.reading
  }
}
