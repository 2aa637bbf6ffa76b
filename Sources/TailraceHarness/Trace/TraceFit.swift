import Foundation
import TailraceCore
import TailraceWorkload

/// A synthetic scenario with a trace's rates, classes and burstiness.
///
/// Arrivals are Poisson where the trace is no burstier than that, else an interrupted Poisson process (`bursty`):
/// during exponentially distributed on-times arrivals come at a rate, in between none. With r₁ = 1/on, r₂ = 1/off, s =
/// r₁ + r₂ and p = r₂/s the share of on-time, its index of dispersion over windows of width t is
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
  }
  package var arrivals: Arrivals
  /// What the fit gives for the windows it was made from, beside what was measured.
  package var dispersion: [(window: Double, measured: Double, fitted: Double)]

  package static func == (a: TraceFit, b: TraceFit) -> Bool { a.arrivals == b.arrivals }

  package init(_ trace: TraceDescription) {
    let rate = max(trace.arrivalRatePerS, 1e-9)
    let known = trace.dispersion.compactMap { entry in
      entry.windows >= 20 ? entry.index.map { (window: entry.windowNs / 1e9, index: $0) } : nil
    }
    arrivals = .poisson(rate: rate)
    dispersion = known.map { ($0.window, $0.index, 1) }
    // The two widest windows of which there are enough: how bursts add up matters more than how they begin.
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
    // At the ends nothing is to be learnt from the ratio: bursts shorter than the narrow window, or longer than the
    // wide.
    return exp(min(max((low + high) / 2, log(0.1 / wide)), log(10 / narrow)))
  }

  /// The scenario file.
  package func scenario(of trace: TraceDescription) -> String {
    var lines = ["name: fitted", "summary: A synthetic mix with the rates, classes and burstiness of \(trace.file)."]
    lines.append("notes:")
    lines.append(
      "  - \(text(trace.kept)) jobs over \(span(trace.spanNs / 1e9)), \(digits(trace.arrivalRatePerS)) a second.")
    for entry in dispersion {
      lines.append(
        "  - Index of dispersion over \(span(entry.window)) - measured \(digits(entry.measured)), fitted "
          + "\(digits(entry.fitted)).")
    }
    lines.append("jobs:")
    for kind in trace.classes { lines.append("  \(kind.name): {service: \(service(kind.service))}") }
    let weights = trace.classes.map { "\($0.name): \($0.jobs)" }.joined(separator: ", ")
    switch arrivals {
    case .poisson(let rate): lines += ["load:", "  poisson: \(digits(rate))/s"]
    case .bursty(let rate, let on, let off):
      lines += ["load:", "  bursty: {rate: \(digits(rate))/s, on: \(seconds(on)), off: \(seconds(off))}"]
    }
    lines += ["  of: {\(weights)}", "duration: \(seconds(max(1, trace.spanNs / 1e9)))"]
    let workers = Int(((trace.offeredLoad ?? 1) * 1.25).rounded(.up))
    lines += ["drain: 3650d", "# A quarter more workers than the offered load asks for."]
    lines += [
      "scheduler: {workers: \(min(65_534, max(1, workers))), policy: fifo, queue: {capacity: 100_000_000}, retries: 0, "
        + "timeout: none}"
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  /// By median and 99th percentile; constant where they meet.
  private func service(_ times: TraceDescription.Quantiles?) -> String {
    guard let times else { return "100ms  # the trace has no service times" }
    guard times.p99Ns > times.p50Ns * 1.001 else { return seconds(times.p50Ns / 1e9) }
    return "\"lognormal(median: \(seconds(times.p50Ns / 1e9)), p99: \(seconds(times.p99Ns / 1e9)))\""
  }

  private func seconds(_ value: Double) -> String {
    value >= 1 ? "\(digits(value))s" : value >= 1e-3 ? "\(digits(value * 1e3))ms" : "\(max(1, Int(value * 1e9)))ns"
  }

  private func span(_ value: Double) -> String {
    for (name, size) in [("an hour", 3_600.0), ("a minute", 60), ("a second", 1)] where value == size { return name }
    for (unit, size) in [("days", 86_400.0), ("hours", 3_600), ("minutes", 60)] where value >= size * 1.5 {
      return "\(digits(value / size)) \(unit)"
    }
    return "\(digits(value)) s"
  }

  private func text(_ count: Int) -> String { count.formatted(.number.locale(Locale(identifier: "en_US"))) }
  private func digits(_ value: Double) -> String {
    // Scenario files take no exponents.
    let places = max(0, 4 - Int(log10(max(value, 1e-9)).rounded(.up)))
    return value >= 1e4 ? String(format: "%.0f", value) : String(format: "%.*f", places, value)
  }
}
