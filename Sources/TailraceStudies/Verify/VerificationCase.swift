import TailraceTheory

/// A system whose exact answers are known, as a scenario, with those answers.
package struct VerificationCase: Sendable {
  /// A figure that theory knows.
  package struct Expected: Sendable {
    /// As in a target: `waiting.mean`.
    package var metric: String
    /// In the metric's own unit: nanoseconds, jobs a second, shares, counts.
    package var exact: Double
  }

  /// What kind of system: `M/M/4 at 0.8`.
  package var name: String
  /// Where the answers come from, in words.
  package var theory: String
  /// The scenario file.
  package var yaml: String
  package var expected: [Expected]
  /// Whether nothing is left to chance: one run must give the answers to the last digit.
  package var isDeterministic = false
}

extension VerificationCase {
  /// All that is verified. Mean service times are 10 ms throughout, so that rounding to nanoseconds does not show.
  package static let all: [VerificationCase] =
    [mm1, mmc(servers: 4, load: 0.8), mmc(servers: 32, load: 0.9)] + oneServer + regular + priorities + losses + loops
    + exact + policies

  /// Seconds as the nanoseconds in which metrics are.
  private static func ns(_ seconds: Double) -> Double { seconds * 1e9 }

  private static func file(
    _ jobs: String, load: String, length: String, scheduler: String, graphs: String = "", warmup: String? = nil
  ) -> String {
    """
    name: verified
    jobs: {\(jobs)}
    \(graphs.isEmpty ? "" : "graphs: {\(graphs)}\n")load: \(load)
    \(length.isEmpty ? "" : "duration: \(length)\n")\(warmup.map { "warmup: \($0)\n" } ?? "")drain: 1000d
    scheduler: {retries: 0, timeout: none, \(scheduler)}
    """
  }

  /// A queue without bound.
  private static let room = "queue: {capacity: 10_000_000}"

  // MARK: - Poisson arrivals, exponential service

  private static let mm1 = VerificationCase(
    name: "M/M/1 at 0.8", theory: "Erlang C; response time exponential with rate μ−λ",
    yaml: file(
      "job: {service: \"exponential(mean: 10ms)\"}", load: "{poisson: 80/s, of: job}", length: "1300s",
      scheduler: "workers: 1, policy: fifo, \(room)", warmup: "50s"),
    expected: [
      Expected(metric: "waiting.mean", exact: ns(Queues.meanWait(servers: 1, arrivalRate: 80, service: 0.01))),
      Expected(
        metric: "waiting.p90", exact: ns(Queues.waitQuantile(0.9, servers: 1, arrivalRate: 80, service: 0.01))),
      Expected(metric: "response.p50", exact: ns(Queues.responseQuantile(0.5, arrivalRate: 80, service: 0.01))),
      Expected(metric: "service.mean", exact: ns(0.01)), Expected(metric: "utilization", exact: 0.8),
      Expected(metric: "jobs_in_system", exact: 4),
    ])

  private static func mmc(servers: Int, load: Double) -> VerificationCase {
    let rate = Double(servers) * load * 100
    return VerificationCase(
      name: "M/M/\(servers) at \(load)", theory: "Erlang C",
      yaml: file(
        "job: {service: \"exponential(mean: 10ms)\"}", load: "{poisson: \(rate)/s, of: job}",
        length: "\(Int(100_000 / rate) + 20)s", scheduler: "workers: \(servers), policy: fifo, \(room)", warmup: "20s"),
      expected: [
        Expected(
          metric: "waiting.mean", exact: ns(Queues.meanWait(servers: servers, arrivalRate: rate, service: 0.01))),
        Expected(
          metric: "waiting.p99",
          exact: ns(Queues.waitQuantile(0.99, servers: servers, arrivalRate: rate, service: 0.01))),
        Expected(metric: "utilization", exact: load),
      ])
  }

  // MARK: - One worker, other services and arrivals

