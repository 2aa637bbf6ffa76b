import TailraceCore

/// What a system starts and keeps for the jobs of a scenario. A system in virtual time starts nothing.
package struct RunDemand: Hashable, Sendable {
  /// Threads on which jobs run.
  package var workerThreads = 0
  /// Places for records, one for each side that records on its own; 0: records come from elsewhere.
  package var recorders = 0
  /// Attempts that run at once at most, by the pool of their job type.
  package var attempts: [PoolID: Int] = [:]
  /// Whether it is another program that does the jobs.
  package var isOtherProgram = false
  /// The setting that makes it smaller.
  package var setting = "scheduler.workers"
  package init() {}
}
