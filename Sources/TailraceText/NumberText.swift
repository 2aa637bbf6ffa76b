/// What texts that stand for numbers look like, before anything converts them.
package enum NumberText {
  /// Whether a text looks like a number, of whatever size: digits with a sign, a fraction or an exponent, or `nan` and
  /// `inf`.
  package static func isNumber(_ bytes: some Collection<UInt8>) -> Bool {
    var (digits, hasPoint, hasPower, sinceSign) = (0, false, false, true)
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
      case UInt8(ascii: "-"), UInt8(ascii: "+"):
        guard sinceSign else { return false }
      case UInt8(ascii: "."):
        if hasPoint || hasPower { return false }
        hasPoint = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        if hasPower || digits == 0 { return false }
        (hasPower, digits, sinceSign) = (true, 0, true)
        continue
      default:
        let word = bytes.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }.map { $0 | 0x20 }
        return bytes.count <= 9 && ["nan", "inf", "infinity"].contains { word.elementsEqual($0.utf8) }
      }
      sinceSign = false
    }
    return digits > 0
  }

  /// Whether a text that looks like a number is one above zero.
  package static func isPositive(_ bytes: some Collection<UInt8>) -> Bool {
    guard bytes.first != UInt8(ascii: "-") else { return false }
    let digits = bytes.prefix { $0 | 0x20 != UInt8(ascii: "e") }
    return digits.contains { (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) }
  }
}
