// Goal: whatever a scenario, a driver, a log or a stored result says, no document gets a heading, a row, a link, an
// image or an escape sequence from it: each text of a result is made hostile, and every document keeps its structure.

import Foundation
@testable import TailraceMeasurement
import TailraceSpelling
import Testing

@testable import TailraceReport

struct HostileDocumentTests {
  /// What documents could be made to say.
  static let samples = [
    "\n## PASSED: all of it\n", "\n| a | PASSED |\n|---|---|\n", "\r\n\r\n# PASSED", " | PASSED | ", "\\| x \\\\| y",
    "`", "``` ",
    "\n```\n# PASSED\n```text\n", "` **PASSED** `", "**", "*a* _b_ __c__ ~~d~~", "<script>alert(1)</script>",
    "</pre></table><h1>PASSED</h1>",
    "![image](http://evil.example/i.png)", "[link](javascript:alert(1))",
    "http://evil.example www.evil.example <http://e.vil>",
    "\u{1b}[2K\u{1b}]8;;http://evil\u{7}", "\u{202e}DESSAP\u{2066}\u{200b}", "@everyone #1 &lt;b&gt; &#60;b&#62;",
    "<!-- x -->", "--> ]]> ",
    "=cmd|' /C calc'!A0", "- item", "1. item", "> quoted", "---", "===", "    code", "::error::PASSED",
    "\u{0}\u{9b}\u{2028}\u{feff}\u{e000}",
    "\u{10FF2A}\u{10FF60}", "a\tb",
  ]

  /// Structure is compared with that of a page whose texts are others too, and harmless.
  private static func harmless(_ text: String) -> String { text + " z" }

