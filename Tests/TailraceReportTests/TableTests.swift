// Goal: documents tell verdicts, numbers and headings by their types. Whatever words stand in a table, a page shows
// them the same way.

import TailraceMeasurement
import Testing

@testable import TailraceReport

struct TableTests {
  private static func page(_ columns: [Table.Column], _ cells: [[Table.Cell]]) -> (markdown: String, html: String) {
    var page = Markdown()
    page.table(columns, cells: cells)
    var html = HTML()
    html.add(page.blocks)
    return (page.text, html.text)
  }

  @Test func aVerdictIsOneInAnyWords() {
    let (markdown, html) = Self.page(
      ["Ziel", .verdict("Urteil")],
      [
        ["a", .verdict(.good("gehalten"))],
        ["b", .verdict(VerdictLabel(kind: .bad, sign: "✗", word: "verfehlt", isStrong: true, note: " – knapp"))],
        ["c", .verdict(.idle("ohne Befund"))],
      ])
    #expect(html.contains(#"<span class="chip good">✓ gehalten</span>"#))
    #expect(html.contains(#"<span class="chip bad">✗ verfehlt</span> – knapp"#))
    #expect(html.contains(#"<span class="chip idle">ohne Befund</span>"#))
    #expect(markdown.contains("| b | **verfehlt** – knapp |"))
  }

  @Test func wordsAreNoVerdictUnderAnyTitle() {
    let (_, html) = Self.page(["Target", "Verdict"], [["a", "missed"], ["b", "**FAILED** ✗"]])
    #expect(!html.contains("chip"))
  }

  @Test func numbersAreSetRightBySortAndNotByTitle() {
    let (markdown, html) = Self.page(["> a", .number("Zahl")], [["x", "1"]])
    #expect(markdown.contains("| > a | Zahl |\n| --- | ---: |"))
    #expect(html.contains(#"<td class="number">"#) && html.contains("&gt; a"))
  }

  @Test func everyVerdictHasItsKind() {
    func kinds<Verdict>(_ verdicts: [Verdict], _ label: (Verdict) -> VerdictLabel) -> [VerdictLabel.Kind] {
      verdicts.map { label($0).kind }
    }
    #expect(
      kinds([TargetOutcome.Verdict.met, .missed, .noSamples]) { VerdictLabel($0, note: "") } == [.good, .bad, .bad])
    #expect(
      kinds([ValidityCheck.Verdict.passed, .warning, .failed, .unavailable]) { VerdictLabel($0) }
        == [.good, .warn, .bad, .idle])
    #expect(
      kinds([Verdict.passed, .missed, .invalid, .noTargets]) { VerdictLabel($0) } == [.good, .bad, .warn, .idle])
    #expect(
      kinds([ComparisonVerdict.better, .worse, .same, .unclear]) { VerdictLabel($0) } == [.good, .bad, .idle, .warn])
    #expect(
      kinds([GateCheck.Verdict.met, .missed, .noValue, .unconfirmed, .unclear]) { VerdictLabel($0) }
        == [.good, .bad, .bad, .idle, .warn])
    #expect(
      kinds([CapacityPoint.Verdict.sustained, .missed, .growing, .unclear]) { VerdictLabel($0) }
        == [.good, .bad, .bad, .warn])
  }

  /// A part of another page has its headings deeper, and nothing else that begins with a number sign.
  @Test func headingsAreDeeperWithinAnotherPage() {
    var page = Markdown()
    page.headingDepth = 1
    page.heading(1, "Any words: here")
    page.figure(["# run this"])
    page.heading(2, "Below")
    #expect(page.text.hasPrefix("## Any words: here\n"))
    #expect(page.text.contains("\n# run this\n") && page.text.contains("\n### Below\n"))
  }
}
