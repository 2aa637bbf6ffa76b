import CZlib
import Foundation
import TailraceCore

/// The bytes of a trace file, unpacked where they are gzipped.
enum TraceText {
  /// Unpacked bytes read at most: a bound against files that unpack without end.
  private static let limit = 8 << 30

  static func read(_ path: String) throws(TraceProblem) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw TraceProblem(line: 0, message: "the file cannot be read; name a readable trace file")
    }
    let bytes = [UInt8](data)
    guard bytes.starts(with: [0x1f, 0x8b]) else { return bytes }
    return try unpack(bytes)
  }

  /// Unpacks all members of a gzip file.
  private static func unpack(_ packed: [UInt8]) throws(TraceProblem) -> [UInt8] {
    var output: [UInt8] = []
    var problem: TraceProblem?
    packed.withUnsafeBufferPointer { input in
      var stream = z_stream()
      guard czlib_inflate_init_gzip(&stream) == Z_OK else {
        problem = TraceProblem(line: 0, message: "cannot begin to unpack the file; free some memory")
        return
      }
      defer { inflateEnd(&stream) }
      stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress!)
      stream.avail_in = UInt32(input.count)
      let piece = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 << 18)
      defer { piece.deallocate() }
      while problem == nil {
        stream.next_out = piece
        stream.avail_out = 1 << 18
        let status = inflate(&stream, Z_NO_FLUSH)
        output.append(contentsOf: UnsafeBufferPointer(start: piece, count: 1 << 18 - Int(stream.avail_out)))
        if output.count > limit {
          problem = TraceProblem(line: 0, message: "the file unpacks to more than 8 GiB; split it")
        }
        if status == Z_STREAM_END {
          // Another member may follow.
          guard stream.avail_in > 0 else { return }
          inflateReset(&stream)
        } else if status != Z_OK {
          let line = output.count { $0 == UInt8(ascii: "\n") } + 1
          let isCut = status == Z_BUF_ERROR || stream.avail_in == 0
          problem = TraceProblem(
            line: line,
            message: isCut
              ? "the gzipped file ends here, in the middle of its data; it was cut off, so get it again"
              : "the gzipped data is damaged here; get the file again")
        }
      }
    }
    if let problem { throw problem }
    return output
  }

  /// A length of time or an instant as nanoseconds, exact to the last digit: no binary fraction comes between.
  ///
  /// - Returns: nil when it is no decimal number, or out of range.
  static func decimal(_ text: some StringProtocol, _ unit: TraceUnit) -> Int64? {
    let (digits, factor) = unit.scale
    var bytes = Array(text.utf8)[...]
    if let exponent = bytes.firstIndex(where: { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }) {
      // Rare: such numbers come from programs that have rounded them already.
      guard exponent > bytes.startIndex, let value = Double(String(text)), value.isFinite else { return nil }
      let scaled = value * pow(10, Double(digits)) * Double(factor)
      return abs(scaled) < 9e18 ? Int64(scaled.rounded()) : nil
    }
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
    var value: Int64 = 0
    var (seen, places, inFraction) = (false, 0, false)
    for byte in bytes {
      if byte == UInt8(ascii: "."), !inFraction {
        inFraction = true
        continue
      }
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      seen = true
      if inFraction {
        if places == digits { continue }
        places += 1
      }
      guard let next = add(digit: byte, to: value) else { return nil }
      value = next
    }
    guard seen else { return nil }
    for _ in places..<digits {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
    }
    let (product, overflow) = value.multipliedReportingOverflow(by: factor)
    return overflow ? nil : isNegative ? -product : product
  }

  private static func add(digit: UInt8, to value: Int64) -> Int64? {
    let (product, overflow) = value.multipliedReportingOverflow(by: 10)
    let (sum, overflowed) = product.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
    return overflow || overflowed ? nil : sum
  }

  /// `YYYY-MM-DD HH:MM:SS[.fraction][Z|±HH:MM]` as nanoseconds since 1970 in UTC; without an offset it is taken as UTC.
  static func datetime(_ text: some StringProtocol) -> Int64? {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int? {
      guard range.upperBound <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[range] {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
      }
      return value
    }
    guard bytes.count >= 19, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      bytes[10] == UInt8(ascii: " ") || bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"),
      bytes[16] == UInt8(ascii: ":"), let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19), year >= 1_900,
      year <= 2_200, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    var rest = bytes[19...]
    var fraction: Int64 = 0
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
      guard !digits.isEmpty, let value = decimal("0." + String(decoding: digits, as: UTF8.self), .seconds) else {
        return nil
      }
      fraction = value
      rest = rest.dropFirst(digits.count)
    }
    guard let offset = offset(rest) else { return nil }
    let seconds = Int64(daysSince1970(year, month, day)) * 86_400 + Int64(hour * 3_600 + minute * 60 + second) - offset
    return seconds * 1_000_000_000 + fraction
  }

  /// Seconds east of UTC.
  private static func offset(_ text: ArraySlice<UInt8>) -> Int64? {
    if text.isEmpty || text.elementsEqual([UInt8(ascii: "Z")]) { return 0 }
    let digits = text.dropFirst().filter { $0 != UInt8(ascii: ":") }
    guard let sign = text.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), digits.count == 4,
      let value = Int64(String(decoding: digits, as: UTF8.self)), value / 100 < 24, value % 100 < 60
    else { return nil }
    let seconds = value / 100 * 3_600 + value % 100 * 60
    return sign == UInt8(ascii: "-") ? -seconds : seconds
  }

  /// Days from 1970-01-01 in the Gregorian calendar. Source: H. Hinnant, *chrono-Compatible Low-Level Date Algorithms*,
  /// `days_from_civil`.
  private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
