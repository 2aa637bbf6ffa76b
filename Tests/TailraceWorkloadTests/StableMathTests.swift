// Goal: the project's own logarithm and exponential are those of the C library, to the last digit or the one before.

import Foundation
import Testing

@testable import TailraceWorkload

struct StableMathTests {
  /// Units in the last place between two numbers of one sign.
  private func distance(_ a: Double, _ b: Double) -> Int64 {
    abs(Int64(bitPattern: a.bitPattern) - Int64(bitPattern: b.bitPattern))
  }

  @Test func theLogarithmOfEveryDraw() {
    var random = KeyedRandom(seed: 5)
    var furthest: Int64 = 0
    for number in 0..<100_000 {
      random = random.key(UInt64(number))
      let u = random.uniform
      furthest = max(furthest, distance(StableMath.log(u), Foundation.log(u)))
      let wide = Foundation.exp(u * 1_400 - 700)
      furthest = max(furthest, distance(StableMath.log(wide), Foundation.log(wide)))
    }
    #expect(furthest <= 1)
    #expect(StableMath.log(1) == 0)
    #expect(distance(StableMath.log(0x1p-54), -54 * Foundation.log(2)) <= 1)
  }

  @Test func theExponential() {
    var furthest: Int64 = 0
    for step in -7_000...7_000 {
      let x = Double(step) / 10 + 0.0371
      guard abs(x) < 700 else { continue }
      furthest = max(furthest, distance(StableMath.exp(x), Foundation.exp(x)))
    }
    #expect(furthest <= 1)
    #expect(StableMath.exp(0) == 1 && StableMath.exp(-800) == 0 && StableMath.exp(800) == .greatestFiniteMagnitude)
  }

  @Test func powers() {
    for (base, exponent) in [(2.0, 10.0), (0.3, 1.7), (1e6, -0.66), (17, 0.5)] {
      let exact = Foundation.pow(base, exponent)
      #expect(abs(StableMath.pow(base, exponent) - exact) <= exact * 1e-14)
    }
  }

  /// What a machine with other instructions must compute too.
  @Test func bitsThatNeverChange() {
    var sum: UInt64 = 0
    for step in 1...10_000 {
      let x = Double(step) / 10_007
      sum = sum &* 31 &+ StableMath.log(x).bitPattern &+ StableMath.exp(x * 20 - 10).bitPattern
    }
    #expect(sum == 3_930_986_300_945_263_317)
  }
}
