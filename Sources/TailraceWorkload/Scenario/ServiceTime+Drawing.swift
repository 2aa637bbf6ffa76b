import TailraceCore

extension ServiceTime {
  /// The quantile of the standard normal distribution at 0.99, which ties a lognormal's p99 to its median.
  static let normalQuantile99 = 2.3263478740408408

  /// The quantile function: the value below which a share `u` of the draws falls. One uniform number gives one draw
  /// (inversion), so draws are monotone in it, and scenarios that differ in one parameter use the same random numbers.
  ///
  /// - exponential: `−mean · ln(1−u)`
  /// - lognormal: `exp(ln(median) + σ·Φ⁻¹(u))` with `σ = ln(p99/median) / Φ⁻¹(0.99)`
  /// - uniform: `min + u·(max−min)`
  /// - Pareto (type I): `min · (1−u)^(−1/α)`; truncated at `max`: `min · (1 − u·(1−(min/max)^α))^(−1/α)`, so no
  ///   probability mass accumulates at `max`
  /// - bimodal: `slow` if `u ≥ 1 − share`, otherwise `fast`
  /// - empirical: the value at index `⌊u·n⌋` of the file, in file order
  ///
  /// - Parameter u: In (0, 1).
  package func quantile(_ u: Double) -> Nanoseconds {
    switch self {
    case .constant(let value): return value
    case .exponential(let mean): return Self.exponential(Double(mean.rawValue), u)
    case .lognormal(let median, let p99):
      let sigma = StableMath.log(Double(p99.rawValue) / Double(median.rawValue)) / Self.normalQuantile99
      return Self.rounded(Double(median.rawValue) * StableMath.exp(sigma * Self.normalQuantile(u)))
    case .uniform(let low, let high):
      return Self.rounded(Double(low.rawValue) + u * Double(high.rawValue - low.rawValue))
    case .pareto(let low, let alpha, let high):
      let kept = high.map { 1 - StableMath.pow(Double(low.rawValue) / Double($0.rawValue), alpha) } ?? 1
      return Self.rounded(Double(low.rawValue) * StableMath.pow(1 - u * kept, -1 / alpha))
    case .bimodal(let fast, let slow, let share): return u >= 1 - share ? slow : fast
    case .empirical(_, let values):
      return values.isEmpty ? .zero : values[min(values.count - 1, Int(u * Double(values.count)))]
    }
  }

  /// The mean of the distribution; nil if infinite (Pareto with α ≤ 1 and no `max`).
  package var mean: Nanoseconds? {
    switch self {
    case .constant(let value): return value
    case .exponential(let mean): return mean
    case .lognormal(let median, let p99):
      let sigma = StableMath.log(Double(p99.rawValue) / Double(median.rawValue)) / Self.normalQuantile99
      return Self.rounded(Double(median.rawValue) * StableMath.exp(sigma * sigma / 2))
    case .uniform(let low, let high): return Self.rounded((Double(low.rawValue) + Double(high.rawValue)) / 2)
    case .pareto(let low, let alpha, let high):
      let scale = Double(low.rawValue)
      guard let high else { return alpha > 1 ? Self.rounded(scale * alpha / (alpha - 1)) : nil }
      let ratio = scale / Double(high.rawValue)
      let kept = 1 - StableMath.pow(ratio, alpha)
      if abs(alpha - 1) < 1e-9 { return Self.rounded(scale * -StableMath.log(ratio) / kept) }
      return Self.rounded(scale * alpha / (alpha - 1) * (1 - StableMath.pow(ratio, alpha - 1)) / kept)
    case .bimodal(let fast, let slow, let share):
      return Self.rounded(Double(fast.rawValue) * (1 - share) + Double(slow.rawValue) * share)
    case .empirical(_, let values):
      return values.isEmpty ? .zero : Self.rounded(values.reduce(0) { $0 + Double($1.rawValue) } / Double(values.count))
    }
  }

  /// A draw from the exponential distribution.
  @inline(__always)
  static func exponential(_ mean: Double, _ u: Double) -> Nanoseconds { Self.rounded(-mean * StableMath.log(1 - u)) }

  @inline(__always)
  private static func rounded(_ nanoseconds: Double) -> Nanoseconds {
    // Longer draws of a heavy tail would exceed the horizon.
    Nanoseconds(Int64(min(max(nanoseconds, 0), Double(Nanoseconds.longest.rawValue)) + 0.5))
  }

  /// The quantile function of the standard normal distribution, Φ⁻¹, to about 16 digits.
  /// Source: M. J. Wichura, *Algorithm AS 241*, Applied Statistics 37 (1988), routine PPND16.
  ///
  /// - Parameter p: In (0, 1).
  package static func normalQuantile(_ p: Double) -> Double {
    let q = p - 0.5
    if abs(q) <= 0.425 {
      let r = 0.180625 - q * q
      return q * polynomial(central.numerator, r) / polynomial(central.denominator, r)
    }
    let tail = (-StableMath.log(q < 0 ? p : 1 - p)).squareRoot()
    let part = tail <= 5 ? near : far
    let r = tail - (tail <= 5 ? 1.6 : 5)
    let value = polynomial(part.numerator, r) / polynomial(part.denominator, r)
    return q < 0 ? -value : value
  }

  /// Horner's rule; coefficients from the constant term upward.
  @inline(__always) private static func polynomial(_ c: InlineArray<8, Double>, _ x: Double) -> Double {
    ((((((c[7] * x + c[6]) * x + c[5]) * x + c[4]) * x + c[3]) * x + c[2]) * x + c[1]) * x + c[0]
  }

  private typealias Ratio = (numerator: InlineArray<8, Double>, denominator: InlineArray<8, Double>)

  /// For |p − 0.5| ≤ 0.425.
  private static let central: Ratio = (
    [
      3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
      4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
    ],
    [
      1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
      3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
    ]
  )
  /// For √(−ln p) ≤ 5.
  private static let near: Ratio = (
    [
      1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
      1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
    ],
    [
      1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
      1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
    ]
  )
  /// For larger √(−ln p).
  private static let far: Ratio = (
    [
      6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
      2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
    ],
    [
      1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
      1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
    ]
  )
}
