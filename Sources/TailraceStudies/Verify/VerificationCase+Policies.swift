import TailraceTheory

/// Policies whose figures are known.
extension VerificationCase {
  static let policies: [VerificationCase] = [slopes, shortest, agingAsFifo, agingAsPriority, shares]

  private static let length = "duration: 900s\nwarmup: 50s\ndrain: 1000d"
  private static let settings = "workers: 1, retries: 0, timeout: none, queue: {capacity: 10_000_000}"

  /// Two classes at 0.4 each.
  private static func twoClasses(_ policy: String) -> String {
    """
    name: verified
    jobs:
      fast: {service: "exponential(mean: 10ms)", priority: high}
      slow: {service: "exponential(mean: 10ms)"}
    load: {poisson: 80/s, of: {fast: 1, slow: 1}}
    \(length)
    scheduler: {\(settings), policy: \(policy)}
    """
  }

  private static var slopes: VerificationCase {
    let waits = Queues.meanWaits(slopes: [(40, 0.01, 2e-4, 1), (40, 0.01, 2e-4, 2)])
    return VerificationCase(
      name: "M/M/1 at 0.8, slopes 1:2", theory: "Kleinrock: delay dependent priorities",
      yaml: twoClasses("{slope-aging: {high: 2, normal: 1}}"),
      expected: [
        Expected(metric: "waiting{type=slow}.mean", exact: waits[0] * 1e9),
        Expected(metric: "waiting{type=fast}.mean", exact: waits[1] * 1e9),
      ])
  }

  private static var shortest: VerificationCase {
    let wait = Queues.meanWaitShortestFirst(arrivalRate: 80, service: 0.01)
    return VerificationCase(
      name: "M/M/1 at 0.8, shortest first", theory: "Phipps: shortest job first, service times known",
      yaml: """
        name: verified
        jobs: {job: {service: "exponential(mean: 10ms)", expected_service: exact}}
        load: {poisson: 80/s, of: job}
        \(length)
        scheduler: {\(settings), policy: shortest}
        """,
      expected: [
        Expected(metric: "waiting.mean", exact: wait * 1e9), Expected(metric: "response.mean", exact: wait * 1e9 + 1e7),
      ])
  }

  /// Aging lies between two limits: with no boost to speak of it is first come first served…
  private static var agingAsFifo: VerificationCase {
    let wait = Queues.meanWait(servers: 1, arrivalRate: 80, service: 0.01)
    return VerificationCase(
      name: "aging with the least boost", theory: "first come first served: M/M/1 for both classes",
      yaml: twoClasses("{aging: {boost: 1ns}}"),
      expected: ["fast", "slow"].map { Expected(metric: "waiting{type=\($0)}.mean", exact: wait * 1e9) })
  }

  /// … and with a boost that no wait makes up for, strict priority.
  private static var agingAsPriority: VerificationCase {
    let waits = Queues.meanWaits(arrivalRates: [40, 40], servers: 1, service: 0.01)
    return VerificationCase(
      name: "aging with a boost of days", theory: "Cobham: strict priority", yaml: twoClasses("{aging: {boost: 10d}}"),
      expected: zip(["fast", "slow"], waits).map { Expected(metric: "waiting{type=\($0)}.mean", exact: $1 * 1e9) })
  }

  /// While all three have jobs waiting, seven starts are one, two and four; the heavy type is through after 7,000, the
  /// next after another 3,000, and the last alone for 2,000 more.
  private static let shares = VerificationCase(
    name: "shares 1:2:4 of one worker", theory: "start-time fair queueing, start by start",
    yaml: """
      name: verified
      jobs: {a: {service: 10ms}, b: {service: 10ms, weight: 2}, c: {service: 10ms, weight: 4}}
      load: [{batch: {a: 4000, b: 4000, c: 4000}}]
      drain: 1d
      scheduler: {workers: 1, policy: fair, retries: 0, timeout: none, queue: {capacity: 20_000}}
      """,
    expected: [
      Expected(metric: "response{type=c}.max", exact: 70e9), Expected(metric: "response{type=b}.max", exact: 100e9),
      Expected(metric: "response{type=a}.max", exact: 120e9),
    ], isDeterministic: true)
}
