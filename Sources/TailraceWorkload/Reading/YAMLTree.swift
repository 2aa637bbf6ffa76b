import TailraceSpelling
import TailraceText
import Yams

/// The position of a piece of a scenario.
enum Place: Hashable {
  case position(line: Int, column: Int)
  /// In the `KEY=VALUE` of a `--set`.
  case override(String)
}

/// A YAML value with its position. The scenario reader walks it, and `--set` edits it.
struct YAMLNode {
  enum Content {
    case scalar(String)
    case mapping([YAMLEntry])
    case sequence([YAMLNode])
  }
  var content: Content
  var place: Place

  /// The kind in words.
  var kindName: String {
    switch content {
    case .scalar(let text): text.isEmpty ? "nothing" : "'\(VisibleText.quoted(text))'"
    case .mapping: "a mapping"
    case .sequence: "a list"
    }
  }
}

/// A `key: value` entry of a mapping.
struct YAMLEntry {
  var key: String
  var keyPlace: Place
  var value: YAMLNode
}

/// Parses a text into a tree, and reports everything that can go wrong with its position.
///
/// Yams rejects a mapping with duplicate keys at the first one, and reports the first of the two keys. So that all
/// duplicates and other problems are reported at once, that key is renamed in the text without changing positions, and
/// the text is parsed again. The tree then contains both keys, and ``ScenarioReader`` reports the second.
struct YAMLTree {
  /// Larger files are rejected.
  static let sizeLimit = ReadLimit.scenario.bytes
  /// Maximum number of reported duplicate keys, because each requires parsing the text again.
  static let duplicateLimit = 20
  /// Deeper nesting is rejected before it can overflow the stack.
  static let depthLimit = 60
  /// More nodes are rejected, because aliases can multiply a small text without bound.
  static let nodeLimit = 100_000

  // Private-use characters, one scalar each, so that columns do not change.
  private static let colon: Unicode.Scalar = "\u{F0001}"
  private static let comma: Unicode.Scalar = "\u{F0002}"
  private static let renamed: Unicode.Scalar = "\u{F0003}"
  private static let firstDuplicate: UInt32 = 0x100000

  /// The lines of the text, with the changes described above.
  private(set) var lines: [[Unicode.Scalar]]
  /// Maximum length of a line with aliases that is searched for keys made of aliases.
  private static let searchedLength = 2_000
  /// The characters replaced by renaming, by index of the renaming.
  private var replaced: [Unicode.Scalar] = []
  private var nodes = 0

  /// Parses a text.
  static func read(_ yaml: String) -> Result<YAMLNode, ScenarioProblems> {
    if yaml.utf8.count > sizeLimit {
      return .failure(problem(0, 0, "the file is larger than 1 MiB; a scenario is a small file"))
    }
    var tree = YAMLTree(yaml)
    if let (line, column) = tree.tooDeep() {
      return .failure(problem(line, column, "nested too deeply; a scenario has at most \(depthLimit) levels"))
    }
    if let problem = tree.complexKey() { return .failure(problem) }
    return tree.compose()
  }

