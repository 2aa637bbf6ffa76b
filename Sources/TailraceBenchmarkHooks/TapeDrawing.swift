import TailraceCore
import TailraceWorkload

/// Draws jobs from a tape, for benchmarks only; the API may change at any time.
public struct TapeDrawing {
  private let tape: Tape

  /// Creates the tape of a scenario.
  ///
  /// - Parameter yaml: the text of a scenario file with open arrivals.
  /// - Precondition: the text is a valid scenario.
  public init(scenario yaml: String, seed: UInt64 = 1) {
    switch ScenarioParser.parse(yaml: yaml, file: "benchmark.yaml") {
    case .success(let scenario): tape = Tape(scenario: scenario, seed: seed)
    case .failure(let problems): preconditionFailure("a benchmark's scenario has problems: \(problems)")
    }
  }

  /// Draws this many jobs from the beginning of the tape, with the plans of their first attempts.
  ///
  /// - Returns: the sum of all drawn instants and service times in nanoseconds, so that no draw is optimized away.
  public func draw(jobs count: Int) -> Int64 {
    var cursor = tape.makeCursor()
    var sum: Int64 = 0
    for _ in 0..<count {
      guard let job = cursor.next() else { break }
      let plan = tape.attempt(job: job.number, type: job.type, attempt: 1)
      sum &+= job.intended.nanoseconds &+ plan.service.rawValue
    }
    return sum
  }
}
