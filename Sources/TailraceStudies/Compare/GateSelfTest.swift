import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReport
import TailraceWorkload

/// Tests a gate on known candidates: an identical copy, and one with a planted slowdown.
package struct GateSelfTest: Sendable {
  /// The results of the trials.
  package struct Result: Sendable {
    /// Completed trials, without invalid ones.
    package var trials = 0
    /// How often the slowed copy was called worse …
    package var found = 0
    /// … and the named cause was the planted one.
    package var named = 0
    /// How often the identical copy was called worse.
    package var alarms = 0
    /// The number of invalid gates.
    package var invalid = 0
    /// The changes that the gates of identical copies, or gates without any detection power, would have missed, in
    /// their own text; empty: none.
    package var missed = ""
    /// Gates in which no change could have been detected.
    package var blind = 0
    /// Why a gate failed, which ended the trials; empty: none failed.
    package var failure = ""
    package init() {}

    /// The 95 % interval of a share of the trials. Source: E. B. Wilson, *Probable Inference, the Law of Succession,
    /// and Statistical Inference*, JASA 22 (1927).
    package func interval(_ count: Int) -> (low: Double, high: Double) {
      guard trials > 0 else { return (0, 1) }
      let (n, z) = (Double(trials), 1.959963984540054)
      let p = Double(count) / n
      let middle = (p + z * z / (2 * n)) / (1 + z * z / n)
      let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
      return (max(0, middle - half), min(1, middle + half))
    }
  }

  private typealias Gate = (first: GateRunner.Pass, fresh: GateRunner.Pass?, checks: [GateCheck])
  private let program: ComparisonRunner.Candidate
  private let type: String
  private let factor: Double
  private let gate: @Sendable (_ seed: UInt64) -> GateRunner

  /// - Parameters:
  ///   - type: The job type whose service times become longer.
  ///   - factor: The factor; 1.1 means 10 % longer.
  ///   - gate: Makes the gate for a seed.
  package init(
    _ program: ComparisonRunner.Candidate, type: String, factor: Double,
    gate: @escaping @Sendable (UInt64) -> GateRunner
  ) {
    self.program = program
    self.type = type
    self.factor = factor
    self.gate = gate
  }

  /// The job type with the most work in the first jobs of the tapes; nil: none has a declared service time.
  package static func heaviestType(of scenarios: [Scenario], seed: UInt64) -> String? {
    var work: [String: Int64] = [:]
    for scenario in scenarios {
      let tape = Tape(scenario: scenario, seed: seed)
      var cursor = tape.makeCursor()
      for _ in 0..<2_000 {
        guard let job = cursor.next() else { break }
        let service = tape.attempt(job: job.number, type: job.type, attempt: 1).service
        work[scenario.jobs[job.type].name, default: 0] += service.rawValue
      }
    }
    let most = work.max { ($0.value, $1.key) < ($1.value, $0.key) }
    return most.flatMap { $0.value > 0 ? $0.key : nil }
  }

  /// Runs the trials, each with its own seeds.
  ///
  /// - Returns: The results of the trials before the first that failed.
  /// - Throws: The error of the first trial's rounds.
  package func run(
    trials: Int, seed: UInt64, interruption: StopFlag, onTrial: (_ done: Int, _ result: Result) -> Void,
    onProgress: @escaping @Sendable (ComparisonRunner.Progress) -> Void
  ) async throws -> Result {
    var result = Result()
    var slowed = program
    slowed.label = "with \(type) slower"
    slowed.arguments += ["--plant", "\(type)=\(factor)"]
    for trial in 0..<trials where !interruption.isSet {
      let runner = gate(seed &+ UInt64(trial) &* 100_003)
      var copy = program
      copy.label = "the same"
      let (planted, same): (Gate, Gate)
      do {
        planted = try await runner.run(.program(slowed), against: .program(program), onProgress: onProgress)
        same = try await runner.run(.program(copy), against: .program(program), onProgress: onProgress)
      } catch let error where trial > 0 {
        result.failure = "a gate of trial \(trial + 1) failed: \(ErrorWords.line(of: error))"
        break
      }
      guard !interruption.isSet else { break }
      result.trials += 1
      for (pass, isPlanted) in [(planted, true), (same, false)] {
        let comparisons = [pass.first.outcome.comparison] + (pass.fresh.map { [$0.outcome.comparison] } ?? [])
        if comparisons.contains(where: { !$0.invalid.isEmpty || $0.counted == 0 }) { result.invalid += 1 }
        let isWorse = pass.checks.contains { $0.kind == .regression && $0.verdict == .missed }
        if !isPlanted, isWorse { result.alarms += 1 }
        if pass.checks.sawNothing { result.blind += 1 }
        if pass.checks.sawNothing || (!isPlanted && result.blind == 0) {
          let rounds = pass.first.outcome.comparison
          result.missed = MissedChange.words(pass.checks, rounds: rounds.counted, rules: rounds.rules)
        }
        guard isPlanted, isWorse else { continue }
        result.found += 1
        let origin = (pass.fresh ?? pass.first).outcome.comparison.explanations.first?.origin
        if origin?.type == type, origin?.part == .service { result.named += 1 }
      }
      onTrial(trial + 1, result)
    }
    return result
  }
}
