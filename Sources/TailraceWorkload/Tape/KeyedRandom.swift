/// Random draws that depend only on their key: any draw can be made at any time, in any order, on any machine.
///
/// A counter-based generator: each part of the key is folded into the state by the finalizer of SplitMix64 (variant 13
/// of D. Stafford's mixers, as in G. Steele, D. Lea, C. Flood: *Fast Splittable Pseudorandom Number Generators*, OOPSLA
/// 2014), after a step by the golden ratio. Not cryptographically secure.
package struct KeyedRandom: Sendable, Hashable {
  /// The purpose of a draw; separates the draws of one job. The numbers are part of every fingerprint: never renumber.
  package enum Purpose: UInt64, Sendable {
    case arrival = 1
    case period = 2
    case type = 3
    case service = 4
    case ending = 5
    case alwaysFails = 6
    case delay = 7
    case cancels = 8
    case cancelAfter = 9
    case cycles = 10
    case cycleFails = 11
    case think = 12
    case closedType = 13
    case simulatedService = 14
    case strike = 15
    case strikeLength = 16
    case victim = 17
    case restart = 18
    case uniqueKey = 19
    case tenant = 20
  }

  private let state: UInt64

  /// Creates a key from a run's seed.
  package init(seed: UInt64) { state = Self.mix(seed &+ Self.golden) }
  @inline(__always) private init(state: UInt64) { self.state = state }

  private static let golden: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// The finalizer of SplitMix64.
  @inline(__always) static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Extends the key by one part.
  @inline(__always) package func key(_ part: UInt64) -> KeyedRandom {
    KeyedRandom(state: Self.mix((state ^ part) &+ Self.golden))
  }

  /// Extends the key by a purpose.
  @inline(__always) package func key(_ purpose: Purpose) -> KeyedRandom { key(purpose.rawValue) }

  /// The 64 bits of this key.
  @inline(__always) package var bits: UInt64 { Self.mix(state &+ Self.golden) }

  /// The number of this key in the open interval (0, 1): a multiple of 2⁻⁵³ plus 2⁻⁵⁴.
  @inline(__always) package var uniform: Double { (Double(bits >> 11) + 0.5) * 0x1p-53 }
}
