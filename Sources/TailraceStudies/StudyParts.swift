import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// What the composition root gives to studies.
package struct StudyParts: Sendable {
  /// The program's version.
  package var version: String
  /// The allocator in words: `jemalloc`.
  package var allocator: String
  /// What scenarios need on a system and the machine does not give, a line each.
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

/// How a study replays scenarios in real time.
package struct LiveParts: Sendable {
  package var system: any ReplaySystem
  package var meter: any AllocationMeter
  /// Makes a probe that begins no run which would end after the deadline; nil: there is none.
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
