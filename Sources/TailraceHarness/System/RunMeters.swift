import CPlatform
import TailraceCore
import TailraceMeasurement

/// Reads what the process and the host spend from here on.
struct RunMeters {
  private let meter: any AllocationMeter
  private let processorStart = cplatform_process_cpu_ns()
  private let allocatedStart: UInt64?
  private let exactStart: UInt64?
  private let hostStart = HostTimes.now()

  init(_ meter: any AllocationMeter) {
    self.meter = meter
    allocatedStart = meter.allocatedBytes()
    exactStart = meter.exactTotals()?.allocations
  }

  /// What was spent since.
  ///
  /// - Parameter settled: jobs, for the figures per job.
  func observations(settled: Int) -> Observations {
    var observations = Observations()
    observations.processorTime = Reading(Double(cplatform_process_cpu_ns() - processorStart))
    observations.peakMemory = Reading(Double(cplatform_peak_resident_bytes()))
    let reason = meter.unavailability ?? "no job settled"
    observations.bytesPerJob = .unavailable(reason)
    observations.liveBytesEnd = .unavailable(reason)
    observations.liveBytesWarm = .unavailable(reason)
    if let start = allocatedStart, let end = meter.allocatedBytes(), settled > 0 {
      observations.bytesPerJob = Reading(Double(end - start) / Double(settled))
    }
    // Only in a process that was started to count exactly.
    if let start = exactStart, let end = meter.exactTotals()?.allocations, settled > 0 {
      observations.allocationsPerJob = Reading(Double(end - start) / Double(settled))
    }
    if let live = meter.liveBytes() { observations.liveBytesEnd = Reading(Double(live)) }
    observations.hostSteal = .unavailable("the system does not say")
    if let start = hostStart, let end = HostTimes.now() {
      // Too short a run has no tick of the host's clock.
      observations.hostSteal =
        HostNoise(from: start, to: end).map { Reading($0.steal) } ?? .unavailable("the run was too short")
    }
    return observations
  }
}
