import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailracePlatform
import TailraceStudies
import TailraceWorkload

/// Probes in real time, one run after another.
struct LiveProbe: CapacityProbe {
  let system = "live"
  let takesTime = true
  var parts: SuiteParts
  var interruption: StopFlag
  /// No run starts that would end after this instant; nil: no limit.
  var deadline: Instant?

  func replay(_ wanted: [(scenario: Scenario, seed: UInt64)]) async throws -> [RunResult?] {
    var found: [RunResult?] = []
    for (scenario, seed) in wanted {
      let length = scenario.arrivalLength ?? .zero
      guard !interruption.isSet, deadline.map({ MonotonicClock.now() + length < $0 }) != false else {
        found.append(nil)
        continue
      }
      var options = SuiteOptions()
      options.systems = [system]
      options.seed = seed
      let run = try await SuiteRunner(options, parts: parts, interruption: interruption).run([scenario]) { _ in }
      if let failure = run.result.failureLines.first { throw FailedProbe(words: failure) }
      found.append(run.result.isInterrupted ? nil : run.result.scenarios.first?.primary)
    }
    return found
  }
}
