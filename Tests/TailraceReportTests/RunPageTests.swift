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
