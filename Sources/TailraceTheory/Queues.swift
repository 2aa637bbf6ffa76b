import Foundation

/// Exact results of queueing theory, for comparison with simulated figures.
///
/// Times are in any one unit, rates in its inverse. `load` (ρ) is the offered load per server: arrival rate × mean
/// service time ÷ servers. If it is 1 or more, the queue has no limit distribution and the functions trap. Unless
/// stated otherwise, jobs are served in order of arrival, and waiting times include zero waits.
///
/// Sources, by their short names in the comments: *Gross* — D. Gross, J. F. Shortle, J. M. Thompson, C. M. Harris,
/// *Fundamentals of Queueing Theory*, 4th ed., Wiley 2008. *Kleinrock* — L. Kleinrock, *Queueing Systems*, vol. 1 and
/// 2, Wiley 1975/76. *Cobham* — A. Cobham, *Priority Assignment in Waiting Line Problems*, Operations Research 2
/// (1954). *Takács* — L. Takács, *A Single-Server Queue with Feedback*, Bell System Technical Journal 42 (1963).
package enum Queues {
  // MARK: - Poisson arrivals, exponential service

  /// Erlang's loss formula B(c, a): the share of arrivals that find all servers busy in a system without waiting room,
  /// for any service distribution. Gross (2.44), by the recursion B(k) = a·B(k−1) / (k + a·B(k−1)).
  ///
  /// - Parameters:
  ///   - servers: c, at least 1.
  ///   - erlangs: a, the offered load.
  package static func erlangB(servers: Int, erlangs: Double) -> Double {
    (1...servers).reduce(1.0) { blocked, k in erlangs * blocked / (Double(k) + erlangs * blocked) }
  }

  /// Erlang's delay formula C(c, a): the share of arrivals that must wait in M/M/c. Gross (2.33).
  package static func erlangC(servers: Int, erlangs: Double) -> Double {
    let load = stable(erlangs / Double(servers))
    let blocked = erlangB(servers: servers, erlangs: erlangs)
    return blocked / (1 - load * (1 - blocked))
  }

  /// Mean waiting time in M/M/c. Gross (2.34).
  package static func meanWait(servers: Int, arrivalRate: Double, service: Double) -> Double {
    let delayed = erlangC(servers: servers, erlangs: arrivalRate * service)
    return delayed / (Double(servers) / service - arrivalRate)
  }

  /// The quantile of the waiting time in M/M/c: P(W > t) = C·e^{−(cμ−λ)t}. Gross, section 2.4.
  ///
  /// - Parameter p: in 0..<1. The quantile is zero if at least this share does not wait.
  package static func waitQuantile(_ p: Double, servers: Int, arrivalRate: Double, service: Double) -> Double {
    let delayed = erlangC(servers: servers, erlangs: arrivalRate * service)
    guard 1 - p < delayed else { return 0 }
    return log(delayed / (1 - p)) / (Double(servers) / service - arrivalRate)
  }

  /// The quantile of the response time in M/M/1, which is exponential with rate μ−λ. Gross (2.30).
  package static func responseQuantile(_ p: Double, arrivalRate: Double, service: Double) -> Double {
    -log(1 - p) / (1 / service - arrivalRate)
  }

  /// The results of M/M/c/K: the system holds K jobs, including those in service, and further ones are lost.
  package struct Finite {
    /// Share of arrivals that are lost.
    package let loss: Double
    /// Jobs served per unit of time.
    package let throughput: Double
    /// Mean waiting time of jobs that are not lost.
    package let meanWait: Double
  }

  /// M/M/c/K, at any load. Gross, section 2.5, by its balance equations.
  package static func finite(servers: Int, places: Int, arrivalRate: Double, service: Double) -> Finite {
    var weights = [1.0]
    for n in 1...places { weights.append(weights[n - 1] * arrivalRate * service / Double(min(n, servers))) }
    let total = weights.reduce(0, +)
    let loss = weights[places] / total
    let waiting = weights.indices.reduce(0.0) { $0 + Double(max(0, $1 - servers)) * weights[$1] } / total
    let throughput = arrivalRate * (1 - loss)
    return Finite(loss: loss, throughput: throughput, meanWait: waiting / throughput)
  }

  /// The results of M/M/c//N, a closed system of clients, each of which thinks, submits a job, and awaits it.
  package struct Closed {
    package let throughput: Double
    /// From submission to completion.
    package let meanResponse: Double
  }

  /// M/M/c//N, the machine repair model. Gross, section 2.7, by its balance equations; thinking may have any
  /// distribution.
  package static func closed(clients: Int, think: Double, servers: Int, service: Double) -> Closed {
    var weights = [1.0]
    for n in 1...clients {
      weights.append(weights[n - 1] * Double(clients - n + 1) / think * service / Double(min(n, servers)))
    }
    let total = weights.reduce(0, +)
    let present = weights.indices.reduce(0.0) { $0 + Double($1) * weights[$1] } / total
    let throughput = (Double(clients) - present) / think
    return Closed(throughput: throughput, meanResponse: present / throughput)
  }

  /// Mean response time in M/M/1 where each attempt fails with probability `failing` and returns to the end of the
  /// queue: that of M/M/1 with rate μ(1−p). Takács.
  package static func meanResponseWithFeedback(arrivalRate: Double, service: Double, failing: Double) -> Double {
    1 / ((1 - failing) / service - stable(arrivalRate * service / (1 - failing)) * (1 - failing) / service)
  }

  // MARK: - One server, any service

  /// Mean waiting time in M/G/1 by its first two moments: λE[S²] / 2(1−ρ). Pollaczek and Khinchine; Gross (5.11).
  package static func meanWait(arrivalRate: Double, service: Double, secondMoment: Double) -> Double {
    arrivalRate * secondMoment / (2 * (1 - stable(arrivalRate * service)))
  }

  /// Mean waiting time in M/G/1 with batch arrivals of one size: the wait for earlier batches plus that for earlier
  /// jobs of the same batch. Gross, section 3.1, with the second moment of the service time.
  ///
  /// - Parameter batches: batches per unit of time.
  package static func meanWait(batches: Double, of size: Int, service: Double, secondMoment: Double) -> Double {
    let free = 1 - stable(batches * Double(size) * service)
    return batches * Double(size) * secondMoment / (2 * free) + Double(size - 1) * service / (2 * free)
  }

  // MARK: - Priorities

  /// Mean waiting times in M/G/1 under priorities without preemption, the most urgent first: W_k = R /
  /// (1−σ_{k−1})(1−σ_k), R = Σλ_iE[S_i²]/2, σ_k the load of the classes up to k. Cobham; Kleinrock vol. 2, (3.30).
  package static func meanWaits(
    classes: [(arrivalRate: Double, service: Double, secondMoment: Double)]
  ) -> [Double] {
    let residual = classes.reduce(0) { $0 + $1.arrivalRate * $1.secondMoment } / 2
    return divide(residual, by: classes.map { $0.arrivalRate * $0.service })
  }

  /// Mean waiting times in M/M/c under priorities without preemption if all classes have the same service time. Cobham.
  package static func meanWaits(arrivalRates: [Double], servers: Int, service: Double) -> [Double] {
    let delayed = erlangC(servers: servers, erlangs: arrivalRates.reduce(0, +) * service)
    return divide(
      delayed * service / Double(servers), by: arrivalRates.map { $0 * service / Double(servers) })
  }

  /// Mean waiting times in M/G/1 where a job's urgency is its waiting time × the slope of its class, without
  /// preemption: W_p = (R/(1−ρ) − Σ_{i<p} ρ_i W_i (1 − b_i/b_p)) / (1 − Σ_{i>p} ρ_i (1 − b_p/b_i)), classes by rising
  /// slope. Kleinrock vol. 2, (3.57).
  ///
  /// - Parameter classes: by rising slope, each above 0.
  package static func meanWaits(
    slopes classes: [(arrivalRate: Double, service: Double, secondMoment: Double, slope: Double)]
  ) -> [Double] {
    let residual = classes.reduce(0) { $0 + $1.arrivalRate * $1.secondMoment } / 2
    let loads = classes.map { $0.arrivalRate * $0.service }
    let fifo = residual / (1 - stable(loads.reduce(0, +)))
    var waits: [Double] = []
    for (p, own) in classes.enumerated() {
      let slower = (0..<p).reduce(0) { $0 + loads[$1] * waits[$1] * (1 - classes[$1].slope / own.slope) }
      let faster = (p + 1..<classes.count).reduce(0) { $0 + loads[$1] * (1 - own.slope / classes[$1].slope) }
      waits.append((fifo - slower) / (1 - faster))
    }
    return waits
  }

  /// Mean waiting time in M/M/1 with the shortest job first, without preemption, if every job's service time is known:
  /// ∫ R/(1−ρ(x))² dF(x), ρ(x) = λ∫₀ˣ t dF(t), R = λE[S²]/2. Phipps 1956; Kleinrock vol. 2, (3.43).
  package static func meanWaitShortestFirst(arrivalRate: Double, service: Double) -> Double {
    let load = stable(arrivalRate * service)
    let residual = arrivalRate * service * service
    // Simpson's rule in u = F(x), which makes the tail finite.
    func wait(_ u: Double) -> Double {
      let x = -Foundation.log(1 - u)
      let below = u < 1 ? load * (u - (1 - u) * x) : load
      return residual / ((1 - below) * (1 - below))
    }
    let steps = 200_000
    let sum = (1..<steps).reduce(wait(0) + wait(1)) { $0 + wait(Double($1) / Double(steps)) * ($1 % 2 == 1 ? 4 : 2) }
    return sum / Double(3 * steps)
  }

  private static func divide(_ residual: Double, by loads: [Double]) -> [Double] {
    var before = 0.0
    return loads.map { load in
      let upTo = stable(before + load)
      defer { before = upTo }
      return residual / ((1 - before) * (1 - upTo))
    }
  }

  // MARK: - Regular arrivals

  /// Mean waiting time in D/M/c: one arrival every `interval`. GI/M/c with A*(s) = e^{−s·interval}; Gross, section 5.3.
  package static func meanWait(interval: Double, servers: Int, service: Double) -> Double {
    let c = Double(servers)
    let rate = 1 / service
    func transform(_ s: Double) -> Double { exp(-s * interval) }
    _ = stable(service / (c * interval))
    // The root of σ = A*(cμ(1−σ)) in (0, 1), by iteration from below.
    var root = 0.0
    for _ in 0..<10_000 { root = transform(c * rate * (1 - root)) }
    var inverse = 1 / (1 - root)
    var product = 1.0
    var choose = 1.0
    for n in 1...servers {
      let a = transform(Double(n) * rate)
      product *= a / (1 - a)
      choose *= (c - Double(n) + 1) / Double(n)
      inverse += choose / (product * (1 - a)) * (c * (1 - a) - Double(n)) / (c * (1 - root) - Double(n))
    }
    let delayed = 1 / inverse / (1 - root)
    return delayed / (c * rate * (1 - root))
  }

  // MARK: - Parallel parts

  /// The mean of the maximum of `count` independent exponential times: mean × (1 + 1/2 + … + 1/count).
  package static func meanOfLongest(_ count: Int, mean: Double) -> Double {
    mean * (1...count).reduce(0.0) { $0 + 1 / Double($1) }
  }

  private static func stable(_ load: Double) -> Double {
    precondition(load < 1, "the offered load per server is \(load): the queue grows without limit")
    return load
  }
}

/// First and second moments of service times.
package enum Moments {
  /// Of a lognormal distribution, from its median and the standard deviation of its logarithm.
  package static func lognormal(median: Double, sigma: Double) -> (mean: Double, second: Double) {
    (median * exp(sigma * sigma / 2), median * median * exp(2 * sigma * sigma))
  }
  /// Of an exponential distribution.
  package static func exponential(mean: Double) -> (mean: Double, second: Double) { (mean, 2 * mean * mean) }
  /// Of a mixture of exponential distributions (hyperexponential); the shares add up to 1.
  package static func hyperexponential(_ parts: [(share: Double, mean: Double)]) -> (mean: Double, second: Double) {
    (
      parts.reduce(0) { $0 + $1.share * $1.mean }, parts.reduce(0) { $0 + $1.share * 2 * $1.mean * $1.mean }
    )
  }
}
