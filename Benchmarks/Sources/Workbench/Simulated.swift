import Foundation
import TailraceBenchmarkHooks

/// Scenarios that are replayed in virtual time.
public enum Simulated {
  /// By the name of their figure; a million jobs each, but the graphs, which are a quarter of a million of four jobs.
  public static let all: [(name: String, replay: SimulatedReplay)] = [
    ("mm1", queue(workers: 1, rate: 80)), ("mm8", queue(workers: 8, rate: 640)), ("mm8_priorities", priorities),
    ("graphs", graphs),
  ]

  private static func queue(workers: Int, rate: Int) -> SimulatedReplay {
    SimulatedReplay(
      scenario: """
        name: queue
        jobs: {job: {service: "exponential(mean: 10ms)"}}
        load: {poisson: \(rate)/s, of: job, count: 1_000_000}
        scheduler: {workers: \(workers), policy: fifo, queue: {capacity: 1_000_000}, retries: 0, timeout: none}
        """)
  }

  private static let priorities = SimulatedReplay(
    scenario: """
      name: priorities
      jobs:
        a: {service: "exponential(mean: 10ms)", priority: critical}
        b: {service: "exponential(mean: 10ms)", priority: high}
        c: {service: "exponential(mean: 10ms)", priority: normal}
        d: {service: "exponential(mean: 10ms)", priority: low}
      load: {poisson: 680/s, of: {a: 1, b: 2, c: 3, d: 4}, count: 1_000_000}
      scheduler: {workers: 8, policy: priority, queue: {capacity: 1_000_000}, retries: 0, timeout: none}
      """)

  private static let graphs = SimulatedReplay(
    scenario: """
      name: graphs
      jobs: {part: {service: "exponential(mean: 10ms)"}, join: {service: 1ms}}
      graphs: {fork: {a: {job: part}, b: {job: part}, c: {job: part}, end: {job: join, after: [a, b, c]}}}
      load: {poisson: 200/s, of: fork, count: 250_000}
      scheduler: {workers: 8, policy: fifo, queue: {capacity: 1_000_000}, retries: 0, timeout: none}
      """)

  /// 187,520 jobs of eleven days on a grid of 1,600 processors, first come first served: a log that is not part of this
  /// package. nil: `TAILRACE_TRACES` does not name a folder that holds it.
  public static let log: SimulatedReplay? = {
    guard let folder = ProcessInfo.processInfo.environment["TAILRACE_TRACES"] else { return nil }
    let file = folder + "/LCG-2005-1.swf.gz"
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    return SimulatedReplay(
      scenario: """
        name: log
        load: {trace: "\(file)"}
        scheduler: {workers: 1600, policy: fifo}
        """)
  }()
}
