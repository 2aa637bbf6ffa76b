import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailraceReplay
import TailraceWorkload

/// What only the composition root chooses.
package struct SuiteParts: Sendable {
  /// What tapes can be replayed on.
  package var systems: Systems
  package var meter: any AllocationMeter
  /// The allocator in words: `jemalloc`.
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

/// How a suite is to be run.
package struct SuiteOptions: Sendable {
  package var suite = "documented"
  /// The command that repeats the run.
  package var command = ""
  package var seed: UInt64 = 1
  /// Factor on every declared duration, above 0.
  package var timeScale = 1.0
  /// Systems to replay each scenario on; empty: the main one and those that the scenario compares with.
  package var systems: [String] = []
  package var pacing = Pacing.hybrid
  package var dropAfter = Nanoseconds.seconds(10)
  package var grace = Nanoseconds.seconds(10)
  /// Whether records are kept for `jobs.csv`.
  package var keepsJobs = false
  /// Whether records are kept for a trace that replays the run.
  package var recordsTape = false
  /// Slowdowns planted on purpose, to find out whether a comparison sees them: factors on the service times of job
  /// types, by name. The tape's fingerprint stays that of the tape without them.
  package var slowdowns: [String: Double] = [:]
  /// Whether ``SuiteProgress/figures`` are wanted.
  package var watches = false
  /// Exact allocation counts from elsewhere, by scenario.
  package var allocationsPerJob: [String: Reading] = [:]
  /// Whether each run will be in a process of its own, beside this one.
  package var runsInChildren = false
  /// What the machine gives; nil: it is asked.
  package var limits: MachineLimits?
  package init() {}
}

/// How far a suite is.
package struct SuiteProgress: Sendable {
  package var scenario: String
  package var system: String
  /// Of the run under way, from 1.
  package var index: Int
  /// Runs in all.
  package var count: Int
  /// Jobs submitted in the run under way.
  package var jobs: Int
  /// Of the run under way.
  package var elapsed: Nanoseconds
  /// Of the whole suite, from the declared durations; nil: not known.
  package var left: Nanoseconds?
  /// How far the run under way is, 0…1; nil: not known.
  package var share: Double?
  /// The present in virtual time, from the run's start; nil: the run is in real time.
  package var virtualTime: Nanoseconds?
  /// What was measured so far; nil unless ``SuiteOptions/watches``.
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
