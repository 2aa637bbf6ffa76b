import TailraceCore

/// A name and what it stands for, in an order that is kept.
package struct Setting: Sendable, Hashable, Codable {
  /// The name of the setting that tells of a slowdown planted on purpose.
  package static let plantedSlowdown = "planted slowdown"
  package var name: String
  package var value: String
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// How often each kind of fault was injected into a run on purpose.
package struct InjectedFaults: Sendable, Hashable, Codable {
  package var attemptsFailed = 0
  package var attemptsHung = 0
  package var jobsLost = 0
  package var jobsDoubled = 0
  package var workersCrashed = 0
  package var stalls = 0
  package var clockSteps = 0
  package init() {}

  /// What was done at least once, in words.
  package var words: [String] {
    [
      ("attempts made to fail", attemptsFailed), ("attempts made to hang", attemptsHung), ("jobs lost", jobsLost),
      ("jobs submitted twice", jobsDoubled), ("workers crashed", workersCrashed), ("stalls", stalls),
      ("steps of the clock", clockSteps),
    ].filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
  }
}

/// What the harness observes of a run beside its timelines.
package struct Observations: Sendable, Hashable, Codable {
  /// Whether jobs arrive by a schedule of their own (an open loop), so that offered and achieved rate can differ.
  package var isOpenLoop = true
  /// The load generator's own lateness, without the time that a full queue held it back; nil: not an open loop.
  package var generatorLateness: Distribution?
  /// How long a full queue held the generator back, in all.
  package var heldBack = Nanoseconds.zero
  /// Mean number of accepted, unsettled jobs as the scheduler itself integrated it over ``observedFor``.
  package var meanJobsInSystem = Reading.notTaken
  /// From the run's start until no job was left.
  package var observedFor = Nanoseconds.zero
  /// Processor time of the process during the run, in nanoseconds.
  package var processorTime = Reading.notTaken
  /// In bytes.
  package var peakMemory = Reading.notTaken
  /// Bytes allocated per settled job.
  package var bytesPerJob = Reading.notTaken
  package var liveBytesWarm = Reading.notTaken
  package var liveBytesEnd = Reading.notTaken
  /// Calls of the allocator per settled job.
  package var allocationsPerJob = Reading.unavailable("counted only with --allocations")
  /// Share of the run's processor time that the host gave to others, 0…1.
  package var hostSteal = Reading.notTaken
  /// Ticks of the clock in which the system counts processor time, of all processors together, behind ``hostSteal``;
  /// nil: not known.
  package var hostTicks: Int?
  /// Share of the run's processor time that other programs on the machine had, 0…1; nil in results of versions that
  /// knew no such thing.
  package var otherPrograms: Reading?
  /// How long the run's own threads waited for a processor while they could run, all together, in nanoseconds; nil
  /// likewise.
  package var runDelay: Reading?
  /// For how long the process or the machine stood still; nil: nobody watched, as in virtual time, and in results of
  /// versions that knew no such thing.
  package var standstill: Standstill?
  /// Iterations of a fixed loop in a nanosecond of processor time, just before the run: how fast the machine was; nil
  /// likewise.
  package var spinSpeed: Reading?
  /// In nanoseconds.
  package var wakeUpP50 = Reading.notTaken
  /// In nanoseconds.
  package var wakeUpP99 = Reading.notTaken
  /// Whether the run was cut short from outside.
  package var isInterrupted = false
  /// Jobs that had not settled by themselves when the time to drain was over; nil: none.
  package var cutOff: Int?
  /// What went wrong on purpose; nil: the scenario has no plan of faults.
  package var injectedFaults: InjectedFaults?
  /// Attempts that `jobs.csv` lacks, since the list of them was full; nil: none.
  package var attemptsLeftOut: Int?
  /// Why attempts failed that were not meant to; nil: none did, or the system does not say.
  package var failures: FailureReasons?
  package init() {}

  var figures: [Figure] {
    [
      Figure(.jobsInSystem, meanJobsInSystem), Figure(.processorTime, processorTime), Figure(.peakMemory, peakMemory),
      Figure(.bytesPerJob, bytesPerJob), Figure(.liveBytesWarm, liveBytesWarm), Figure(.liveBytesEnd, liveBytesEnd),
      Figure(.allocationsPerJob, allocationsPerJob), Figure(.hostSteal, hostSteal), Figure(.wakeUpP50, wakeUpP50),
      Figure(.wakeUpP99, wakeUpP99), Figure(.otherPrograms, otherPrograms ?? .notTaken),
      Figure(.runDelay, runDelay ?? .notTaken), Figure(.spinSpeed, spinSpeed ?? .notTaken),
    ]
  }

  /// How long the run's threads waited for a processor, as a share of the work that they did, 0…1; nil: not known.
  ///
  /// The work is the greater of the time in which the threads wanted a processor and of the attempts' service: where
  /// jobs compute the two are about the same, and where they sleep a thread that waits delays what it wakes for.
  ///
  /// - Parameter service: of all attempts together, in nanoseconds.
  package func delayedShare(service: Double) -> Double? {
    guard let delay = runDelay?.value, let ran = processorTime.value, delay + ran > 0 else { return nil }
    return delay / max(delay + ran, service)
  }
}

/// One run: a scenario's tape replayed on one system with one seed.
package struct RunResult: Sendable, Hashable, Codable {
  /// `live`, `sequential`, `task-group`, …
  package var system: String
  /// From 1.
  package var repetition: Int
  package var seed: UInt64
  /// Factor on every duration of the scenario; 1 where none applied.
  package var timeScale: Double
  /// The tape's fingerprint, in hexadecimal: equal for runs that replayed the same jobs.
  package var fingerprint: String
  /// The fingerprints of the tape's parts; nil in results of versions that knew no such thing.
  package var tape: TapeParts?
  package var measurement: RunMeasurement
  package var observations: Observations
  package var validity: [ValidityCheck]

  /// Makes a run's result and draws up its certificate.
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
  /// Whether it ran one job at a time: the baseline of speedups.
  package var isSequential: Bool { system == "sequential" || system == "simulated-sequential" }
  /// Whether speedups of the other run are taken over this one: one job at a time, on the same clock and tape.
  package func isBaseline(of other: RunResult) -> Bool {
    isSequential && isSimulated == other.isSimulated && fingerprint == other.fingerprint
  }

  /// Whether every check of the certificate holds.
  package var isValid: Bool { !validity.contains { $0.verdict == .failed } }

  /// A figure's reading; nil when the run has none of that name.
  package func reading(of figure: FigureName) -> Reading? {
    measurement.figures.first { $0.name == figure }?.reading
  }
}
