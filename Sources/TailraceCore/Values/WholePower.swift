extension Double {
  /// This number raised to a whole power by squaring; the result has the same digits on every machine.
  package func raised(to exponent: UInt64) -> Double {
    var (result, square, rest) = (1.0, self, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}
