extension Backoff {
  /// The wait before retry `retry` (first: 1), before cap and jitter.
  package func wait(beforeRetry retry: Int) -> Nanoseconds {
    switch rule {
    case .none: .zero
    case .fixed(let time): time
    case .linear(let base): base.scaled(by: Double(retry))
    case .exponential(let base, let factor): base.scaled(by: factor.raised(to: UInt64(max(0, retry - 1))))
    case .polynomial(let base, let power): base.scaled(by: Double(retry).raised(to: UInt64(max(0, power))))
    }
  }
}

extension RetryPolicy {
  /// How long a job waits before retry `retry` (first: 1).
  ///
  /// The draws depend only on the seed, the number and the retry, so they are the same whatever else happens.
  package func wait(beforeRetry retry: Int, seed: UInt64, number: UInt64) -> Nanoseconds {
    let capped = min(backoff.wait(beforeRetry: retry), longestWait)
    switch jitter {
    case .none: return capped
    case .full: return capped.scaled(by: Self.draw(seed: seed, number: number, retry: retry))
    case .equal: return capped.scaled(by: 0.5 + Self.draw(seed: seed, number: number, retry: retry) / 2)
    case .decorrelated: return decorrelated(retry, seed: seed, number: number)
    }
  }

  /// Each wait depends on the previous one, so the chain is recomputed. The last 64 links suffice: earlier ones no
  /// longer influence the result.
  private func decorrelated(_ retry: Int, seed: UInt64, number: UInt64) -> Nanoseconds {
    let least = min(backoff.wait(beforeRetry: 1), longestWait)
    var wait = least
    for link in max(1, retry - 63)...max(1, retry) {
      let most = max(least, wait.scaled(by: 3))
      let above = (most - least).scaled(by: Self.draw(seed: seed, number: number, retry: link))
      wait = min(longestWait, least + above)
    }
    return wait
  }

  /// Whether another attempt may follow one with this outcome.
  ///
  /// - Parameters:
  ///   - attempt: the number of the one that ended, from 1.
  ///   - crashes: how many of the job's attempts have crashed, this one included.
  @inline(__always)
  package func allowsRetry(after attempt: Int, crashes: Int) -> Bool {
    attempt <= limit && (crashLimit == nil || crashes < crashLimit!)
  }
}

extension RetryPolicy {
  /// A uniform number in 0..<1 for one retry of one job.
  ///
  /// Source of the mixing function: S. Vigna's SplitMix64, after Steele, Lea and Flood, *Fast Splittable Pseudorandom
  /// Number Generators*, 2014.
  private static func draw(seed: UInt64, number: UInt64, retry: Int) -> Double {
    var state = seed
    for word in [number, UInt64(retry)] { state = splitMix(state ^ word) }
    return Double(state >> 11) * 0x1p-53
  }
}

private func splitMix(_ value: UInt64) -> UInt64 {
  var z = value &+ 0x9e37_79b9_7f4a_7c15
  z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
  z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
  return z ^ (z >> 31)
}
