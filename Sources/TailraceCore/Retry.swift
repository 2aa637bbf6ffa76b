extension RetryPolicy {
  /// How long to wait before retry `retry` (first: 1), given a uniform draw `u` in 0..<1.
  package func wait(beforeRetry retry: Int, draw u: Double) -> Nanoseconds {
    let base: Nanoseconds =
      switch backoff {
      case .none: .zero
      case .fixed(let time): time
      case .linear(let base): base.scaled(by: Double(retry))
      case .exponential(let base, let factor): base.scaled(by: Self.power(factor, retry - 1))
      }
    let capped = min(base, cap)
    switch jitter {
    case .none: return capped
    case .full: return capped.scaled(by: u)
    case .equal: return capped.scaled(by: 0.5 + u / 2)
    }
  }

  /// `base` to a whole power, by squaring: the same digits on every machine.
  private static func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}

extension RetryPolicy {
  /// The scheduler's only chance: a uniform number in 0..<1 for one retry of one job, the same whatever else happens.
  ///
  /// Source of the mixing function: S. Vigna's SplitMix64, after Steele, Lea and Flood, *Fast Splittable Pseudorandom
  /// Number Generators*, 2014.
  package static func draw(seed: UInt64, tag: UInt64, retry: Int) -> Double {
    var state = seed
    for word in [tag, UInt64(retry)] { state = splitMix(state ^ word) }
    return Double(state >> 11) * 0x1p-53
  }
}

private func splitMix(_ value: UInt64) -> UInt64 {
  var z = value &+ 0x9e37_79b9_7f4a_7c15
  z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
  z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
  return z ^ (z >> 31)
}
