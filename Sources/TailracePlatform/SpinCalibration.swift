import CPlatform
import Synchronization
import TailraceCore

/// How fast this machine runs the loop that `spin` jobs are made of.
package struct SpinCalibration: Hashable, Sendable, Codable {
  /// Loop iterations per nanosecond of CPU time, above zero.
  package var iterationsPerNanosecond: Double
  /// How far the rounds of the measurement lay apart: (slowest − fastest) ÷ fastest. Below 0.1 on a quiet machine.
  package var spread: Double

  /// Makes a calibration with a known speed.
  package init(iterationsPerNanosecond: Double, spread: Double = 0) {
    self.iterationsPerNanosecond = iterationsPerNanosecond
    self.spread = spread
  }

  /// Measures for some 20 ms. The fastest of several rounds counts: noise can only make a round slower, and processor
  /// time leaves out what other threads took.
  package static func measure() -> SpinCalibration {
    let iterations = 200_000
    var rounds: [Int64] = []
    // Warms the caches and the clock frequency up.
    SpinLoop.run(iterations: iterations)
    for _ in 0..<25 {
      let start = cplatform_thread_cpu_ns()
      SpinLoop.run(iterations: iterations)
      rounds.append(max(1, cplatform_thread_cpu_ns() - start))
    }
    rounds.sort()
    let fastest = Double(rounds[0])
    // The slowest fifth reflects interrupts rather than the loop.
    let slowest = Double(rounds[rounds.count * 4 / 5])
    return SpinCalibration(
      iterationsPerNanosecond: Double(iterations) / fastest, spread: (slowest - fastest) / fastest)
  }

  /// Computes for `time` of CPU time, within about a microsecond.
  ///
  /// Processor time, not the wall clock: a job that has to share its core takes longer, as real work would.
  ///
  /// - Parameter isCancelled: Asked about every 100 µs; ends the work early.
  /// - Returns: False when cancelled.
  @discardableResult
  package func spin(for time: Nanoseconds, isCancelled: () -> Bool = { false }) -> Bool {
    // Reading the thread's processor clock is a system call of some 300 ns: not worth it below a few microseconds.
    guard time.rawValue > 4_000 else {
      SpinLoop.run(iterations: Int(Double(max(0, time.rawValue)) * iterationsPerNanosecond))
      return true
    }
    let end = cplatform_thread_cpu_ns() + time.rawValue
    while true {
      let left = end - cplatform_thread_cpu_ns()
      if left <= 500 { return true }
      if isCancelled() { return false }
      // Aims a little short while far away, so that a loop that runs slower than calibrated does not overshoot.
      let step = left > 20_000 ? min(left * 3 / 4, 100_000) : left
      SpinLoop.run(iterations: max(1, Int(Double(step) * iterationsPerNanosecond)))
    }
  }
}

/// A loop that neither the optimizer nor the processor can shorten: each step needs the one before.
enum SpinLoop {
  /// Consumes each result, so that the optimizer does not remove the call.
  private static let sink = Atomic<UInt64>(0)

  @inline(never)
  @discardableResult
  static func run(iterations: Int) -> UInt64 {
    var x: UInt64 = 0x9e37_79b9_7f4a_7c15
    var left = iterations
    while left > 0 {
      x ^= x &<< 13
      x ^= x &>> 7
      x ^= x &<< 17
      left &-= 1
    }
    sink.store(x, ordering: .relaxed)
    return x
  }
}
