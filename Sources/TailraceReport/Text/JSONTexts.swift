/// Replaces the strings in a JSON document, as bytes, without other changes.
enum JSONTexts {
  private static let quote = UInt8(ascii: "\"")
  private static let backslash = UInt8(ascii: "\\")

  /// Returns the document with each string replaced. The input must be valid JSON.
  static func rewritten(_ json: [UInt8], _ rewrite: (String) -> String) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(json.count)
    var place = 0
    while place < json.count {
      let byte = json[place]
      result.append(byte)
      place += 1
      guard byte == quote else { continue }
      let start = place
      while place < json.count, json[place] != quote { place += json[place] == backslash ? 2 : 1 }
      place = min(place, json.count)
      let text = json[start..<place]
      if text.allSatisfy({ isPlain[Int($0)] }) {
        result += text
      } else {
        append(rewrite(unescaped(text)), to: &result)
      }
      if place < json.count { result.append(quote) }
      place += 1
    }
    return result
  }

  /// Bytes that never need escaping; most strings contain only these.
  private static let isPlain: [Bool] = (0..<256).map { byte in
    let scalar = Unicode.Scalar(UInt8(byte))
    return scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
      || " ,-=()/%+;{}".unicodeScalars.contains(scalar)
  }

  private static func append(_ text: String, to result: inout [UInt8]) {
    for byte in text.utf8 {
      if byte == quote || byte == backslash { result.append(backslash) }
      if byte >= 0x20 {
        result.append(byte)
      } else {
        result += Array("\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
      }
    }
  }

  private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
    guard bytes.contains(backslash) else { return String(decoding: bytes, as: UTF8.self) }
    var units: [UInt16] = []
    var rest = bytes
    while let byte = rest.first {
      if byte != backslash {
        let plain = rest.prefix { $0 != backslash }
        units += Array(String(decoding: plain, as: UTF8.self).utf16)
        rest = rest.dropFirst(plain.count)
        continue
      }
      let escape = rest.dropFirst().first ?? backslash
      rest = rest.dropFirst(2)
      switch escape {
      case UInt8(ascii: "n"): units.append(0x0a)
      case UInt8(ascii: "r"): units.append(0x0d)
      case UInt8(ascii: "t"): units.append(0x09)
      case UInt8(ascii: "b"): units.append(0x08)
      case UInt8(ascii: "f"): units.append(0x0c)
      case UInt8(ascii: "u"):
        units.append(UInt16(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16) ?? 0xfffd)
        rest = rest.dropFirst(4)
      default: units.append(UInt16(escape))
      }
    }
    return String(decoding: units, as: UTF16.self)
  }
}
