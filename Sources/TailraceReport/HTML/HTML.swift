import TailraceSpelling

/// HTML, built element by element. Text and attributes are escaped, so all markup comes from this type.
struct HTML {
  typealias Attributes = KeyValuePairs<String, String>

  private(set) var text = ""

  init() {}

  /// Text only.
  init(_ words: String) { text = Self.escaped(words) }

  /// One element that contains text.
  init(_ name: String, _ attributes: Attributes, _ words: String) { element(name, attributes, words) }

  var isEmpty: Bool { text.isEmpty }

  mutating func add(_ other: HTML) { text += other.text }

  /// Unescaped text, only for text from this module.
  mutating func verbatim(_ markup: String) { text += markup }

  mutating func words(_ words: String) { text += Self.escaped(words) }

  mutating func element(_ name: String, _ words: String) { element(name, [:]) { $0.words(words) } }

  mutating func element(_ name: String, _ attributes: Attributes, _ words: String) {
    element(name, attributes) { $0.words(words) }
  }

  mutating func element(_ name: String, _ attributes: Attributes = [:], content: (inout HTML) -> Void) {
    open(name, attributes)
    text += ">"
    content(&self)
    text += "</\(name)>"
    if Self.endsLine.contains(name) { text += "\n" }
  }

  /// A void element, such as a line of a drawing.
  mutating func empty(_ name: String, _ attributes: Attributes = [:]) {
    open(name, attributes)
    text += "/>"
  }

  /// Text with the reports' markup: `**strong**`, `*emphasized*` and code in backticks.
  mutating func prose(_ words: String) {
    var rest = Substring(words)
    while let start = rest.firstIndex(where: { $0 == "`" || $0 == "*" }) {
      let mark = rest[start] == "`" ? "`" : rest[start...].hasPrefix("**") ? "**" : "*"
      let inner = rest[start...].dropFirst(mark.count)
      // An unclosed or empty mark is plain text.
      guard let end = inner.firstRange(of: mark), end.lowerBound > inner.startIndex, inner.first != " " else {
        self.words(String(rest[..<inner.startIndex]))
        rest = inner
        continue
      }
      self.words(String(rest[..<start]))
      element(mark == "`" ? "code" : mark == "**" ? "strong" : "em", String(inner[..<end.lowerBound]))
      rest = inner[end.upperBound...]
    }
    self.words(String(rest))
  }

  private mutating func open(_ name: String, _ attributes: Attributes) {
    text += "<\(name)"
    for (key, value) in attributes { text += " \(key)=\"\(Self.escaped(value))\"" }
  }

  /// Elements that are followed by a line break, so that the source is readable and can be compared.
  private static let endsLine: Set<String> = [
    "html", "head", "title", "body", "main", "header", "footer", "nav", "section", "h1", "h2", "h3", "h4", "p", "ul",
    "li", "dl", "div", "table", "caption", "thead", "tbody", "tr", "details", "summary", "figure", "figcaption", "svg",
    "style", "pre",
  ]

  static func escaped(_ words: String) -> String {
    let words = ForeignText.plain(words)
    // Characters that HTML forbids would make the whole page unreadable; show an escape instead.
    let isPlain = !words.utf8.contains { $0 < 0x20 || "<>&\"'".utf8.contains($0) || $0 >= 0x7f }
    if isPlain { return words }
    var escaped = ""
    for scalar in VisibleText.lines(words).unicodeScalars {
      switch scalar {
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "&": escaped += "&amp;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// Text shortened to fit on one line.
  static func shortened(_ words: String, to count: Int) -> String {
    words.count > count ? words.prefix(count - 1) + "…" : words
  }

  /// Makes an identifier from any text: letters, digits and hyphens.
  static func identifier(_ words: String) -> String {
    String(words.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? Character($0.lowercased()) : "-" })
  }
}
