// Goal: report.html stands alone, runs nothing, can be read with a keyboard and a screen reader, and stays within
// bounds.

import Foundation
import TailraceCore
import TailraceMeasurement
import Testing

@testable import TailraceReport

/// What holds of every page.
enum PageRules {
  /// What would load something, or run something.
  static func references(in page: String) -> [String] {
    let patterns: [Regex<Substring>] = [
      /https?:/, /\bsrc\s*=/, /@import/, /<script/, /<link/, /<iframe/, /\bon[a-z]+\s*=\s*"/, /url\((?!#)[^)]*\)/,
      /href="(?!#)[^"]*"/, /javascript:/,
    ]
    return patterns.flatMap { pattern in page.matches(of: pattern).map { String($0.output) } }
  }

  static func expectHeld(_ page: String, pictures: Int) throws {
    #expect(references(in: page) == [])
    let identifiers = page.matches(of: /\bid="([^"]*)"/).map { String($0.1) }
    #expect(Set(identifiers).count == identifiers.count, "two elements of one name")
    let names =
      page.matches(of: /href="#([^"]*)"/).map { String($0.1) }
      + page.matches(of: /aria-labelledby="([^"]*)"/).flatMap { $0.1.split(separator: " ").map(String.init) }
    for name in names { #expect(identifiers.contains(name), "nothing is called \(name)") }
    let told = page.matches(
      of: /<svg class="picture[^>]*role="img"[^>]*>\s*<title[^>]*>[^<]+<\/title>\s*<desc[^>]*>[^<]/)
    #expect(told.count == page.matches(of: /<svg class="picture/).count && told.count >= pictures)
    let regions = page.matches(of: /class="scroll" role="region" aria-label="[^"]+" tabindex="0"/)
    #expect(regions.count == page.matches(of: /<table[ >]/).count)
    #expect(page.contains("<a class=\"skip\" href=\"#content\">") && page.contains("<html lang=\"en\">"))
    try expectClosed(page)
    #expect(page.matches(of: /\btitle="/).isEmpty, "a tooltip that is in no table")
    #expect(tooltipsWithoutRow(in: page) == [])
  }

  /// The tooltips in pictures that say more than any row of the table below the picture.
  static func tooltipsWithoutRow(in page: String) -> [String] {
    func words(_ text: some StringProtocol) -> Set<Substring> {
      let plain = String(text).replacing(/<[^>]*>/, with: " ").lowercased()
      return Set(plain[...].split { " ,:\n".contains($0) })
    }
    // Words that only join the others.
    let joints: Set<Substring> = ["on", "to"]
    return page.components(separatedBy: "<figure").dropFirst().flatMap { figure -> [String] in
      let figure = figure.components(separatedBy: "</figure>")[0]
      let tooltips = figure.matches(of: /<g><title>([^<]*)<\/title>/).map { String($0.1) }
      guard !tooltips.isEmpty else { return [] }
      let head = words(figure.firstMatch(of: /<thead>(?:.|\n)*?<\/thead>/)?.output ?? "")
      let body = figure.components(separatedBy: "<tbody>").dropFirst().joined()
      var rows = body.components(separatedBy: "<tr>").dropFirst().map { words($0).union(head).union(joints) }[...]
      let all = rows
      return tooltips.filter { tooltip in
        let said = words(tooltip)
        // Rows are in the order of the tooltips, mostly.
        if let first = rows.firstIndex(where: said.isSubset) {
          rows = rows[first...]
          return false
        }
        return !all.contains(where: said.isSubset)
      }
    }
  }

  private static func expectClosed(_ page: String) throws {
    var open: [Substring] = []
    let style = try #require(page.firstMatch(of: /<style>[^<]*<\/style>/))
    for tag in page.replacing(style.output, with: "").matches(of: /<(\/?)([a-z0-9]+)[^>]*?(\/?)>/) {
      if !tag.3.isEmpty { continue }
      if tag.1.isEmpty { open.append(tag.2) } else { #expect(open.popLast() == tag.2) }
    }
    #expect(open == [])
  }
}

struct RunPageTests {
  @Test func itStandsAloneAndSaysWhatItShows() throws {
    try PageRules.expectHeld(RunPage.render(FixedSuite.make()), pictures: 10)
    #expect(PageRules.references(in: "<a href=\"http://x\"><img src=\"y\" onload=\"z\">") != [])
  }

  /// Everything that hovering shows is in a table too, so that the page is complete on paper and on a phone.
  @Test func tooltipsAreRowsOfATable() throws {
    let page = try RunPage.render(FixedSuite.make())
    #expect(page.matches(of: /<g><title>/).count > 150)
    #expect(PageRules.tooltipsWithoutRow(in: page) == [])
    let first = try #require(page.firstMatch(of: /<g><title>([^<]*), succeeded<\/title>/))
    let changed = page.replacing(first.0, with: "<g><title>\(first.1), timed out</title>", maxReplacements: 1)
    #expect(PageRules.tooltipsWithoutRow(in: changed) == ["\(first.1), timed out"])
  }

  /// A small run of many attempts lists all that its chart shows.
  @Test func everyAttemptOfTheChartIsListed() throws {
    var suite = try FixedSuite.make()
    var timeline = try #require(suite.scenarios[0].runs[0].measurement.timeline)
    let span = timeline.spans[0]
    timeline.spans = (0..<UInt64(WorkerTimeline.limit)).map { job in
      var copy = span
      copy.job = job
      return copy
    }
    suite.scenarios[0].runs[0].measurement.timeline = timeline
    #expect(try PageRules.tooltipsWithoutRow(in: RunPage.render(suite)) == [])
  }

  @Test func namesOfARunNeverBecomeMarkup() throws {
    var suite = try FixedSuite.make()
    let hostile = "<script>alert(1)</script>\"><img src=x onerror=alert(1)> & `**x`"
    suite.suite = hostile
    suite.command = hostile
    suite.environment = [Setting(hostile, hostile)]
    suite.scenarios[0].name = hostile
    suite.scenarios[0].summary = hostile
    suite.scenarios[0].source = hostile
    suite.scenarios[0].notes = [hostile]
    suite.scenarios[0].settings = [Setting(hostile, hostile)]
    for index in suite.scenarios[0].runs.indices {
      suite.scenarios[0].runs[index].system = hostile
      suite.scenarios[0].runs[index].measurement.timeline?.types = [hostile, hostile, hostile]
    }
    let page = try RunPage.render(suite)
    #expect(!page.contains("<script") && !page.contains("<img"))
    #expect(page.contains("&lt;script&gt;"))
  }

  @Test func aMissedTargetIsSaidFirst() throws {
    let page = try RunPage.render(FixedSuite.make())
    let verdict = try #require(page.firstRange(of: "✗ Missed"))
    let finding = try #require(page.firstRange(of: "What failed"))
    let picture = try #require(page.firstRange(of: "class=\"picture"))
    #expect(verdict.lowerBound < finding.lowerBound && finding.lowerBound < picture.lowerBound)
  }

  @Test func aRunWithoutJobsOrScenariosStillHasAPage() throws {
    var suite = try FixedSuite.make()
    suite.scenarios[0].runs = []
    #expect(try RunPage.render(suite).contains("No run was made."))
    suite.scenarios = []
    #expect(try RunPage.render(suite).contains("! Invalid"))
  }

  @Test func resultsOfOlderVersionsHaveAPage() throws {
    var suite = try FixedSuite.make()
    for scenario in suite.scenarios.indices {
      for run in suite.scenarios[scenario].runs.indices {
        suite.scenarios[scenario].runs[run].measurement.responseOverTime = nil
        suite.scenarios[scenario].runs[run].measurement.timeline = nil
      }
    }
    let page = try RunPage.render(suite)
    #expect(page.contains("No chart of the workers"))
    #expect(PageRules.references(in: page) == [])
  }

  @Test func aLargeRunShowsItsBusiestStretch() throws {
    let suite = try FixedSuite.make()
    let timeline = try #require(suite.scenarios[1].runs[0].measurement.timeline)
    let stretch = try #require(timeline.stretch)
    let page = try RunPage.render(suite)
    #expect(page.contains("<h4>Workers, busiest stretch</h4>"))
    let words = [stretch.start, stretch.end].map(stretch.words)
    #expect(words[0] != words[1])
    #expect(page.contains("The busiest stretch of the run: from \(words[0]) to \(words[1]) after the run&#39;s start"))
    #expect(page.contains("150 attempts started; no other 150 in a row started in less time."))
    #expect(timeline.spans.count >= 150)
  }

  @Test func theStretchOfASampleIsSaidToBeOne() throws {
    var suite = try FixedSuite.make()
    suite.scenarios[1].runs[0].measurement.timeline?.stretch?.compared = 12
    let page = try RunPage.render(suite)
    #expect(page.contains("The busiest stretch of 12 evenly spaced ones whose attempts were kept: from "))
    #expect(!page.contains("in a row started in less time"))
  }

  @Test func aPageOfManyScenariosIsBounded() throws {
    var suite = try FixedSuite.make()
    let five = suite.scenarios[0]
    suite.scenarios = (0..<60).map { index in
      var scenario = five
      scenario.name = "five-\(index)"
      return scenario
    }
    let page = try RunPage.render(suite)
    #expect(page.contains("20 more scenarios are in the table above"))
    #expect(page.utf8.count < 6_000_000)
  }
}
