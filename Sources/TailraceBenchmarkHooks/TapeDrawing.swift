import TailraceCore
import TailraceWorkload

/// Draws jobs from a tape, for the benchmarks. Not for embedding: it changes whenever they need it to.
public struct TapeDrawing {
  private let tape: Tape

  /// Unrolls a scenario.
  ///
  /// - Parameter yaml: the text of a scenario file with open arrivals.
  /// - Precondition: the text is a scenario without problems.
  public init(scenario yaml: String, seed: UInt64 = 1) {
    switch ScenarioParser.parse(yaml: yaml, file: "benchmark.yaml") {
    case .success(let scenario): tape = Tape(scenario: scenario, seed: seed)
    case .failure(let problems): preconditionFailure("a benchmark's scenario has problems: \(problems)")
    }
  }

  /// Draws this many jobs from the beginning of the tape, and of each what its first attempt will do.
  ///
  /// - Returns: the sum of all drawn instants and service times in nanoseconds, so that no draw can be left out.
  public func draw(jobs count: Int) -> Int64 {
    var cursor = tape.makeCursor()
    var sum: Int64 = 0
    for _ in 0..<count {
      guard let job = cursor.next() else { break }
      let plan = tape.attempt(job: job.index, type: job.type, attempt: 1)
      sum &+= job.intended.nanoseconds &+ plan.service.rawValue
    }
    return sum
  }
}