  /// Finds keys made of aliases. Keys are compared with each other, and nested aliases can expand to more values than
  /// can be compared.
  private func complexKey() -> ScenarioProblems? {
    func text(_ line: [Unicode.Scalar]) -> String { String(String.UnicodeScalarView(line)) }
    guard lines.contains(where: { $0.contains("*") && text($0).contains(/(^|[\s\[{,:?-])\*\w/) }) else { return nil }
    for (number, line) in lines.enumerated() where line.contains("?") || line.contains(":") {
      // The search takes quadratic time.
      if line.count > Self.searchedLength, line.contains("*") {
        return Self.problem(
          number + 1, 1, "a line of more than \(Self.searchedLength) characters has a `*`; break it up")
      }
      let text = text(line)
      let isComplex =
        text.contains(/(^[\s-]*|[\[{,]\s*)\?(\s|$)/) || text.contains(/(^|[\s\[{,-])\*[^\s,\[\]{}:]+\s*:(\s|$)/)
        || text.contains(/(^|[\s\[{,:-])\*\w.*[\]}]\s*:(\s|$)/)
      if isComplex {
        let column = (line.firstIndex { $0 != " " } ?? 0) + 1
        return Self.problem(number + 1, column, "a key is an alias or a list; write a plain word")
      }
    }
    return nil
  }

  private init(_ yaml: String) {
    lines = [[]]
    // Lines end with LF or CR LF or, if the text contains no LF, with CR.
    let end: Unicode.Scalar = yaml.unicodeScalars.contains("\n") ? "\n" : "\r"
    for scalar in yaml.unicodeScalars where scalar == end || scalar != "\r" {
      if scalar == end { lines.append([]) } else { lines[lines.count - 1].append(scalar) }
    }
    for index in lines.indices { Self.protectDistributions(in: &lines[index]) }
  }

  /// Allows `exponential(mean: 20ms)` without quotes, whose colons and commas YAML would parse as structure. They are
  /// restored after parsing.
  private static func protectDistributions(in line: inout [Unicode.Scalar]) {
    guard line.contains("(") else { return }
    var open: Int?
    for index in line.indices {
      if line[index] == "(", index > 0, line[index - 1].properties.isAlphabetic { open = index }
      guard let start = open, line[index] == ")" else { continue }
      for inner in start..<index {
        if line[inner] == ":" { line[inner] = colon }
        if line[inner] == "," { line[inner] = comma }
      }
      open = nil
    }
  }

  /// The first position that is nested too deeply. Brackets within strings count too.
  private func tooDeep() -> (line: Int, column: Int)? {
    var depth = 0
    for (number, line) in lines.enumerated() {
      var isLeading = true
      var leading = 0
      for (column, scalar) in line.enumerated() {
        switch scalar {
        case "[", "{": depth += 1
        case "]", "}": depth = max(0, depth - 1)
        case " ", "-", "?", ":", "\t", "!", "&": if isLeading { leading += 1 }
        default: isLeading = false
        }
        if depth > Self.depthLimit || leading > 4 * Self.depthLimit { return (number + 1, column + 1) }
      }
    }
    return nil
  }

  private mutating func compose() -> Result<YAMLNode, ScenarioProblems> {
    while true {
      do {
        guard let root = try Yams.compose(yaml: text, .default, .default, .utf8) else {
          return .failure(Self.problem(1, 1, "the file is empty; a scenario needs at least name, jobs and load"))
        }
        return .success(try convert(root))
      } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
        guard rename(at: context.mark) else {
          let name = duplicates.first.map(restore) ?? ""
          let message: Message = "the key '\(name)' is given twice; give each key once"
          return .failure(Self.problem(context.mark.line, context.mark.column, message))
        }
      } catch let error as YamlError {
        return .failure(describe(error))
      } catch let error as ScenarioProblems {
        return .failure(error)
      } catch {
        return .failure(Self.problem(0, 0, "not readable as YAML; write valid YAML"))
      }
    }
  }

  private var text: String {
    var text = String.UnicodeScalarView()
    for (index, line) in lines.enumerated() {
      if index > 0 { text.append("\n") }
      text.append(contentsOf: line)
    }
    return String(text)
  }

  /// Replaces one character of the key at a position by a unique one.
  private mutating func rename(at mark: Mark) -> Bool {
    let line = mark.line - 1
    guard lines.indices.contains(line), lines[line].indices.contains(mark.column - 1),
      replaced.count < Self.duplicateLimit
    else {
      return false
    }
    var column = mark.column - 1
    if lines[line][column] == "\"" || lines[line][column] == "'" { column += 1 }
    guard lines[line].indices.contains(column), Self.isPlain(lines[line][column]) else { return false }
    guard let substitute = Unicode.Scalar(Self.firstDuplicate + UInt32(replaced.count)) else { return false }
    replaced.append(lines[line][column])
    lines[line][column] = substitute
    return true
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_"
  }

  /// The text as written.
  func restore(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value >= 0xF0000 }) else { return text }
    var original = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let number = Int(scalar.value) - Int(Self.firstDuplicate)
      if scalar == Self.colon {
        original.append(":")
      } else if scalar == Self.comma {
        original.append(",")
      } else if replaced.indices.contains(number) {
        original.append(replaced[number])
      } else {
        original.append(scalar)
      }
    }
    return String(original)
  }

  private mutating func convert(_ node: Node) throws -> YAMLNode {
    nodes += 1
    let place = Self.place(node.mark)
    if nodes > Self.nodeLimit {
      throw Self.problem(node.mark?.line ?? 0, node.mark?.column ?? 0, "too many values; use fewer aliases")
    }
    switch node {
    case .scalar(let scalar):
      // A plain `~` or `null` is an empty value in YAML.
      let isNull = scalar.style == .plain && ["~", "null"].contains(scalar.string)
      return YAMLNode(content: .scalar(isNull ? "" : restore(scalar.string)), place: place)
    case .sequence(let sequence):
      var items: [YAMLNode] = []
      for item in sequence { items.append(try convert(item)) }
      return YAMLNode(content: .sequence(items), place: place)
    case .mapping(let mapping):
      var entries: [YAMLEntry] = []
      var merged: [YAMLEntry] = []
      for (key, value) in mapping {
        if Self.isMerge(key) {
          merged += try self.merged(value)
          continue
        }
        let keyNode = try convert(key)
        let valueNode = try convert(value)
        guard case .scalar(let name) = keyNode.content else {
          throw Self.problem(
            key.mark?.line ?? 0, key.mark?.column ?? 0, "a key is \(keyNode.kindName); write a plain word")
        }
        entries.append(YAMLEntry(key: name, keyPlace: keyNode.place, value: valueNode))
      }
      var names = Set(entries.map(\.key))
      // The mapping's own entries come first, then those of merged mappings in order.
      for entry in merged where names.insert(entry.key).inserted { entries.append(entry) }
      return YAMLNode(content: .mapping(entries), place: place)
    case .alias(let alias):
      throw Self.problem(
        alias.mark?.line ?? 0, alias.mark?.column ?? 0, "an alias refers to nothing; write the value itself")
    }
  }

  /// Whether a key is a plain `<<`: the merge key of YAML 1.1 (https://yaml.org/type/merge.html).
  private static func isMerge(_ key: Node) -> Bool {
    guard case .scalar(let scalar) = key else { return false }
    return scalar.style == .plain && scalar.string == "<<"
  }

  /// The entries of a mapping, or of a list of mappings, to merge into another.
  private mutating func merged(_ value: Node) throws -> [YAMLEntry] {
    let node = try convert(value)
    let parts: [YAMLNode] = if case .sequence(let items) = node.content { items } else { [node] }
    return try parts.flatMap { part in
      guard case .mapping(let entries) = part.content else {
        let (line, column) = (value.mark?.line ?? 0, value.mark?.column ?? 0)
        throw Self.problem(
          line, column, "<< merges \(part.kindName); write an alias of a mapping, such as *base, or a list of them")
      }
      return entries
    }
  }

  private static func place(_ mark: Mark?) -> Place {
    .position(line: mark?.line ?? 0, column: mark?.column ?? 0)
  }

  static func problem(_ line: Int, _ column: Int, _ message: Message) -> ScenarioProblems {
    ScenarioProblems([ScenarioProblem(file: "", line: line, column: column, override: nil, message: message.text)])
  }
}
