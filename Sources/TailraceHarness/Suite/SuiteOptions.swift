import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailraceReplay
import TailraceWorkload

/// The parts that the composition root chooses.
package struct SuiteParts: Sendable {
  /// The systems that can replay tapes.
  package var systems: Systems
  package var meter: any AllocationMeter
  /// The allocator's name: `jemalloc`.
  package var allocator: String
  /// Makes a database for one run, with this many connections for reading.
  package var makeDatabase: @Sendable (_ readers: Int) throws -> any DatabaseWork
  /// The program's version.
  package var version: String

  package init(
    systems: Systems, meter: any AllocationMeter, allocator: String,
    makeDatabase: @escaping @Sendable (_ readers: Int) throws -> any DatabaseWork, version: String
  ) {
    self.systems = systems
    self.meter = meter
    self.allocator = allocator
    self.makeDatabase = makeDatabase
    self.version = version
  }
}

/// Options of a suite's run.
package struct SuiteOptions: Sendable {
  package var suite = "documented"
  /// The command that repeats the run.
  package var command = ""
  package var seed: UInt64 = 1
  /// The factor on every declared duration, above 0.
  package var timeScale = 1.0
  /// The systems for each scenario; empty: the main one and those in the scenario's `compare` key.
  package var systems: [String] = []
  package var pacing = Pacing.hybrid
  package var dropAfter = Nanoseconds.seconds(10)
  package var grace = Nanoseconds.seconds(10)
  /// Whether records are kept for `jobs.csv`.
  package var keepsJobs = false
  /// Whether records are kept for a trace that replays the run.
  package var recordsTape = false
  /// Planted slowdowns, to test whether a comparison detects them: factors on the service times of job types, by name.
  /// They do not change the tape's fingerprint.
  package var slowdowns: [String: Double] = [:]
  /// Whether to compute ``SuiteProgress/figures``.
  package var watches = false
  /// Exact allocation counts from a separate run, by scenario.
  package var allocationsPerJob: [String: Reading] = [:]
  /// Whether each run will be in a separate process.
  package var runsInChildren = false
  /// The machine's limits; nil: read them.
  package var limits: MachineLimits?
  package init() {}
}

/// The progress of a suite.
package struct SuiteProgress: Sendable {
  package var scenario: String
  package var system: String
  /// The number of the current run, from 1.
  package var index: Int
  /// The total number of runs.
  package var count: Int
  /// Jobs submitted in the current run.
  package var jobs: Int
  /// Of the run under way.
  package var elapsed: Nanoseconds
  /// The time left for the whole suite, from the declared durations; nil: unknown.
  package var left: Nanoseconds?
  /// The progress of the current run, 0…1; nil: unknown.
  package var share: Double?
  /// The current virtual time from the run's start; nil: the run is in real time.
  package var virtualTime: Nanoseconds?
  /// The figures so far; nil unless ``SuiteOptions/watches``.
  package var figures: LiveFigures?

  package init(
    scenario: String, system: String, index: Int, count: Int, jobs: Int, elapsed: Nanoseconds, left: Nanoseconds?
  ) {
    self.scenario = scenario
    self.system = system
    self.index = index
    self.count = count
    self.jobs = jobs
    self.elapsed = elapsed
    self.left = left
  }
}

/// A suite that was run.
package struct SuiteRun: Sendable {
  /// The records of one run, for its `jobs.csv`.
  package struct Jobs: Sendable {
    package var scenario: String
    package var system: String
    package var types: [String]
    /// What a trace calls its jobs; nil: they have their numbers on the tape.
    package var names: TraceNames?
    package var origin: Instant
    package var records: [TimelineRecord]
    /// Records that found no room.
    package var leftOut: Int
  }
  package var result: SuiteResult
  package var jobs: [Jobs]
  /// Whether the jobs are to be written as `jobs.csv`.
  package var writesJobs = true
  /// Whether they are to be written as a trace.
  package var writesTape = false
}
