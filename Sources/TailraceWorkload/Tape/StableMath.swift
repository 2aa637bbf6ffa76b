/// Elementary functions with bit-identical results on every machine.
///
/// The last digits of a C library's `log` and `exp` differ between versions, and between machines with and without
/// fused multiply-add. Tapes must not differ. These functions use only the basic operations of IEEE 754, each rounded
/// once, in a fixed order; their error is below one unit in the last place.
///
/// Source: the algorithms and coefficients of fdlibm 5.3 (`e_log.c`, `e_exp.c`), whose notice reads: Copyright (C) 1993
/// by Sun Microsystems, Inc. All rights reserved. Developed at SunPro, a Sun Microsystems, Inc. business. Permission to
/// use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
enum StableMath {
  private static let ln2High = 6.93147180369123816490e-01
  private static let ln2Low = 1.90821492927058770002e-10

  /// The natural logarithm of a positive, finite, normal number.
  @inline(__always)
  static func log(_ x: Double) -> Double {
    // x = 2^k · (1 + f) with √2/2 < 1 + f < √2.
    let bits = x.bitPattern
    let fraction = bits & 0x000f_ffff_ffff_ffff
    // 1 if the fraction is above √2.
    let half = (fraction &+ 0x0009_5f64_0000_0000) & 0x0010_0000_0000_0000
    let significand = Double(bitPattern: fraction | (half ^ 0x3ff0_0000_0000_0000))
    let k = Double(Int64(bits >> 52) - 1023 + Int64(half >> 52))
    let f = significand - 1
    let s = f / (2 + f)
    let z = s * s
    let w = z * z
    let even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    let odd =
      z
      * (6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)))
    let half2 = 0.5 * f * f
    return k * ln2High - ((half2 - (s * (half2 + (even + odd)) + k * ln2Low)) - f)
  }

  /// e to the power of x; 0 below −700, the largest finite number from 700 on.
  static func exp(_ x: Double) -> Double {
    guard x > -700 else { return 0 }
    guard x < 700 else { return .greatestFiniteMagnitude }
    // x = k · ln 2 + r with |r| ≤ ln 2 / 2.
    let k = (x * 1.44269504088896338700e+00 + (x < 0 ? -0.5 : 0.5)).rounded(.towardZero)
    let high = x - k * ln2High
    let low = k * ln2Low
    let r = high - low
    let t = r * r
    let c =
      r - t
      * (1.66666666666666019037e-01
        + t
        * (-2.77777777770155933842e-03
          + t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))))
    let y = 1 - ((low - (r * c) / (2 - c)) - high)
    return y * Double(sign: .plus, exponent: Int(k), significand: 1)
  }

  /// A positive number to any power.
  static func pow(_ base: Double, _ exponent: Double) -> Double { exp(exponent * log(base)) }
}
