import TailraceSpelling

/// Hypertext, built element by element. Words and attributes are escaped; only what is made here is markup.
struct HTML {
  typealias Attributes = KeyValuePairs<String, String>

  private(set) var text = ""

  init() {}

  /// Words alone.
  init(_ words: String) { text = Self.escaped(words) }

  /// One element with words in it.
  init(_ name: String, _ attributes: Attributes, _ words: String) { element(name, attributes, words) }

  var isEmpty: Bool { text.isEmpty }

  mutating func add(_ other: HTML) { text += other.text }

  /// Text as it is: only for what this module itself says.
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

  /// An element that never has content, such as a line of a picture.
  mutating func empty(_ name: String, _ attributes: Attributes = [:]) {
    open(name, attributes)
    text += "/>"
  }

  /// Words with the marks that reports use: `**strong**`, `*stressed*` and code between backticks.
  mutating func prose(_ words: String) {
    var rest = Substring(words)
    while let start = rest.firstIndex(where: { $0 == "`" || $0 == "*" }) {
      let mark = rest[start] == "`" ? "`" : rest[start...].hasPrefix("**") ? "**" : "*"
      let inner = rest[start...].dropFirst(mark.count)
      // A mark that nothing closes, or around nothing, is a character like others.
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

  /// Elements after which a line ends, so that the source can be read and compared.
  private static let endsLine: Set<String> = [
    "html", "head", "title", "body", "main", "header", "footer", "nav", "section", "h1", "h2", "h3", "h4", "p", "ul",
    "li", "dl", "div", "table", "caption", "thead", "tbody", "tr", "details", "summary", "figure", "figcaption", "svg",
    "style", "pre",
  ]

  static func escaped(_ words: String) -> String {
    let words = ForeignText.plain(words)
    // A character that no document may have would make the page unreadable as a whole: an escape is shown for it.
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

  /// Words that fit where a line cannot be broken.
  static func shortened(_ words: String, to count: Int) -> String {
    words.count > count ? words.prefix(count - 1) + "…" : words
  }

  /// An identifier made of any words: letters, digits and hyphens.
  static func identifier(_ words: String) -> String {
    String(words.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? Character($0.lowercased()) : "-" })
  }
}
