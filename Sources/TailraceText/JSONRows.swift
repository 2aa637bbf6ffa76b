import TailraceSpelling

/// The objects of a text, one after another, on lines of their own, in one list, or in a list that a single object
/// around them has: of each, the values at some paths.
///
/// A value is kept as it is written: `false`, `1.0` and `"x"` are the texts false, 1.0 and x. A path names keys of
/// objects in objects, and places in lists from 0, with dots between: `data.time`, `items.0.id`.
package struct JSONRows {
  private let bytes: [UInt8]
  /// Where the objects end.
  private var end: Int
  private let wanted: [[UInt8]]
  private var place = 0
  private var lines = 1
  private var isInList = false
  /// Where the object read last begins.
  package private(set) var line = 0
  /// The values of the object read last, by the wanted paths; empty: it has none there, or `null`.
  package private(set) var row: TextRow
  private var path: [UInt8] = []
  private var depth = 0
  private var found: [Bool]
  /// Paths of the first object's values, up to 40.
  private var known: [String] = []
  private var isFirst = true
  /// The longest list of objects that the first object has itself.
  private var objects = 0..<0

  package init(_ bytes: [UInt8], wanted: [String]) {
    self.bytes = bytes
    end = bytes.count
    self.wanted = wanted.map { Array($0.utf8) }
    row = TextRow(bytes)
    found = Array(repeating: false, count: wanted.count)
    skipBlanks()
    if peek == UInt8(ascii: "[") {
      isInList = true
      place += 1
    } else {
      unwrap()
    }
  }

  /// Goes on to the list within a text that is one object, such as Kubernetes' `{"kind": "List", "items": […]}`, unless
  /// the object itself has what is wanted.
  private mutating func unwrap() {
    var probe = self
    guard (try? probe.next()) == true, !probe.found.contains(true), !probe.objects.isEmpty else { return }
    probe.skipBlanks()
    guard probe.peek == nil else { return }
    lines += bytes[place..<probe.objects.lowerBound].count { $0 == 0x0a }
    place = probe.objects.lowerBound + 1
    isInList = true
    end = probe.objects.upperBound
  }

  /// The wanted paths that no object had, and the paths of the first object.
  package var absent: (names: [String], known: [String]) {
    (wanted.indices.filter { !found[$0] }.map { String(decoding: wanted[$0], as: UTF8.self) }, known)
  }

  private var peek: UInt8? { place < end ? bytes[place] : nil }

  /// Reads the next object. Returns whether there was one.
  ///
  /// - Throws: ``TextProblem`` for what is no object; the next one is sought from the line after.
  package mutating func next() throws(TextProblem) -> Bool {
    skipBlanks()
    while isInList, peek == UInt8(ascii: ",") || peek == UInt8(ascii: "]") {
      place += 1
      skipBlanks()
    }
    guard peek != nil else { return false }
    line = lines
    row.clear()
    row.fields = Array(repeating: TextRow.Field(start: 0, count: 0), count: wanted.count)
    path.removeAll(keepingCapacity: true)
    depth = 0
    do throws(TextProblem) {
      guard peek == UInt8(ascii: "{") else {
        throw TextProblem(line: lines, message: "not a JSON object; write one object a line")
      }
      try readObject()
      isFirst = false
    } catch {
      while let byte = peek, byte != UInt8(ascii: "\n") { place += 1 }
      throw error
    }
    return true
  }

  private mutating func skipBlanks() {
    while let byte = peek {
      if byte == UInt8(ascii: "\n") { lines += 1 } else if !TextLines.isBlank(byte) { return }
      place += 1
    }
  }

  private func problem(_ expected: String) -> TextProblem {
    let rest = VisibleText.quoted(
      bytes: bytes[min(place, bytes.count)...].prefix(80).prefix { $0 != 0x0a }, length: 20)
    let found = rest.isEmpty ? "the line ends" : "'\(rest)' stands"
    return TextProblem(line: lines, message: "not a JSON object: \(found) where \(expected) is due")
  }

  private mutating func readValue() throws(TextProblem) {
    skipBlanks()
    switch peek {
    case UInt8(ascii: "{"): try nested { (rows) throws(TextProblem) in try rows.readObject() }
    case UInt8(ascii: "["):
      let start = place
      try nested { (rows) throws(TextProblem) in try rows.readList() }
      guard depth == 0, isFirst, place - start > objects.count else { break }
      if bytes[(start + 1)..<place].first(where: { !TextLines.isBlank($0) && $0 != 0x0a }) == UInt8(ascii: "{") {
        objects = start..<place
      }
    case UInt8(ascii: "\""):
      let field = try readString()
      keep(field)
    default:
      let start = place
      while let byte = peek, !TextLines.isBlank(byte), !",]}\n".utf8.contains(byte) { place += 1 }
      let word = bytes[start..<place]
      if word.elementsEqual("null".utf8) { return keep(TextRow.Field(start: start, count: 0)) }
      let isWord = word.elementsEqual("true".utf8) || word.elementsEqual("false".utf8)
      guard isWord || word.elementsEqual("NaN".utf8) || NumberText.isNumber(word) else {
        place = start
        throw problem("a value")
      }
      keep(TextRow.Field(start: start, count: word.count))
    }
  }

  /// No stack is deep enough for every text.
  private mutating func nested(_ read: (inout JSONRows) throws(TextProblem) -> Void) throws(TextProblem) {
    depth += 1
    guard depth < 100 else {
      throw TextProblem(line: lines, message: "objects and lists are nested more than 100 deep; flatten them")
    }
    try read(&self)
    depth -= 1
  }

  private mutating func keep(_ field: TextRow.Field) {
    for (index, name) in wanted.enumerated() where name == path {
      row.fields[index] = field
      found[index] = true
    }
    if isFirst, known.count < 40 { known.append(String(decoding: path, as: UTF8.self)) }
  }

  /// Reads what is at a step of the path.
  private mutating func step(_ name: some Sequence<UInt8>) throws(TextProblem) {
    let length = path.count
    if length > 0 { path.append(UInt8(ascii: ".")) }
    path.append(contentsOf: name)
    try readValue()
    path.removeSubrange(length...)
  }

  private mutating func readObject() throws(TextProblem) {
    place += 1
    skipBlanks()
    if peek == UInt8(ascii: "}") {
      place += 1
      return
    }
    while true {
      skipBlanks()
      guard peek == UInt8(ascii: "\"") else { throw problem("a key in quotes") }
      let own = row.own.count
      let key = try readString()
      let name = Array((key.isOwn ? row.own : bytes)[key.start..<key.start + key.count])
      row.own.removeSubrange(own...)
      skipBlanks()
      guard peek == UInt8(ascii: ":") else { throw problem("':'") }
      place += 1
      try step(name)
      skipBlanks()
      guard let byte = peek, byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") else { throw problem("',' or '}'") }
      place += 1
      if byte == UInt8(ascii: "}") { return }
    }
  }

  private mutating func readList() throws(TextProblem) {
    place += 1
    skipBlanks()
    if peek == UInt8(ascii: "]") {
      place += 1
      return
    }
    var index = 0
    while true {
      try step(String(index).utf8)
      index += 1
      skipBlanks()
      guard let byte = peek, byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") else { throw problem("',' or ']'") }
      place += 1
      if byte == UInt8(ascii: "]") { return }
    }
  }

  private mutating func readString() throws(TextProblem) -> TextRow.Field {
    place += 1
    let start = place
    while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte != 0x0a { place += 1 }
    if peek == UInt8(ascii: "\"") {
      place += 1
      return TextRow.Field(start: start, count: place - 1 - start)
    }
    let own = row.own.count
    row.own.append(contentsOf: bytes[start..<place])
    while let byte = peek, byte != UInt8(ascii: "\""), byte != 0x0a {
      place += 1
      if byte == UInt8(ascii: "\\") { try readEscape() } else { row.own.append(byte) }
    }
    guard peek == UInt8(ascii: "\"") else { throw problem("the quote that ends a text") }
    place += 1
    return TextRow.Field(start: own, count: row.own.count - own, isOwn: true)
  }

  private mutating func readEscape() throws(TextProblem) {
    guard let byte = peek else { throw problem("an escaped character") }
    place += 1
    switch byte {
    case UInt8(ascii: "n"): row.own.append(0x0a)
    case UInt8(ascii: "t"): row.own.append(0x09)
    case UInt8(ascii: "r"): row.own.append(0x0d)
    case UInt8(ascii: "b"): row.own.append(0x08)
    case UInt8(ascii: "f"): row.own.append(0x0c)
    case UInt8(ascii: "u"):
      var scalar = try readHex()
      if (0xd800..<0xdc00).contains(scalar), bytes[place...].starts(with: "\\u".utf8) {
        place += 2
        scalar = 0x10000 + (scalar - 0xd800) << 10 + (try readHex() &- 0xdc00) & 0x3ff
      }
      row.own.append(contentsOf: String(Character(Unicode.Scalar(scalar) ?? "\u{fffd}")).utf8)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): row.own.append(byte)
    default:
      place -= 2
      throw problem("one of \\\" \\\\ \\/ \\n \\t \\r \\b \\f \\u")
    }
  }

  private mutating func readHex() throws(TextProblem) -> UInt32 {
    let digits = String(decoding: bytes[place...].prefix(4), as: UTF8.self)
    guard digits.utf8.count == 4, let value = UInt32(digits, radix: 16) else {
      throw problem("four hexadecimal digits")
    }
    place += 4
    return value
  }
}
