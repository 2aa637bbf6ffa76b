extension Double {
  /// The square root of a number from 1 to 2⁵³, to within two units of its last place, the same on every machine.
  ///
  /// By Newton's method, and not `squareRoot()`: for that the compiler may call the C library's mathematics, which
  /// programs without Foundation do not link.
  var approximateSquareRoot: Double {
    // Half the exponent is a guess within 7 %; each step doubles the digits.
    var root = Double(bitPattern: (bitPattern >> 1) + 0x1ff8_0000_0000_0000)
    for _ in 0..<5 { root = 0.5 * (root + self / root) }
    return root
  }
}
