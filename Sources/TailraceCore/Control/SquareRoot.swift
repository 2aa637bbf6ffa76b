extension Double {
  /// The square root of a number from 1 to 2⁵³, to within two units of its last place, the same on every machine.
  ///
  /// Uses Newton's method instead of `squareRoot()`, which the compiler may lower to a call into libm; programs without
  /// Foundation do not link libm.
  var approximateSquareRoot: Double {
    // Halving the exponent gives a guess within 7 %; each step doubles the correct digits.
    var root = Double(bitPattern: (bitPattern >> 1) + 0x1ff8_0000_0000_0000)
    for _ in 0..<5 { root = 0.5 * (root + self / root) }
    return root
  }
}
