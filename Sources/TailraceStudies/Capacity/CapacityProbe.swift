import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceSimulation
import TailraceWorkload

/// Something that replays a scenario with the seeds it is told, for a search.
package protocol CapacityProbe: Sendable {
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
package struct FailedProbe: Error, CustomStringConvertible {
  /// Why, on one line.
  package var words: String
  package init(words: String) { self.words = words }
  package var description: String { words }
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
