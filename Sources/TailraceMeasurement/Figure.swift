/// What kind of number a figure is, and so which units may stand beside it.
package enum FigureUnit: String, Sendable, Codable, CaseIterable {
  /// Nanoseconds.
  case time = "ns"
  /// Events per second.
  case rate = "1/s"
  /// A share, 0 to 1; shown in percent.
  case ratio
  case count
  case bytes
  /// A number without unit, such as a speedup.
  case factor
}

/// A figure of a whole run or, where ``hasClasses``, of a class of its jobs.
package enum FigureName: String, CaseIterable, Sendable, Codable {
  /// Jobs that ran to their end (completed or dead-lettered) per second of the measurement window.
  case throughput
  /// Completed jobs ÷ jobs intended in the window, but those that their submitter cancelled; dropped, rejected, shed
  /// and lost jobs count against it.
  case success
  /// Busy ÷ available worker-seconds of the window, over the pools that ran anything.
  case utilization
  /// First intended arrival → last job settled, warm-up included.
  case makespan
  /// Makespan of the sequential run of the same tape ÷ this run's makespan.
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
  /// Jobs with a deadline that ran to their end after it.
  case late
  /// Intended jobs that neither settled nor were counted as dropped.
  case lost
  /// Settlements beyond the first of a job.
  case duplicated
  /// Jobs still unsettled when the run was cut off.
  case leftRunning = "left_running"
  /// Attempts that started before a job they depend on had completed.
  case earlyStarts = "early_starts"
  /// Most attempts running at once.
  case concurrencyMax = "concurrency_max"
  /// Most starts in any half-open window of one second (of the scenario's time, where a time scale applies).
  case startsPerSecondMax = "starts_per_second_max"
  /// Most attempts eligible and waiting at once.
  case queueDepthMax = "queue_depth_max"
  /// Attempts that started while a more urgent one, eligible before, went on waiting in the same pool.
  case inversions
  /// The greatest difference, over the job types, between a type's share of the starts within the window and its share
  /// of the weights. It says something where every type always has jobs waiting.
  case shareError = "share_error"
  /// From the end of the highest stage of the load to the first moment after it in which no more jobs are in the system
  /// than there are workers; a moment is a slot of the series.
  case recovery
  /// Arrival rate of the window × mean service time, in erlangs.
  case offeredLoad = "offered_load"
  /// Jobs intended per second of the window.
  case offeredRate = "offered_rate"
  /// Jobs submitted per second of the window.
  case achievedRate = "achieved_rate"
  /// Mean number of jobs in the system, as the scheduler itself integrated it.
  case jobsInSystem = "jobs_in_system"
  /// Processor time of the process during the run.
  case processorTime = "processor_time"
  /// Largest resident memory of the process so far.
  case peakMemory = "peak_memory"
  /// Bytes allocated per settled job.
  case bytesPerJob = "bytes_per_job"
  /// Bytes alive at the end of the warm-up (without one: at the start) and of the run.
  case liveBytesWarm = "live_bytes_warm"
  case liveBytesEnd = "live_bytes_end"
  /// Calls of the allocator per settled job, counted in a run of its own.
  case allocationsPerJob = "allocations_per_job"
  /// Share of the run's processor time that the host gave to others.
  case hostSteal = "host_steal"
  /// Share of the run's processor time that other programs on the machine had.
  case otherPrograms = "other_programs"
  /// How long the run's own threads waited for a processor, all together.
  case runDelay = "run_delay"
  /// Iterations of a fixed loop in a nanosecond of processor time, just before the run.
  case spinSpeed = "spin_speed"
  /// What it costs this machine to wake a sleeping thread.
  case wakeUpP50 = "wake_up_p50"
  case wakeUpP99 = "wake_up_p99"

  /// The kind of number.
  package var unit: FigureUnit {
    switch self {
    case .throughput, .offeredRate, .achievedRate: .rate
    case .success, .utilization, .timeSaved, .hostSteal, .otherPrograms, .shareError: .ratio
    case .recovery, .makespan, .processorTime, .runDelay, .wakeUpP50, .wakeUpP99: .time
    case .speedup, .offeredLoad, .jobsInSystem, .allocationsPerJob, .spinSpeed: .factor
    case .submitted, .completed, .deadLettered, .cancelled, .rejected, .shed, .dropped, .retried, .lost, .duplicated,
      .leftRunning, .earlyStarts, .concurrencyMax, .startsPerSecondMax, .queueDepthMax, .late, .inversions:
      .count
    case .peakMemory, .bytesPerJob, .liveBytesWarm, .liveBytesEnd: .bytes
    }
  }

  /// Whether it can be asked of a class of jobs (`success{priority=high}`).
  package var hasClasses: Bool {
    switch self {
    case .success, .submitted, .completed, .deadLettered, .cancelled, .rejected, .shed, .dropped, .retried, .late: true
    case .throughput, .utilization, .makespan, .speedup, .timeSaved, .lost, .duplicated, .leftRunning, .earlyStarts,
      .concurrencyMax, .startsPerSecondMax, .queueDepthMax, .offeredLoad, .offeredRate, .achievedRate, .jobsInSystem,
      .processorTime, .peakMemory, .bytesPerJob, .liveBytesWarm, .liveBytesEnd, .allocationsPerJob, .hostSteal,
      .wakeUpP50, .wakeUpP99, .otherPrograms, .runDelay, .spinSpeed, .inversions, .shareError, .recovery:
      false
    }
  }
}

/// A number that may be unavailable, and then says why; never 0 in place of unknown.
package struct Reading: Sendable, Hashable, Codable {
  /// In the unit of what it is a reading of.
  package var value: Double?
  /// Why there is no value.
  package var unavailable: String?
  package init(_ value: Double) { self.value = value }
  private init(reason: String) { unavailable = reason }
  /// A reading that could not be taken, and why.
  package static func unavailable(_ reason: String) -> Reading { Reading(reason: reason) }
  /// A reading that nobody tried to take.
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