  private static let oneServer: [VerificationCase] = [
    VerificationCase(
      name: "M/D/1 at 0.8", theory: "Pollaczek and Khinchine",
      yaml: file(
        "job: {service: 10ms}", load: "{poisson: 80/s, of: job}", length: "400s",
        scheduler: "workers: 1, policy: fifo, \(room)", warmup: "50s"),
      expected: [
        Expected(metric: "waiting.mean", exact: ns(Queues.meanWait(arrivalRate: 80, service: 0.01, secondMoment: 1e-4)))
      ]),
    VerificationCase(
      name: "M/G/1 at 0.6, lognormal", theory: "Pollaczek and Khinchine",
      yaml: file(
        "job: {service: \"lognormal(median: 8ms, p99: 40ms)\"}", load: "{poisson: 60/s, of: job}", length: "600s",
        scheduler: "workers: 1, policy: fifo, \(room)", warmup: "50s"),
      expected: [lognormalWait]),
    VerificationCase(
      name: "M/H2/1 at 0.6, hyperexponential", theory: "Pollaczek and Khinchine",
      yaml: file(
        "short: {service: \"exponential(mean: 5ms)\"}, long: {service: \"exponential(mean: 30ms)\"}",
        load: "{poisson: 60/s, of: {short: 4, long: 1}}", length: "600s",
        scheduler: "workers: 1, policy: fifo, \(room)", warmup: "50s"),
      expected: [
        Expected(
          metric: "waiting.mean",
          exact: ns(
            Queues.meanWait(
              arrivalRate: 60, service: 0.01,
              secondMoment: Moments.hyperexponential([(0.8, 0.005), (0.2, 0.03)]).second)))
      ]),
    VerificationCase(
      name: "M[3]/M/1 at 0.6, in batches", theory: "Gross et al., section 3.1",
      yaml: file(
        "job: {service: \"exponential(mean: 10ms)\"}", load: "{poisson: 20/s, of: three}", length: "600s",
        scheduler: "workers: 1, policy: fifo, \(room)",
        graphs: "three: {a: {job: job}, b: {job: job}, c: {job: job}}", warmup: "50s"),
      expected: [
        Expected(
          metric: "waiting.mean", exact: ns(Queues.meanWait(batches: 20, of: 3, service: 0.01, secondMoment: 2e-4)))
      ]),
    VerificationCase(
      name: "M/M/1 at 0.6, a quarter of the attempts fail", theory: "Takács: feedback",
      yaml: file(
        "job: {service: \"exponential(mean: 10ms)\", failures: 25%, "
          + "retries: {limit: 1000, backoff: none, jitter: none}}",
        load: "{poisson: 45/s, of: job}", length: "600s",
        scheduler: "workers: 1, policy: fifo, \(room)", warmup: "50s"),
      expected: [
        Expected(
          metric: "response.mean",
          exact: ns(Queues.meanResponseWithFeedback(arrivalRate: 45, service: 0.01, failing: 0.25))),
        Expected(metric: "success", exact: 1),
      ]),
    VerificationCase(
      name: "rate limit 100/s at 0.8", theory: "a limit of r starts a second is a server of time 1/r: M/D/1",
      yaml: file(
        "job: {service: 0ms}", load: "{poisson: 80/s, of: job}", length: "400s",
        scheduler: "workers: 1, policy: fifo, rate: 100/s, \(room)", warmup: "50s"),
      expected: [
        Expected(metric: "waiting.mean", exact: ns(Queues.meanWait(arrivalRate: 80, service: 0.01, secondMoment: 1e-4)))
      ]),
  ]

  private static var lognormalWait: Expected {
    let sigma = 1.6094379124341003 / 2.3263478740408408  // ln(40 ms / 8 ms) / Φ⁻¹(0.99)
    let moments = Moments.lognormal(median: 0.008, sigma: sigma)
    return Expected(
      metric: "waiting.mean",
      exact: ns(Queues.meanWait(arrivalRate: 60, service: moments.mean, secondMoment: moments.second)))
  }

  private static let regular: [VerificationCase] = [1, 4].map { servers in
    let rate = Double(servers) * 80
    return VerificationCase(
      name: "D/M/\(servers) at 0.8", theory: "Gross et al., section 5.3",
      yaml: file(
        "job: {service: \"exponential(mean: 10ms)\"}", load: "{constant: \(rate)/s, of: job}",
        length: "\(400 / servers)s", scheduler: "workers: \(servers), policy: fifo, \(room)", warmup: "20s"),
      expected: [
        Expected(
          metric: "waiting.mean", exact: ns(Queues.meanWait(interval: 1 / rate, servers: servers, service: 0.01)))
      ])
  }

  // MARK: - Priorities

  private static let priorities: [VerificationCase] = [threePriorities, fourPriorities]

