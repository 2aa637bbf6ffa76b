import TailraceCore
import TailraceMeasurement
import TailraceReplay
import TailraceTheory
import TailraceWorkload

extension Scenario {
  /// Theory's results: the bound of each resource and, if the scenario is a plain M/M/c queue, the exact rate at which
  /// each target with a formula reaches its limit.
  package func capacityTheory(targets: [(text: String, expression: TargetExpression)]) -> CapacityTheory {
    let (bounds, notes) = capacityBounds()
    var theory = CapacityTheory(bounds: bounds, notes: notes)
    switch markovian {
    case .failure(let why): theory.notes.append("No exact rate: \(why.reason)")
    case .success(let queue):
      for target in targets {
        if let exact = queue.exact(target.text, target.expression) { theory.exact.append(exact) }
      }
      theory.exact.sort { $0.rate < $1.rate }
      if theory.exact.isEmpty {
        theory.notes.append("No exact rate: none of the targets has a formula for \(queue.name)")
      }
    }
    return theory
  }

  /// The exact rates at a different mean service time; nil if no formula applies.
  ///
  /// - Parameter service: The measured mean, in nanoseconds.
  package func exactRates(
    targets: [(text: String, expression: TargetExpression)], service: Double
  ) -> [CapacityTheory.Exact]? {
    guard case .success(var queue) = markovian else { return nil }
    queue.service = service / 1e9
    let exact = targets.compactMap { target in
      queue.exact(target.text, target.expression).map { exact in
        var exact = exact
        exact.formula += ", at the measured mean service time of \(Nanoseconds(Int64(service / 1e3) * 1_000).words)"
        return exact
      }
    }
    return exact.isEmpty ? nil : exact.sorted { $0.rate < $1.rate }
  }

  /// Why a scenario is not an M/M/c queue.
  private struct NotMarkovian: Error {
    var reason: String
  }

  /// The scenario as a textbook M/M/c queue: Poisson arrivals, exponential service with one mean, one pool, in order of
  /// arrival, nothing else.
  private var markovian: Result<MarkovianQueue, NotMarkovian> {
    func no(_ reason: String) -> Result<MarkovianQueue, NotMarkovian> { .failure(NotMarkovian(reason: reason)) }
    guard streams.count == 1, case .poisson = streams[0].arrivals, streams[0].duration == nil, streams[0].count == nil
    else { return no("arrivals are not one Poisson stream") }
    guard case .weighted(let mix) = streams[0].mix else { return no("jobs arrive in graphs") }
    let present = mix.filter { $0.weight > 0 }.map { jobs[$0.type] }
    guard let first = present.first, case .exponential(let mean)? = first.service,
      present.allSatisfy({ $0.service == first.service && $0.resolvedPool == first.resolvedPool })
    else { return no("service times are not exponential with one mean, on one pool") }
    let plain = present.allSatisfy {
      $0.work == .sleep && $0.failures == .none && $0.cancel == nil && $0.delay == nil && $0.uniqueKeys == nil
        && $0.stall == nil && $0.concurrency == nil && $0.rate == nil
        && $0.timeout(under: scheduler).map { $0.seconds > 30 * mean.seconds } != false
    }
    guard plain, faults.isEmpty, backendCapacity == nil else {
      return no("jobs do more than run once for their service time")
    }
    let workers = SchedulerConfiguration(self, seed: 0)[first.resolvedPool].workers
    let settings = scheduler
    guard settings.rate == nil, settings.memoryBudget == nil, settings.adaptive == nil, settings.autoscaling == nil,
      settings.codel == nil, settings.tenants == TenantConfiguration(),
      settings.concurrency.map({ $0 >= workers }) != false, settings.queueCapacity >= 1_000
    else { return no("the scheduler limits more than the number of workers") }
    let isInOrder: Bool
    switch settings.policy {
    case .fifo: isInOrder = true
    case .priority, .aging, .slopeAging: isInOrder = Set(present.map(\.priority)).count == 1
    case .fair(.jobType): isInOrder = present.count == 1
    case .deadline, .shortest, .fair(.tenant): isInOrder = false
    }
    guard isInOrder else { return no("jobs do not start in the order of their arrival") }
    return .success(MarkovianQueue(servers: workers, service: mean.seconds))
  }
}

/// M/M/c.
private struct MarkovianQueue {
  var servers: Int
  /// Mean service time in seconds.
  var service: Double
  var name: String { "M/M/\(servers)" }

  /// The rate at which a target reaches its limit; nil: no formula, or no such rate.
  func exact(_ text: String, _ target: TargetExpression) -> CapacityTheory.Exact? {
    switch target.comparison {
    case .below, .atMost: break
    case .above, .atLeast, .equal: return nil
    }
    guard case .quantity(let quantity, let statistic) = target.metric.subject else { return nil }
    let limit = target.limit.value / 1e9
    let figure: (Double) -> Double
    let words: String
    switch (quantity, statistic) {
    case (.waiting, .percentile(let p)):
      figure = { Queues.waitQuantile(p / 100, servers: servers, arrivalRate: $0, service: service) }
      words = "quantile of the waiting time"
    case (.waiting, .mean):
      figure = { Queues.meanWait(servers: servers, arrivalRate: $0, service: service) }
      words = "mean waiting time, by Erlang"
    case (.response, .mean):
      figure = { Queues.meanWait(servers: servers, arrivalRate: $0, service: service) + service }
      words = "mean response time, by Erlang"
    case (.response, .percentile(let p)) where servers == 1:
      figure = { Queues.responseQuantile(p / 100, arrivalRate: $0, service: service) }
      words = "quantile of the response time"
    default: return nil
    }
    // The figure rises from 0 (or the service time) to infinity at the bound.
    var (low, high) = (0.0, Double(servers) / service * (1 - 1e-12))
    guard figure(high * 1e-9) < limit, figure(high) > limit else { return nil }
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if figure(middle) < limit { low = middle } else { high = middle }
    }
    return CapacityTheory.Exact(target: text, rate: (low + high) / 2, formula: "\(name): root of the \(words)")
  }
}
