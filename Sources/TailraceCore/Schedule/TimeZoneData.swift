extension TimeZoneOffsets {
  /// Creates a zone from the contents of a time zone file (TZif, as in `/usr/share/zoneinfo`): its table, followed by
  /// its footer rule up to 2262. Returns nil if the bytes are not such a file.
  ///
  /// Ignores leap seconds, abbreviations and the standard/UT indicators. Source: RFC 9636.
  package init?(name: String, data: [UInt8]) {
    var reader = DataReader(bytes: data)
    guard var header = reader.header() else { return nil }
    var size = 4
    if header.version >= 2 {
      // The first block is for 32-bit readers; the second contains the same data and more.
      guard reader.skip(header.length(size)), let second = reader.header() else { return nil }
      (header, size) = (second, 8)
    }
    guard header.types > 0, header.types <= 256, header.transitions <= 100_000,
      let times = reader.numbers(header.transitions, size: size),
      let indices = reader.numbers(header.transitions, size: 1)
    else { return nil }
    var offsets: [Int] = []
    for _ in 0..<header.types {
      guard let offset = reader.number(4), abs(offset) <= Self.furthest, reader.skip(2) else { return nil }
      offsets.append(Int(offset))
    }
    guard indices.allSatisfy({ (0..<Int64(offsets.count)).contains($0) }),
      zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }),
      times.allSatisfy({ (-(1 << 59)...(1 << 59)).contains($0) }),
      reader.skip(header.rest(size))
    else { return nil }
    var table = zip(times, indices).map { (at: $0, offset: offsets[Int($1)]) }
    guard let footer = size == 8 ? reader.footer() : "" else { return nil }
    if !footer.isEmpty {
      guard let rule = TimeZoneRule(footer) else { return nil }
      let last = times.last ?? .min
      let year = last == .min ? 1970 : CivilDate(daysSinceEpoch: flooredDivision(last, 86_400).quotient).year
      let later = rule.transitions(in: max(1970, year)...max(year, Self.lastYear)).filter { $0.at > last }
      if later.isEmpty, times.isEmpty { offsets[0] = rule.standard }
      table += later
    }
    self.init(name: name, first: Int32(offsets[0]), later: table.map { ($0.at, Int32($0.offset)) })
  }
}

/// Reads numbers, most significant byte first.
private struct DataReader {
  struct Header {
    var version: Int
    var marks: (utc: Int, standard: Int)
    var leaps: Int
    var transitions: Int
    var types: Int
    var characters: Int

    /// The size of the following block in bytes, given the size of its times.
    func length(_ size: Int) -> Int { transitions * (size + 1) + types * 6 + rest(size) }
    /// The size of the data after the types.
    func rest(_ size: Int) -> Int { characters + leaps * (size + 4) + marks.standard + marks.utc }
  }

  let bytes: [UInt8]
  var place = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func skip(_ count: Int) -> Bool {
    guard count <= bytes.count - place else { return false }
    place += count
    return true
  }

  /// A big-endian number of `size` bytes: unsigned if a single byte, otherwise signed.
  mutating func number(_ size: Int) -> Int64? {
    guard size <= bytes.count - place else { return nil }
    var value: UInt64 = size > 1 && bytes[place] >= 0x80 ? ~0 : 0
    for byte in bytes[place..<(place + size)] { value = value << 8 | UInt64(byte) }
    place += size
    return Int64(bitPattern: value)
  }

  mutating func numbers(_ count: Int, size: Int) -> [Int64]? {
    guard count * size <= bytes.count - place else { return nil }
    return (0..<count).compactMap { _ in number(size) }
  }

  mutating func header() -> Header? {
    guard bytes.count - place >= 44, bytes[place..<(place + 4)].elementsEqual(Array("TZif".utf8)) else { return nil }
    let version = bytes[place + 4]
    place += 20
    guard let counts = numbers(6, size: 4), counts.allSatisfy({ (0...1_000_000).contains($0) }) else { return nil }
    return Header(
      version: version == 0 ? 1 : Int(version) - Int(UInt8(ascii: "0")), marks: (Int(counts[0]), Int(counts[1])),
      leaps: Int(counts[2]), transitions: Int(counts[3]), types: Int(counts[4]), characters: Int(counts[5]))
  }

  /// The text between the two newlines at the end.
  mutating func footer() -> String? {
    let lines = bytes[place...]
    guard lines.first == UInt8(ascii: "\n"), let end = lines.dropFirst().firstIndex(of: UInt8(ascii: "\n")) else {
      return nil
    }
    return String(decoding: lines[(place + 1)..<end], as: UTF8.self)
  }
}