  private static var threePriorities: VerificationCase {
    let classes = [(20.0, 0.01, 2e-4), (30, 0.005, 2.5e-5), (25, 0.016, 5.12e-4)].map {
      (arrivalRate: $0.0, service: $0.1, secondMoment: $0.2)
    }
    let waits = Queues.meanWaits(classes: classes)
    let load = classes.reduce(0) { $0 + $1.arrivalRate * $1.service }
    return VerificationCase(
      name: "M/G/1 at \((load * 100).rounded() / 100), three priorities", theory: "Cobham",
      yaml: file(
        """
        urgent: {service: "exponential(mean: 10ms)", priority: high}, usual: {service: 5ms}, \
        idle: {service: "exponential(mean: 16ms)", priority: low}
        """, load: "{poisson: 75/s, of: {urgent: 20, usual: 30, idle: 25}}", length: "600s",
        scheduler: "workers: 1, policy: priority, \(room)", warmup: "50s"),
      expected: zip(["urgent", "usual", "idle"], waits).map {
        Expected(metric: "waiting{type=\($0)}.mean", exact: ns($1))
      })
  }

  private static var fourPriorities: VerificationCase {
    let rates = [68.0, 136, 204, 272]
    let waits = Queues.meanWaits(arrivalRates: rates, servers: 8, service: 0.01)
    let names = ["critical", "high", "normal", "low"]
    return VerificationCase(
      name: "M/M/8 at 0.85, four priorities", theory: "Cobham",
      yaml: file(
        names.map { "\($0): {service: \"exponential(mean: 10ms)\", priority: \($0)}" }.joined(separator: ", "),
        load: "{poisson: 680/s, of: {critical: 1, high: 2, normal: 3, low: 4}}", length: "150s",
        scheduler: "workers: 8, policy: priority, \(room)", warmup: "10s"),
      expected: zip(names, waits).map { Expected(metric: "waiting{priority=\($0)}.mean", exact: ns($1)) })
  }

  // MARK: - Losses

  private static let losses: [VerificationCase] = [
    finite(servers: 2, places: 6, rate: 160, name: "M/M/2/6 at 0.8"),
    finite(servers: 2, places: 6, rate: 300, name: "M/M/2/6 at 1.5, overloaded"),
    VerificationCase(
      name: "M/G/5/5 at 0.6, nobody waits", theory: "Erlang B, for any service time",
      yaml: file(
        "job: {service: \"uniform(min: 1ms, max: 19ms)\"}", load: "{poisson: 300/s, of: job}", length: "110s",
        scheduler: "workers: 5, policy: fifo, queue: {capacity: 0}", warmup: "10s"),
      expected: [
        Expected(metric: "success", exact: 1 - Queues.erlangB(servers: 5, erlangs: 3)),
        Expected(metric: "waiting.mean", exact: 0),
      ]),
  ]

  private static func finite(servers: Int, places: Int, rate: Double, name: String) -> VerificationCase {
    let answer = Queues.finite(servers: servers, places: places, arrivalRate: rate, service: 0.01)
    return VerificationCase(
      name: name, theory: "balance equations",
      yaml: file(
        "job: {service: \"exponential(mean: 10ms)\"}", load: "{poisson: \(rate)/s, of: job}", length: "160s",
        scheduler: "workers: \(servers), policy: fifo, queue: {capacity: \(places - servers)}", warmup: "10s"),
      expected: [
        Expected(metric: "success", exact: 1 - answer.loss), Expected(metric: "throughput", exact: answer.throughput),
        Expected(metric: "waiting.mean", exact: ns(answer.meanWait)),
      ])
  }

  // MARK: - Loops and graphs

  private static var loops: [VerificationCase] {
    let closed = Queues.closed(clients: 20, think: 0.1, servers: 2, service: 0.01)
    return [
      VerificationCase(
        name: "M/M/2//20, clients that think", theory: "balance equations: machine repair",
        yaml: file(
          "job: {service: \"exponential(mean: 10ms)\"}",
          load: "{closed: {clients: 20, think: \"exponential(mean: 100ms)\"}, of: job}", length: "160s",
          scheduler: "workers: 2, policy: fifo, \(room)", warmup: "10s"),
        expected: [
          Expected(metric: "throughput", exact: closed.throughput),
          Expected(metric: "response.mean", exact: ns(closed.meanResponse)),
        ]),
      VerificationCase(
        name: "fork into 3 and join", theory: "the longest of three exponential times: mean × (1 + 1/2 + 1/3)",
        yaml: file(
          "part: {service: \"exponential(mean: 10ms)\"}, join: {service: 0ms}", load: "{poisson: 20/s, of: fork}",
          length: "310s", scheduler: "workers: 200, policy: fifo, \(room)",
          graphs: "fork: {a: {job: part}, b: {job: part}, c: {job: part}, end: {job: join, after: [a, b, c]}}",
          warmup: "10s"),
        expected: [
          Expected(
            metric: "dependency_wait{type=join}.mean", exact: ns(Queues.meanOfLongest(3, mean: 0.01)))
        ]),
    ]
  }
}
