import Foundation
import TailraceCore
import TailraceWorkload

/// A synthetic scenario with a trace's rates, classes, burstiness and the exact mean service time of each class, so
/// that it offers the same load.
///
/// Arrivals are Poisson if the trace is not burstier; otherwise they are an interrupted Poisson process (`bursty`):
/// arrivals come at a rate during exponentially distributed on-times, and not at all in between. With r₁ = 1/on, r₂ =
/// 1/off, s = r₁ + r₂ and p = r₂/s the share of on-time, its index of dispersion over windows of width t is
///
///     I(t) = 1 + A·g(st),   A = 2(λ/p)(1−p)/s,   g(x) = 1 − (1 − e^{−x})/x
///
/// (W. Fischer, K. Meier-Hellstern, *The Markov-modulated Poisson process (MMPP) cookbook*, Performance Evaluation 18,
/// 1993). Two measured indices give s by their ratio and then A; the mean rate λ gives the rest.
package struct TraceFit: Sendable, Equatable {
  package enum Arrivals: Sendable, Equatable {
    case poisson(rate: Double)
    /// Rate per second while on; mean on- and off-times in seconds.
    case bursty(rate: Double, on: Double, off: Double)
    /// All arrivals at one instant.
    case together
  }
  package var arrivals: Arrivals
  /// The fitted and the measured dispersion of the windows behind the fit.
  package var dispersion: [(window: Double, measured: Double, fitted: Double)]

  /// The scenario's length as a multiple of the log's.
  package var length = 1

  package static func == (a: TraceFit, b: TraceFit) -> Bool { a.arrivals == b.arrivals }

  package init(_ trace: TraceDescription) {
    let rate = max(trace.arrivalRatePerS, 1e-9)
    let known = trace.dispersion.compactMap { entry in
      entry.windows >= 20 ? entry.index.map { (window: entry.windowNs / 1e9, index: $0) } : nil
    }
    arrivals = .poisson(rate: rate)
    dispersion = known.map { ($0.window, $0.index, 1) }
    guard trace.spanNs > 0 else {
      arrivals = .together
      return
    }
    // Use the two widest windows with enough samples: long-term burstiness matters more than short-term.
    guard let wide = known.last, wide.index > 1.5 else { return }
    let narrow = known.dropLast().last ?? (window: wide.window / 2, index: 1 + (wide.index - 1) * 0.6)
    let ratio = (wide.index - 1) / max(narrow.index - 1, 1e-6)
    let s = Self.speed(ratio: ratio, narrow: narrow.window, wide: wide.window)
    let a = (wide.index - 1) / Self.growth(s * wide.window)
    let off = a * s / (2 * rate)  // (1−p)/p
    let p = 1 / (1 + off)
    arrivals = .bursty(rate: rate / p, on: 1 / (s * (1 - p)), off: 1 / (s * p))
    dispersion = known.map { ($0.window, $0.index, 1 + a * Self.growth(s * $0.window)) }
  }

  private static func growth(_ x: Double) -> Double { x < 1e-6 ? x / 2 : 1 + expm1(-x) / x }

  /// The s at which g(s·wide)/g(s·narrow) is the ratio; it falls from wide/narrow to 1 as s grows.
  private static func speed(ratio: Double, narrow: Double, wide: Double) -> Double {
    var (low, high) = (log(1e-6 / wide), log(1e6 / narrow))
    for _ in 0..<200 {
      let middle = (low + high) / 2
      let s = exp(middle)
      if growth(s * wide) / growth(s * narrow) > ratio { low = middle } else { high = middle }
    }
    // At the ends the ratio has no information: bursts are shorter than the narrow window or longer than the wide one.
    return exp(min(max((low + high) / 2, log(0.1 / wide)), log(10 / narrow)))
  }
}
