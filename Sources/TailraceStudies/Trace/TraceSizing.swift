import Dispatch
import Foundation
import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceSimulation
import TailraceWorkload

/// The smallest number of workers that keeps waiting times below a limit, for the log and for its fit.
package struct TraceSizing: Sendable, Equatable {
  /// The limit, as a target.
  package var target: String
  /// nil: no number of workers is enough.
  package var log: Int?
  package var fit: Int?

  /// The maximum number of workers in a scenario.
  private static let limit = 65_534
  /// The number of seeds for the fit's answer.
  private static let seeds: [UInt64] = [1, 2, 3]

  /// Whether the answers differ by more than 10 %.
  package var differs: Bool {
    guard let log, let fit else { return log != fit }
    return Double(abs(log - fit)) > 0.1 * Double(max(log, fit))
  }

  /// Rounds to three digits, for a readable limit.
  private static func rounded(_ nanoseconds: Double) -> Nanoseconds {
    let size = pow(10, max(0, log10(nanoseconds).rounded(.down) - 2))
    return Nanoseconds(Int64(max(1, (nanoseconds / size).rounded() * size)))
  }

  /// - Parameter fitted: The fit, as long as the log.
  /// - Returns: nil if the log has no service times.
  package init?(_ trace: Trace, _ description: TraceDescription, fitted: Scenario) {
    guard let mean = description.service?.meanNs, mean > 0 else { return nil }
    // A percentile of few jobs is too uncertain.
    let isMany = trace.count >= 1_000
    let wanted = Self.rounded(isMany ? mean : mean / 10)
    target = "waiting.\(isMany ? "p95" : "mean") < \(ServiceFit.time(Double(wanted.rawValue)))"
    @Sendable func waiting(_ scenario: Scenario, _ workers: Int, _ seeds: [UInt64]) -> Double {
      var scenario = scenario
      scenario.scheduler.workers = workers
      let values = seeds.map { seed -> Double in
        let run = SimulatedRun.result(scenario, seed: seed)
        guard (run.observations.cutOff ?? 0) == 0 else { return .infinity }
        // A short run may have no jobs, and thus no waiting time.
        guard let waiting = run.measurement.all[.waiting] else { return 0 }
        return Double((isMany ? waiting.percentiles([95])[0] ?? waiting.max : waiting.mean).rawValue)
      }
      return values.reduce(0, +) / Double(values.count)
    }
    @Sendable func least(_ scenario: Scenario, _ seeds: [UInt64]) -> Int? {
      let isGood = { waiting(scenario, $0, seeds) < Double(wanted.rawValue) }
      var (bad, good) = (0, max(1, min(Self.limit, Int(((description.offeredLoad ?? 1) * 1.1).rounded(.up)))))
      while !isGood(good) {
        if good == Self.limit { return nil }
        (bad, good) = (good, min(Self.limit, good * 3 / 2 + 1))
      }
      while good - bad > 1 {
        let middle = (bad + good) / 2
        if isGood(middle) { good = middle } else { bad = middle }
      }
      return good
    }
    let sides = [(fitted.replaying(trace), [Self.seeds[0]]), (fitted, Self.seeds)]
    let found = Locked([Int?](repeating: nil, count: 2))
    DispatchQueue.concurrentPerform(iterations: 2) { side in
      let answer = least(sides[side].0, sides[side].1)
      found.withLock { $0[side] = answer }
    }
    (log, fit) = found.withLock { ($0[0], $0[1]) }
  }
}
