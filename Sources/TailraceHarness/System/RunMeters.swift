import CPlatform
import Glibc
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailraceReplay

/// Measures the resources that the process and the host use from now on.
struct RunMeters {
  private let meter: any AllocationMeter
  private let processorStart = cplatform_process_cpu_ns()
  private let allocatedStart: UInt64?
  private let exactStart: UInt64?
  private let hostStart = HostTimes.now()
  private let ownStart = OwnUse.now()
  private let heartbeat = Heartbeat()

  init(_ meter: any AllocationMeter) {
    self.meter = meter
    allocatedStart = meter.allocatedBytes()
    exactStart = meter.exactTotals()?.allocations
  }

  /// Also watches for stops of another program that does the run's work.
  func watch(program process: pid_t) { heartbeat.watch(program: process) }

  /// The resources used since then. Call it once, at the end.
  func expense() -> RunExpense {
    let beats = heartbeat.end()
    var expense = RunExpense(
      processorTime: cplatform_process_cpu_ns() - processorStart, peakMemory: cplatform_peak_resident_bytes(),
      liveBytes: meter.liveBytes(), unavailability: meter.unavailability)
    if let start = allocatedStart, let end = meter.allocatedBytes() { expense.allocatedBytes = end - start }
    // Only in a process that was started to count exactly.
    if let start = exactStart, let end = meter.exactTotals()?.allocations { expense.allocations = end - start }
    if let start = hostStart, let end = HostTimes.now() {
      expense.hostTicks = Int(clamping: end.total - start.total)
      let own = OwnUse.now()
      expense.noise = HostNoise(from: start, to: end)
      expense.othersShare = HostTimes.othersShare(
        from: start, to: end, own: OwnUse.processorTime(from: ownStart, to: own))
      // What the heartbeat waited for delayed nothing of the run.
      expense.runDelay = OwnUse.runDelay(from: ownStart, to: own).map { max(0, $0 - (beats?.ownDelay ?? 0)) }
    }
    expense.standstill = beats?.standstill
    return expense
  }
}

/// The resources that a run used, from its start until its last job.
struct RunExpense {
  /// In nanoseconds.
  var processorTime: Int64
  /// In bytes.
  var peakMemory: Int64
  /// In bytes, now; nil: the allocator does not say.
  var liveBytes: UInt64?
  /// Why the allocator does not say; nil: it does.
  var unavailability: String?
  /// By the threads that enrolled; nil: the allocator does not say.
  var allocatedBytes: UInt64?
  /// Calls of the allocator, by the whole process; nil: not counted.
  var allocations: UInt64?
  /// Ticks of the clock of /proc/stat, all processors together; nil: the system does not say.
  var hostTicks: Int?
  var noise: HostNoise?
  /// Share of CPU time used by other programs, 0…1; nil: unavailable.
  var othersShare: Double?
  /// CPU wait of this process's threads in nanoseconds; nil: unavailable.
  var runDelay: Int64?
  /// How long the process stood still; nil: not monitored.
  var standstill: Standstill?

  /// What is known of a run that was another program's: the host's figures.
  func observationsOfAnotherProgram() -> Observations {
    var observations = observations(settled: 0, liveBytesWarm: nil)
    for path in [
      \Observations.processorTime, \.peakMemory, \.bytesPerJob, \.liveBytesWarm, \.liveBytesEnd, \.allocationsPerJob,
    ] {
      observations[keyPath: path] = .unavailable("the run was another program's")
    }
    observations.runDelay = .unavailable("the run was another program's")
    observations.meanJobsInSystem = .unavailable("the program does not count its jobs for others")
    return observations
  }

  /// As a run's result has it.
  ///
  /// - Parameters:
  ///   - settled: jobs, for the figures per job.
  ///   - liveBytesWarm: live bytes once the warm-up was over; nil: it never was, or allocations are not counted.
  ///   - work: what the jobs' work did; empty: nothing that is counted.
  func observations(settled: Int, liveBytesWarm: UInt64?, work: [WorkStatistic] = []) -> Observations {
    var observations = Observations()
    observations.work = work.isEmpty ? nil : work
    observations.processorTime = Reading(Double(processorTime))
    observations.peakMemory = Reading(Double(peakMemory))
    observations.bytesPerJob = .unavailable(unavailability ?? "no job settled")
    if let allocatedBytes, settled > 0 {
      observations.bytesPerJob = Reading(Double(allocatedBytes) / Double(settled))
    }
    if let allocations, settled > 0 {
      observations.allocationsPerJob = Reading(Double(allocations) / Double(settled))
    }
    observations.liveBytesWarm =
      liveBytesWarm.map { Reading(Double($0)) }
      ?? .unavailable(unavailability ?? "the run ended before its warm-up was over")
    observations.liveBytesEnd =
      liveBytes.map { Reading(Double($0)) } ?? .unavailable(unavailability ?? "the allocator does not say")
    observations.hostTicks = hostTicks
    observations.otherPrograms = othersShare.map { Reading($0) } ?? .unavailable("the system does not say")
    observations.runDelay = runDelay.map { Reading(Double($0)) } ?? .unavailable("the system does not say")
    observations.standstill = standstill
    observations.hostSteal =
      hostTicks == nil
      ? .unavailable("the system does not say")
      // Too short a run has no tick of the host's clock.
      : noise.map { Reading($0.steal) } ?? .unavailable("the run was too short")
    return observations
  }
}
