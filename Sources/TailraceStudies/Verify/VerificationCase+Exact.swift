extension VerificationCase {
  /// Systems without chance: every figure is known to the last digit.
  static let exact: [VerificationCase] = [
    VerificationCase(
      name: "a thousand jobs in a row", theory: "job n waits n−1 ms; percentiles by nearest rank",
      yaml: """
        name: verified
        jobs: {job: {service: 1ms}}
        load: {batch: {job: 1000}}
        scheduler: {workers: 1, policy: fifo, retries: 0, timeout: none}
        """,
      expected: [
        Expected(metric: "waiting.mean", exact: 499_500_000), Expected(metric: "waiting.p50", exact: 499_000_000),
        Expected(metric: "waiting.p90", exact: 899_000_000), Expected(metric: "waiting.p99", exact: 989_000_000),
        Expected(metric: "response.max", exact: 1_000_000_000), Expected(metric: "makespan", exact: 1_000_000_000),
      ], isDeterministic: true),
    VerificationCase(
      name: "aging, four jobs", theory: "by eligibility − boost: one urgent job overtakes, the other does not",
      yaml: """
        name: verified
        jobs:
          first: {service: 1s}
          low: {service: 100ms, priority: low}
          early: {service: 100ms, priority: high}
          late: {service: 100ms, priority: high}
        load:
          - batch: [first]
          - {batch: [low], start: 100ms}
          - {batch: [early], start: 300ms}
          - {batch: [late], start: 700ms}
        scheduler: {workers: 1, policy: {aging: {boost: 200ms}}, retries: 0, timeout: none}
        """,
      expected: [
        Expected(metric: "waiting{type=early}.max", exact: 700_000_000),
        Expected(metric: "waiting{type=low}.max", exact: 1_000_000_000),
        Expected(metric: "waiting{type=late}.max", exact: 500_000_000),
      ], isDeterministic: true),
    VerificationCase(
      name: "a full queue that blocks", theory: "response time counts from the intended arrival",
      yaml: """
        name: verified
        jobs: {job: {service: 100ms}}
        load: {constant: 100/s, of: job, count: 4}
        scheduler: {workers: 1, policy: fifo, queue: {capacity: 1, when_full: block}, retries: 0, timeout: none}
        """,
      expected: [
        Expected(metric: "response.mean", exact: 235_000_000), Expected(metric: "response.max", exact: 370_000_000),
        Expected(metric: "submission_lag.max", exact: 70_000_000),
      ], isDeterministic: true),
    VerificationCase(
      name: "a burst behind a rate limit", theory: "GCRA: job n starts at (n−burst)/rate",
      yaml: """
        name: verified
        jobs: {job: {service: 1ms}}
        load: {batch: {job: 100}}
        scheduler: {workers: 100, rate: {rate: 100/s, burst: 10}, retries: 0, timeout: none}
        """,
      expected: [
        Expected(metric: "waiting.max", exact: 900_000_000), Expected(metric: "waiting.mean", exact: 409_500_000),
      ], isDeterministic: true),
  ]
}
