import TailraceHarness
import TailraceJemalloc
import TailraceReplay
import TailraceSQLite
import TailraceSimulation
import TailraceStudies

/// The composition root: the only place that chooses the parts of a run.
enum Composition {
  /// The program's version, as shown in reports.
  static let version = "0.1.0"

  /// The drivers for other schedulers.
  static let drivers = DriverCatalog()

  /// The systems that can replay a tape. `live` is the default.
  static let systems = Systems(
    [
      LiveSystem(), SimulatedSystem(), SequentialSystem(), SimulatedSequentialSystem(), TaskGroupSystem(),
      OperationQueueSystem(), DispatchSystem(),
    ],
    external: ExternalSystem.prefix + "PATH", drivers: drivers.entries.map { ($0.name, $0.summary) },
    externalNamed: { ExternalSystem(named: $0) ?? StreamedSystem(named: $0) ?? drivers.system(named: $0) })

  /// The allocator's name, for the report's environment.
  static var allocator: String {
    guard let reason = AllocationCounters.unavailability else {
      return "jemalloc \(AllocationCounters.version ?? "of an unknown version")"
    }
    return "unknown (\(reason))"
  }

  static func makeParts() -> SuiteParts {
    SuiteParts(
      systems: systems, meter: JemallocMeter(), allocator: allocator,
      makeDatabase: { readers in try SQLiteDatabaseWork(readers: readers) }, version: version)
  }

  static func makeStudyParts() -> StudyParts {
    let parts = makeParts()
    let system = systems.main
    return StudyParts(
      version: version, allocator: allocator,
      needs: { scenarios, system in
        NeedCheck().problems(scenarios.map { ($0, system) }, rehearsal: Rehearsal(of: scenarios))
      },
      live: LiveParts(
        system: system, meter: parts.meter,
        probe: { LiveProbe(parts: parts, interruption: $0, deadline: $1) }))
  }
}

/// Adapts jemalloc's counters to the harness.
struct JemallocMeter: AllocationMeter {
  var unavailability: String? { AllocationCounters.unavailability }
  func enrollCurrentThread() { ThreadAllocationLedger.enrollCurrentThread() }
  func allocatedBytes() -> UInt64? { ThreadAllocationLedger.allocatedBytes() }
  func liveBytes() -> UInt64? { AllocationCounters.liveBytes() }
  func exactTotals() -> (allocations: UInt64, bytes: UInt64)? {
    AllocationCounters.exactTotals().map { ($0.allocations, $0.bytes) }
  }
  var exactCountingEnvironment: (name: String, value: String) { AllocationCounters.exactCountingEnvironment }
}
