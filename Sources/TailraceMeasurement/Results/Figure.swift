/// The unit of a figure. Determines which units its limits may have.
package enum FigureUnit: String, Sendable, Codable, CaseIterable {
  /// Nanoseconds.
  case time = "ns"
  /// Events per second.
  case rate = "1/s"
  /// A share, 0 to 1; shown as a percentage.
  case ratio
  case count
  case bytes
  /// A dimensionless number, such as a speedup.
  case factor
}

/// A figure of a whole run or, where ``hasClasses``, of a class of its jobs.
package enum FigureName: String, CaseIterable, Sendable, Codable {
  /// Finished jobs (completed or dead-lettered) per second of the measurement window.
  case throughput
  /// Completed jobs ÷ jobs intended in the window, except those that their submitter cancelled. Dropped, rejected, shed
  /// and lost jobs count as failures.
  case success
  /// Busy ÷ available worker-seconds of the window, over the pools that ran any job.
  case utilization
  /// From the first intended arrival to the last settlement, including warm-up.
  case makespan
  /// The makespan of the sequential run of the same tape ÷ this run's makespan.
  case speedup
  /// 1 − this run's makespan ÷ the sequential run's.
  case timeSaved = "time_saved"
  case submitted
  case completed
  case deadLettered = "dead_lettered"
  case cancelled
  case rejected
  case shed
  case dropped
  /// Attempts after the first.
  case retried
  /// Jobs that finished after their deadline.
  case late
  /// Intended jobs that neither settled nor were dropped.
  case lost
  /// Settlements of a job after its first.
  case duplicated
  /// Workers whose handlers had not returned at the end of the run.
  case leftRunning = "left_running"
  /// Attempts that started before a dependency of their job had completed.
  case earlyStarts = "early_starts"
  /// Maximum attempts running at once.
  case concurrencyMax = "concurrency_max"
  /// Maximum starts in any half-open window of one second (of scenario time, if a time scale applies).
  case startsPerSecondMax = "starts_per_second_max"
  /// Maximum attempts eligible and waiting at once.
  case queueDepthMax = "queue_depth_max"
  /// Attempts that started while a more urgent one, eligible earlier, kept waiting in the same pool.
  case inversions
  /// The maximum difference, over the job types, between a type's share of the starts within the window and its share
  /// of the weights. Meaningful only if every type always has jobs waiting.
  case shareError = "share_error"
  /// From the end of the highest stage of the load to the first slot of the time series in which at most as many jobs
  /// are in the system as there are workers.
  case recovery
  /// In a crash test: jobs that started again after they had completed.
  case runTwice = "run_twice"
  /// In a crash test: jobs that succeeded again after they had completed.
  case completedTwice = "completed_twice"
  /// In a crash test: from a kill to the next start of each job that the process held. Targets write `recovery.p99`.
  case recoveryP50 = "recovery_p50"
  case recoveryP99 = "recovery_p99"
  case recoveryMax = "recovery_max"
  /// Arrival rate of the window × mean service time, in erlangs.
  case offeredLoad = "offered_load"
  /// Jobs intended per second of the window.
  case offeredRate = "offered_rate"
  /// Jobs submitted per second of the window.
  case achievedRate = "achieved_rate"
  /// Mean number of jobs in the system, as integrated by the scheduler.
  case jobsInSystem = "jobs_in_system"
  /// CPU time of the process during the run.
  case processorTime = "processor_time"
  /// Maximum resident memory of the process so far.
  case peakMemory = "peak_memory"
  /// Bytes allocated per settled job.
  case bytesPerJob = "bytes_per_job"
  /// Live bytes at the end of the warm-up (without one: at the start) and at the end of the run.
  case liveBytesWarm = "live_bytes_warm"
  case liveBytesEnd = "live_bytes_end"
  /// Allocator calls per settled job, counted in a separate run.
  case allocationsPerJob = "allocations_per_job"
  /// Share of the run's CPU time taken by the host.
  case hostSteal = "host_steal"
  /// Share of the run's CPU time used by other programs on the machine.
  case otherPrograms = "other_programs"
  /// How long the run's own threads waited for a CPU, in total.
  case runDelay = "run_delay"
  /// Iterations of a fixed loop per nanosecond of CPU time, measured just before the run.
  case spinSpeed = "spin_speed"
  /// The time to wake a sleeping thread on this machine.
  case wakeUpP50 = "wake_up_p50"
  case wakeUpP99 = "wake_up_p99"

  /// The unit of the figure.
  package var unit: FigureUnit {
    switch self {
    case .throughput, .offeredRate, .achievedRate: .rate
    case .success, .utilization, .timeSaved, .hostSteal, .otherPrograms, .shareError: .ratio
    case .recovery, .makespan, .processorTime, .runDelay, .wakeUpP50, .wakeUpP99, .recoveryP50, .recoveryP99,
      .recoveryMax:
      .time
    case .speedup, .offeredLoad, .jobsInSystem, .allocationsPerJob, .spinSpeed: .factor
    case .submitted, .completed, .deadLettered, .cancelled, .rejected, .shed, .dropped, .retried, .lost, .duplicated,
      .leftRunning, .earlyStarts, .concurrencyMax, .startsPerSecondMax, .queueDepthMax, .late, .inversions,
      .runTwice, .completedTwice:
      .count
    case .peakMemory, .bytesPerJob, .liveBytesWarm, .liveBytesEnd: .bytes
    }
  }

  /// Whether the figure exists for a class of jobs (`success{priority=high}`).
  package var hasClasses: Bool {
    switch self {
    case .success, .submitted, .completed, .deadLettered, .cancelled, .rejected, .shed, .dropped, .retried, .late: true
    case .throughput, .utilization, .makespan, .speedup, .timeSaved, .lost, .duplicated, .leftRunning, .earlyStarts,
      .concurrencyMax, .startsPerSecondMax, .queueDepthMax, .offeredLoad, .offeredRate, .achievedRate, .jobsInSystem,
      .processorTime, .peakMemory, .bytesPerJob, .liveBytesWarm, .liveBytesEnd, .allocationsPerJob, .hostSteal,
      .wakeUpP50, .wakeUpP99, .otherPrograms, .runDelay, .spinSpeed, .inversions, .shareError, .recovery, .runTwice,
      .completedTwice, .recoveryP50, .recoveryP99, .recoveryMax:
      false
    }
  }
}

/// A value that may be unavailable, with the reason. Unknown values are never reported as 0.
package struct Reading: Sendable, Hashable, Codable {
  /// In the unit of the figure.
  package var value: Double?
  /// Why there is no value.
  package var unavailable: String?
  package init(_ value: Double) { self.value = value }
  private init(reason: String) { unavailable = reason }
  /// An unavailable value with its reason.
  package static func unavailable(_ reason: String) -> Reading { Reading(reason: reason) }
  /// A value that was not measured.
  package static let notTaken = Reading(reason: "not measured")
}

/// A figure and its value.
package struct Figure: Sendable, Hashable, Codable {
  package var name: FigureName
  /// In the unit of ``FigureName/unit``.
  package var reading: Reading
  package init(_ name: FigureName, _ reading: Reading) {
    self.name = name
    self.reading = reading
  }
  package init(_ name: FigureName, _ value: Double) { self.init(name, Reading(value)) }
  package init(_ name: FigureName, _ value: Int) { self.init(name, Reading(Double(value))) }
}
