// Goal: the formulas give the values that books and tables print, and agree with each other where they meet.

import Foundation
import TailraceTheory
import Testing

struct QueuesTests {
  private func close(_ value: Double, _ expected: Double, _ digits: Double = 5e-6) -> Bool {
    abs(value - expected) <= digits * max(1, abs(expected))
  }

  @Test func lossAndDelayAsInErlangsTables() {
    #expect(close(Queues.erlangB(servers: 10, erlangs: 5), 0.018385))
    #expect(close(Queues.erlangB(servers: 1, erlangs: 1), 0.5))
    #expect(close(Queues.erlangB(servers: 5, erlangs: 3), 0.110054))
    #expect(close(Queues.erlangC(servers: 2, erlangs: 1), 1 / 3))
    #expect(close(Queues.erlangC(servers: 1, erlangs: 0.8), 0.8))
    #expect(close(Queues.erlangC(servers: 5, erlangs: 3), 0.236150))
  }

  @Test func waitsInMultiServerQueues() {
    #expect(close(Queues.meanWait(servers: 4, arrivalRate: 3.2, service: 1), 0.745541, 1e-6))
    #expect(close(Queues.waitQuantile(0.99, servers: 4, arrivalRate: 3.2, service: 1), 5.1105, 1e-5))
    #expect(close(Queues.meanWait(servers: 1, arrivalRate: 0.8, service: 1), 4))
    #expect(Queues.waitQuantile(0.1, servers: 1, arrivalRate: 0.8, service: 1) == 0)
    // The unit is the caller's.
    #expect(close(Queues.meanWait(servers: 4, arrivalRate: 320, service: 0.01), 0.00745541, 1e-8))
  }

  @Test func fourPrioritiesOnEightServers() {
    let waits = Queues.meanWaits(arrivalRates: [0.68, 1.36, 2.04, 2.72], servers: 8, service: 1)
    for (wait, expected) in zip(waits, [0.07822, 0.10499, 0.19606, 0.97376]) { #expect(close(wait, expected, 1e-5)) }
  }

  @Test func conservationHoldsAcrossClasses() {
    let classes = [(0.2, 1.0, 2.0), (0.3, 0.5, 0.5), (0.25, 1.2, 2.88)]
      .map { (arrivalRate: $0.0, service: $0.1, secondMoment: $0.2) }
    let waits = Queues.meanWaits(classes: classes)
    let load = classes.reduce(0) { $0 + $1.arrivalRate * $1.service }
    let residual = classes.reduce(0) { $0 + $1.arrivalRate * $1.secondMoment } / 2
    let sum = zip(classes, waits).reduce(0) { $0 + $1.0.arrivalRate * $1.0.service * $1.1 }
    #expect(close(sum, load * residual / (1 - load), 1e-12))
    // One class is an ordinary queue.
    #expect(close(Queues.meanWaits(arrivalRates: [3.2], servers: 4, service: 1)[0], 0.745541, 1e-6))
  }

  @Test func oneServerAnyService() {
    #expect(close(Queues.meanWait(arrivalRate: 0.8, service: 1, secondMoment: 1), 2))
    #expect(close(Queues.meanWait(arrivalRate: 0.8, service: 1, secondMoment: 2), 4))
    #expect(close(Queues.meanWait(batches: 0.8, of: 1, service: 1, secondMoment: 2), 4))
    // Batches of two at 0.2: ρ = 0.4; 0.4·2/1.2 + 1/1.2.
    #expect(close(Queues.meanWait(batches: 0.2, of: 2, service: 1, secondMoment: 2), 1.5))
  }

  @Test func regularArrivals() {
    // D/M/1 at 0.5: σ = e^{−2(1−σ)} = 0.203188 (Gross, table of roots).
    #expect(close(Queues.meanWait(interval: 2, servers: 1, service: 1), 0.203188 / 0.796812))
    // Fewer waits than with Poisson arrivals, on any number of servers.
    for servers in [2, 3, 8] {
      let regular = Queues.meanWait(interval: 1 / (0.8 * Double(servers)), servers: servers, service: 1)
      let poisson = Queues.meanWait(servers: servers, arrivalRate: 0.8 * Double(servers), service: 1)
      #expect(regular > 0.3 * poisson && regular < 0.6 * poisson)
    }
  }

  @Test func finiteRoomAndClosedLoops() {
    // K = c is Erlang's loss system, K large the open queue.
    #expect(close(Queues.finite(servers: 5, places: 5, arrivalRate: 3, service: 1).loss, 0.110054))
    #expect(close(Queues.finite(servers: 4, places: 400, arrivalRate: 3.2, service: 1).meanWait, 0.745541, 1e-6))
    // M/M/1/2 at load 2: p = (1, 2, 4)/7.
    let small = Queues.finite(servers: 1, places: 2, arrivalRate: 2, service: 1)
    #expect(close(small.loss, 4.0 / 7) && close(small.throughput, 6.0 / 7) && close(small.meanWait, 4.0 / 6))
    // One client never waits for itself.
    let alone = Queues.closed(clients: 1, think: 3, servers: 1, service: 1)
    #expect(close(alone.meanResponse, 1) && close(alone.throughput, 0.25))
    // Little's law over the whole loop.
    let loop = Queues.closed(clients: 20, think: 10, servers: 2, service: 1)
    #expect(close(loop.throughput * (loop.meanResponse + 10), 20, 1e-12))
  }

  @Test func feedbackAndForks() {
    #expect(close(Queues.meanResponseWithFeedback(arrivalRate: 0.6, service: 1, failing: 0.25), 1 / 0.15))
    #expect(close(Queues.meanOfLongest(3, mean: 6), 11))
    let moments = Moments.hyperexponential([(0.9, 1), (0.1, 11)])
    #expect(close(moments.mean, 2) && close(moments.second, 26))
    #expect(close(Moments.lognormal(median: 1, sigma: 1).mean, exp(0.5)))
  }

  /// Kleinrock's example: two classes at 0.4 each on one worker; and its limits, one slope and slopes far apart.
  @Test func slopes() {
    func waits(_ slopes: [Double]) -> [Double] {
      Queues.meanWaits(slopes: slopes.map { (0.4, 1, 2, $0) })
    }
    #expect(zip(waits([1, 2]), [5, 3]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(waits([1, 1]).allSatisfy { abs($0 - 4) < 1e-12 })
    let strict = Queues.meanWaits(arrivalRates: [0.4, 0.4], servers: 1, service: 1)
    #expect(zip(waits([1e-9, 1]).reversed(), strict).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  /// Mean response 2.88 service times at 0.8.
  @Test func shortestFirst() {
    #expect(abs(Queues.meanWaitShortestFirst(arrivalRate: 0.8, service: 1) + 1 - 2.88) < 0.005)
    // Without load there is nothing to choose from: half of nothing waits.
    #expect(abs(Queues.meanWaitShortestFirst(arrivalRate: 0.001, service: 1) - 0.001) < 1e-5)
  }
}