  /// The value with every text changed that may be any text: those that are words of a format may not.
  private static func changed<Value: Codable>(
    _ value: Value, _ isForeign: inout Set<String>?, _ change: (String) -> String
  ) throws -> Value {
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(value))
    func apply(_ node: Any, _ change: (String) -> String) -> Any {
      if let text = node as? String { return change(text) }
      if let list = node as? [Any] { return list.map { apply($0, change) } }
      if let object = node as? [String: Any] { return object.mapValues { apply($0, change) } }
      return node
    }
    func decoded(_ change: (String) -> String) throws -> Value {
      try JSONDecoder().decode(Value.self, from: JSONSerialization.data(withJSONObject: apply(json, change)))
    }
    if isForeign == nil {
      var texts: Set<String> = []
      _ = apply(json) {
        texts.insert($0)
        return $0
      }
      isForeign = texts.filter { text in (try? decoded { $0 == text ? harmless($0) : $0 }) != nil }
    }
    let foreign = isForeign!
    return try decoded { foreign.contains($0) ? change($0) : $0 }
  }

  private static func expectSameStructure<Value: Codable>(
    _ value: Value, least: Int, _ render: (Value) throws -> [(path: String, bytes: [UInt8])]
  ) throws {
    var foreign: Set<String>?
    let plain = try render(changed(value, &foreign, harmless))
    #expect(foreign!.count >= least, "only \(foreign!.count) texts were changed")
    let changes: [(String) -> String] = [
      { $0 + samples.joined(separator: " ") }, { samples.reversed().joined() + $0 }, { "- " + $0 }, { "`" + $0 },
    ]
    for change in changes {
      let files = try render(changed(value, &foreign, change))
      #expect(files.count == plain.count)
      for (before, after) in zip(plain, files) where !after.path.hasSuffix(".hgrm") && !after.path.hasSuffix(".json") {
        let (old, new) = (String(decoding: before.bytes, as: UTF8.self), String(decoding: after.bytes, as: UTF8.self))
        let difference = structure(new, of: after.path).difference(from: structure(old, of: before.path))
        #expect(difference.isEmpty, "\(after.path), after \(change("").debugDescription): \(difference.prefix(4))")
        let line = new.split(separator: "\n").first {
          $0.unicodeScalars.contains { $0 != "\n" && $0 != "\t" && VisibleText.isHidden($0) }
        }
        #expect(line == nil, "\(after.path): \(line.debugDescription.prefix(300))")
      }
    }
  }

  /// What a document is made of, apart from its words.
  private static func structure(_ text: String, of path: String) -> [String] {
    switch path.split(separator: ".").last {
    case "md":
      // Between fences nothing is a mark.
      var fence: String?
      return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        if let open = fence {
          if line == open { fence = nil }
          return "figure"
        }
        if let open = line.prefixMatch(of: /```+/) {
          fence = String(open.output)
          return "figure"
        }
        return markdown(String(line))
      }
    case "html", "xml":
      return text.matches(of: /<\/?[A-Za-z!?][^\s>\/]*/).map { String($0.output) }
    default: return text.split(separator: "\n", omittingEmptySubsequences: false).map { "\(cells($0))" }
    }
  }

  /// Of a line of Markdown: what it begins, its cells, and the marks in it that are not escaped.
  private static func markdown(_ line: String) -> String {
    var rest = line.replacing(/\\[!-\/:-@\[-`\u{7b}-~]/, with: "")
    rest = rest.replacing(/`[^`]*`|<code>[^<]*<\/code>/, with: "``")
    let kind = rest.prefixMatch(of: /#+ |- |\||```+text|```+|[0-9]+[.)] |>|===|---/).map { String($0.output) } ?? ""
    let marks = rest.matches(
      of: /\*\*|`|!\[|\]\(|<(?!code>|\/code>|!-- -->|!-- tailrace gate -->)[A-Za-z\/!?]|https?:\/\/|www\.|@\w/
    )
    .map { String($0.output) }
    return "\(kind) \(line.hasPrefix("|") ? rest.count { $0 == "|" } : 0) \(marks.joined())"
  }

  private static func cells(_ row: Substring) -> Int {
    row.replacing(/"([^"]|"")*"/, with: "").count { $0 == "," }
  }

  @Test func aRunsDocuments() throws {
    try Self.expectSameStructure(try FixedSuite.make(), least: 40) { try ReportFiles.render($0) }
  }

  @Test func aComparisonsDocuments() throws {
    let findings = try ComparisonDocumentTests.findings(longer: 0.2, forced: ["a has another seed"])
    try Self.expectSameStructure(findings, least: 12) { try ComparisonFiles.render($0) }
  }

  @Test func aGatesDocuments() throws {
    let findings = try ComparisonDocumentTests.findings(longer: 0.2, forced: ["a has another seed"])
    let verdicts: [GateCheck.Verdict] = [.met, .missed, .unconfirmed, .unclear, .noValue]
    let checks = verdicts.flatMap { verdict in
      [GateCheck.Kind.target, .regression].map { kind in
        GateCheck(
          kind: kind, scenario: "stream", expression: "response.mean < \(verdict)", metric: "response.mean",
          unit: .time,
          verdict: verdict, words: "seen \(kind) \(verdict)")
      }
    }
    let gate = GateFindings(comparison: findings, confirmation: findings, checks: checks, isStrict: false)
    try Self.expectSameStructure(gate, least: 12) {
      try GateFiles.render($0) + [("comment.md", Array(try GatePage.comment($0).utf8))]
    }
  }

  @Test func aSearchesDocuments() throws {
    try Self.expectSameStructure(CapacityDocumentTests.result([[], []]), least: 10) { try CapacityFiles.render($0) }
    try Self.expectSameStructure(PlanPageTests().found, least: 10) { try PlanFiles.render($0) }
  }

  /// What a system said when it failed has lines, and each is shown as one: in a figure, in a list, in a page that is
  /// made again from what was stored, and without any mark of its own.
  @Test func anErrorOfSeveralLinesIsShownLineByLine() throws {
    var suite = try FixedSuite.make()
    let said = "exec:./d ended with status 3; it said last:\r\nfirst\n\tat | **x**\r\n```\n# PASSED\n50 %\r100 %\n"
    let failure = RunFailure(system: "exec:./d", words: said, isPrimary: false)
    #expect(failure.lines.count == 7 && failure.lines.allSatisfy { VisibleText.line($0) == $0 })
    suite.scenarios[0].failedRuns = [failure]
    let files = try ReportFiles.render(suite)
    #expect(try ReportFiles.render(ReportFiles.decode(ReportFiles.encode(suite))).map(\.bytes) == files.map(\.bytes))
    for name in ["report.md", "report.html"] {
      let text = String(decoding: try #require(files.first { $0.path == name }).bytes, as: UTF8.self)
      #expect(!text.contains(#"\u{"#), "\(name)")
      let lines = text.split(separator: "\n")
      #expect(lines.contains("first") && lines.contains("# PASSED") && lines.contains("50 %"), "\(name)")
      #expect(text.contains("it said last: first; at "), "\(name)")
    }
    try Self.expectSameStructure(suite, least: 40) { try ReportFiles.render($0) }
  }

  /// Pages are made of results that were read again; one that cannot be is an error, and no end of the program.
  @Test func aResultThatCannotBeReadAgainIsAnError() {
    struct Stubborn: Codable {
      var text = "a"
      init() {}
      init(from decoder: any Decoder) throws {
        throw DecodingError.dataCorrupted(DecodingError.Context(codingPath: [], debugDescription: ""))
      }
    }
    #expect(throws: ReportProblem("the result cannot be shown: it is not valid JSON")) {
      try ForeignText.unmarked(Stubborn())
    }
  }

  @Test func formulasAreTextInTables() {
    for text in ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)"] {
      #expect(CommaSeparated.quoted(text).drop { $0 == "\"" }.first == "'", "\(text)")
    }
    for text in ["-1.5", "+3", "1e9", "a=b", "", "-0.25e-3"] { #expect(CommaSeparated.quoted(text) == text) }
    #expect(CommaSeparated.quoted("a\nb\u{1b}") == #"a\u{a}b\u{1b}"#)
  }

  @Test func marksAreEscapedOnce() {
    func shown(_ text: String) -> String { ForeignText.markdown("**\(ForeignText.withoutMarks(text))**") }
    #expect(shown("a_b c-d 1.5 ms p99 < 20ms R & D (x) {a=b} #x") == "**a_b c-d 1.5 ms p99 < 20ms R & D (x) {a=b} #x**")
    #expect(shown("**PASSED** `x` [y](z)") == #"**\*\*PASSED\*\* \`x\` \[y\](z)**"#)
    #expect(shown("a|b <script> &lt; \\") == #"**a&#124;b &lt;script> &amp;lt; \\**"#)
    let code = "`\(ForeignText.withoutMarks("a|b`<script>"))`"
    #expect(ForeignText.markdown(code) == "<code>a&#124;b&#96;&#60;script&#62;</code>")
    #expect(ForeignText.markdown("`\(ForeignText.withoutMarks("a*b [c]"))`") == "`a*b [c]`")
    #expect(ForeignText.plain(ForeignText.withoutMarks("a*b|c`")) == "a*b|c`")
  }

  @Test func aStoredResultCannotHideAnything() throws {
    var suite = try FixedSuite.make()
    suite.scenarios[0].name = "a\n\u{1b}[2K\u{202e}\"\\"
    let read = try ReportFiles.decode(ReportFiles.encode(suite))
    #expect(read.scenarios[0].name == #"a\u{a}\u{1b}[2K\u{202e}"\"#)
    suite = try FixedSuite.make()
    #expect(try ReportFiles.decode(ReportFiles.encode(suite)) == suite)
  }
}
