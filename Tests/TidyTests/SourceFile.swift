import Foundation

/// A Swift file of the repository, split into what the compiler sees and what only people read.
struct SourceFile {
  /// From the repository's root: `Sources/TailraceCore/Values/Time.swift`.
  let path: String
  /// Its lines as they are.
  let lines: [String]
  /// Its lines without comments and without what is inside string literals, as many as ``lines``.
  let code: [String]

  init(path: String, text: String) {
    self.path = path
    // A final line break ends the last line; it does not begin another.
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).dropLast(
      text.hasSuffix("\n") ? 1 : 0)
    code = Self.withoutCommentsAndStrings(text).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
  }

  /// The module or test target that the file belongs to.
  var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// The modules it imports, whatever the attributes and access level of the import.
  var imports: [String] {
    code.compactMap { line in
      guard line.contains("import "),
        let match = line.firstMatch(
          of:
            /^\s*(?:@\w+(?:\([^)]*\))?\s+|public\s+|package\s+|internal\s+|private\s+)*import\s+(?:(?:struct|class|enum|protocol|func|typealias|let|var)\s+)?(\w+)/
        )
      else { return nil }
      return String(match.1)
    }
  }

  /// Functions, initializers and the like: where each begins and how many lines it spans, brace to brace. Approximate:
  /// it reads layout, not grammar.
  var functions: [(line: Int, length: Int)] {
    var found: [(line: Int, length: Int)] = []
    let words = ["func ", "init", "subscript"]
    for (index, line) in code.enumerated()
    where words.contains(where: line.contains) && line.contains(/\b(func\s+\S+|init[?!]?\s*[(<]|subscript\s*[(<])/) {
      // Calls of an initializer are not declarations of one.
      guard !line.contains(/[.=(]\s*init\b/) else { continue }
      if let end = endOfBody(from: index) { found.append((index + 1, end - index + 1)) }
    }
    return found
  }

  /// The line of the brace that closes the first one opened at or after `start`; nil when a declaration without a body
  /// comes first.
  private func endOfBody(from start: Int) -> Int? {
    var braces = 0
    var parentheses = 0
    var isOpen = false
    for index in start..<code.count {
      for character in code[index] {
        switch character {
        case "(": parentheses += 1
        case ")": parentheses -= 1
        case "{":
          braces += 1
          if parentheses == 0 { isOpen = true }
        case "}":
          braces -= 1
          if braces < 0 { return nil }
          if isOpen && braces == 0 { return index }
        default: break
        }
      }
      let next = index + 1 < code.count ? code[index + 1].trimmingCharacters(in: .whitespaces) : ""
      // A requirement of a protocol: its line is complete and no body follows.
      if !isOpen && parentheses == 0 && !next.hasPrefix("{") && !next.hasPrefix("where") && !next.hasPrefix("->")
        && !code[index].trimmingCharacters(in: .whitespaces).hasSuffix("->")
      {
        return nil
      }
    }
    return nil
  }

  /// Replaces comments and the insides of string literals by nothing, and keeps every line break.
  ///
  /// It looks at bytes, since all that it looks for is ASCII: characters would take ten times as long.
  static func withoutCommentsAndStrings(_ text: String) -> String {
    let bytes = Array(text.utf8)
    let quote = UInt8(ascii: "\"")
    var kept: [UInt8] = []
    kept.reserveCapacity(bytes.count)
    var index = 0
    func begins(_ word: StaticString, at start: Int) -> Bool {
      guard start + word.utf8CodeUnitCount <= bytes.count else { return false }
      return (0..<word.utf8CodeUnitCount).allSatisfy { bytes[start + $0] == word.utf8Start[$0] }
    }
    /// The first place from `start` on where a word begins, or the end; past the word, if asked for.
    func place(of word: StaticString, from start: Int, past: Bool) -> Int {
      var place = start
      while place < bytes.count {
        if begins(word, at: place) { return past ? place + word.utf8CodeUnitCount : place }
        place += 1
      }
      return bytes.count
    }
    func skip(upTo end: Int) {
      while index < end {
        if bytes[index] == UInt8(ascii: "\n") { kept.append(bytes[index]) }
        index += 1
      }
    }
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "/"), begins("//", at: index) {
        skip(upTo: place(of: "\n", from: index, past: false))
      } else if byte == UInt8(ascii: "/"), begins("/*", at: index) {
        skip(upTo: place(of: "*/", from: index, past: true))
      } else if byte == quote {
        skip(
          upTo: begins("\"\"\"", at: index)
            ? place(of: "\"\"\"", from: index + 3, past: true)
            : endOfLiteral(bytes, from: index))
        kept += [quote, quote]
      } else {
        kept.append(byte)
        index += 1
      }
    }
    return String(decoding: kept, as: UTF8.self)
  }

  /// Past the closing quote of the literal that begins at `start`; interpolations may hold literals of their own.
  private static func endOfLiteral(_ bytes: [UInt8], from start: Int) -> Int {
    var index = start + 1
    var depth = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\n"): return index
      case UInt8(ascii: "\\"):
        if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "(") { depth += 1 }
        index += 1
      case UInt8(ascii: "(") where depth > 0: depth += 1
      case UInt8(ascii: ")") where depth > 0: depth -= 1
      case UInt8(ascii: "\""):
        if depth == 0 { return index + 1 }
        index = endOfLiteral(bytes, from: index) - 1
      default: break
      }
      index += 1
    }
    return min(index, bytes.count)
  }
}

/// The repository that this test was compiled in.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The files below `folder` whose names end in one of `endings`, by path, in alphabetical order.
  static func files(in folder: String, endings: [String]) -> [(path: String, text: String)] {
    let top = root.appendingPathComponent(folder)
    var found: [String] = []
    let walk = FileManager.default.enumerator(atPath: top.path)
    while let relative = walk?.nextObject() as? String {
      // What was built is not looked at; there is much of it.
      if relative.split(separator: "/").last?.first == "." { walk?.skipDescendants() } else { found.append(relative) }
    }
    return found.sorted().compactMap { relative in
      guard endings.contains(where: relative.hasSuffix),
        let text = try? String(contentsOf: top.appendingPathComponent(relative), encoding: .utf8)
      else { return nil }
      return (folder + "/" + relative, text)
    }
  }

  static func sources(in folder: String) -> [SourceFile] {
    files(in: folder, endings: [".swift"]).map { SourceFile(path: $0.path, text: $0.text) }
  }
}
