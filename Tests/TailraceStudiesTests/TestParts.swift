import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceStudies
import TailraceWorkload

extension StudyParts {
  /// For studies that only simulate.
  static let forTests = StudyParts(
    version: "0", allocator: "none", needs: { _, _ in [] },
    live: LiveParts(
      system: LiveSystem(), meter: NoAllocationMeter(reason: "none"),
      probe: { _, _ in NoLiveProbe() }))
}

/// Stands for the live system, which these tests do not use.
private struct NoLiveProbe: CapacityProbe {
  let system = "live"
  let takesTime = true
  func replay(_ wanted: [(scenario: Scenario, seed: UInt64)]) async throws -> [RunResult?] {
    throw FailedProbe(words: "the test has no live system")
  }
}
