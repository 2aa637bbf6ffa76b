import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceSimulation
import TailraceWorkload

/// Replays scenarios with given seeds, for a search.
package protocol CapacityProbe: Sendable {
  /// `live` or `simulated`.
  var system: String { get }
  /// Whether runs take real time, one after another.
  var takesTime: Bool { get }
  /// Replays each scenario with its seed.
  ///
  /// - Returns: The runs, in order; nil for runs that did not finish because time ran out or of an interruption.
  func replay(_ wanted: [(scenario: Scenario, seed: UInt64)]) async throws -> [RunResult?]
}

/// A failed run of a search.
package struct FailedProbe: Error, CustomStringConvertible {
  /// The reason, on one line.
  package var words: String
  package init(words: String) { self.words = words }
  package var description: String { words }
}

/// Simulates in virtual time, on all processors.
struct SimulatedProbe: CapacityProbe {
  let system = "simulated"
  let takesTime = false
  var keepsAttempts = false
  var interruption: StopFlag
  /// nil: no time limit.
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
      // A truncated run is not comparable with a complete one.
      if !isOver() { found.withLock { $0[turn] = run } }
      return true
    }
    return found.withLock { $0 }
  }
}
