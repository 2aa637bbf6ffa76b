import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// The parts that the composition root passes to studies.
package struct StudyParts: Sendable {
  /// The program's version.
  package var version: String
  /// The allocator's name: `jemalloc`.
  package var allocator: String
  /// Resources that scenarios need on a system and the machine lacks, one per line.
  package var needs: @Sendable (_ scenarios: [Scenario], _ system: any ReplaySystem) -> [String]
  package var live: LiveParts

  package init(
    version: String, allocator: String,
    needs: @escaping @Sendable (_ scenarios: [Scenario], _ system: any ReplaySystem) -> [String], live: LiveParts
  ) {
    self.version = version
    self.allocator = allocator
    self.needs = needs
    self.live = live
  }
}

/// Replays scenarios in real time for a study.
package struct LiveParts: Sendable {
  package var system: any ReplaySystem
  package var meter: any AllocationMeter
  /// Makes a probe that starts no run which would end after the deadline; nil: no deadline.
  package var probe: @Sendable (_ interruption: StopFlag, _ deadline: Instant?) -> any CapacityProbe

  package init(
    system: any ReplaySystem, meter: any AllocationMeter,
    probe: @escaping @Sendable (_ interruption: StopFlag, _ deadline: Instant?) -> any CapacityProbe
  ) {
    self.system = system
    self.meter = meter
    self.probe = probe
  }
}
