import TailraceCore
import TailraceMeasurement
import TailraceRuntime
import TailraceWorkload

/// Something that replays a scenario with the seeds it is told, for a search.
protocol CapacityProbe: Sendable {
  /// `live` or `simulated`.
  var system: String { get }
  /// Whether runs take the time that the scenario says, one after another.
  var takesTime: Bool { get }
  /// Replays each scenario with its seed.
  ///
  /// - Returns: in their order; nil for those that were not run to their end: time ran out, or it was interrupted.
  func replay(_ wanted: [(scenario: Scenario, seed: UInt64)]) async throws -> [RunResult?]
}

/// A run of a search that came to nothing.
struct FailedProbe: Error, CustomStringConvertible {
  /// Why, on one line.
  var words: String
  var description: String { words }
}

/// In virtual time, on all processors.
struct SimulatedProbe: CapacityProbe {
  let system = "simulated"
  let takesTime = false
  var keepsAttempts = false
  var interruption: StopFlag
  /// nil: no matter how long it takes.
  var deadline: Instant?

  func replay(_ wanted: [(scenario: Scenario, seed: UInt64)]) async throws -> [RunResult?] {
    let found = Locked([RunResult?](repeating: nil, count: wanted.count))
    let (interruption, deadline) = (interruption, deadline)
    let isOver: @Sendable () -> Bool = {
      interruption.isSet || deadline.map { MonotonicClock.now() >= $0 } == true
    }
    await DedicatedThread.forEach(below: wanted.count) { turn in
      guard !isOver() else { return false }
      let run = SimulatedRun.result(
        wanted[turn].scenario, seed: wanted[turn].seed, keepsAttempts: keepsAttempts, isInterrupted: isOver)
      // One that was cut short says nothing of a whole one.
      if !isOver() { found.withLock { $0[turn] = run } }
      return true
    }
    return found.withLock { $0 }
  }
}

/// In real time, one run after another.
struct LiveProbe: CapacityProbe {
  let system = "live"
  let takesTime = true
  var options: SuiteOptions
  var parts: SuiteParts
  var interruption: StopFlag
  /// A run that would not be over by then is not begun; nil: no matter how long it takes.
  var deadline: Instant?

  func replay(_ wanted: [(scenario: Scenario, seed: UInt64)]) async throws -> [RunResult?] {
    var found: [RunResult?] = []
    for (scenario, seed) in wanted {
      let length = scenario.arrivalLength ?? .zero
      guard !interruption.isSet, deadline.map({ MonotonicClock.now() + length < $0 }) != false else {
        found.append(nil)
        continue
      }
      var options = options
      options.systems = [system]
      options.seed = seed
      let run = try await SuiteRunner(options, parts: parts, interruption: interruption).run([scenario]) { _ in }
      if let failure = run.result.failureLines.first { throw FailedProbe(words: failure) }
      found.append(run.result.isInterrupted ? nil : run.result.scenarios.first?.primary)
    }
    return found
  }
}
