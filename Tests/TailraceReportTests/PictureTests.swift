// Goal: pictures put every value where it belongs, name what they show for whoever does not see them, and keep names
// outside of the plot, where no line crosses them.

import Foundation
import TailraceCore
import Testing

@testable import TailraceMeasurement
@testable import TailraceReport

struct PictureTests {
  private func chart(_ points: [LineChart.Point], limit: Double? = nil, faintFrom: Double? = nil) -> String {
    LineChart(
      id: "c", title: "Title", description: "What it says.", x: .linear(to: 10, label: { "\(Int($0))" }),
      y: .linear(to: 100, label: { "\(Int($0))" }),
      lines: [LineChart.Line(name: "a line", series: 1, points: points, faintFrom: faintFrom)],
      limits: limit.map { [LineChart.Limit(words: "p99 < \(Int($0))", value: $0, at: 5, isMet: false)] } ?? [],
      plotHeight: 100
    ).html.text
  }

  @Test func aLineGoesThroughItsPoints() {
    let html = chart([.init(x: 0, y: 0), .init(x: 5, y: 50), .init(x: 10, y: 100)])
    #expect(html.contains("d=\"M0 100h0L500 50L1000 0\" class=\"line l1\""))
    #expect(html.contains("role=\"img\" aria-labelledby=\"c-t c-d\""))
    #expect(html.contains("<title id=\"c-t\">Title</title>\n<desc id=\"c-d\">What it says.</desc>"))
    #expect(!html.contains("a line"), "a single line needs no name")
  }

  @Test func aGapStaysOne() {
    let html = chart([.init(x: 0, y: 0), .init(x: 2, y: nil), .init(x: 4, y: 10), .init(x: 6, y: nil)])
    #expect(html.contains("d=\"M0 100h0M400 90h0\""))
  }

  @Test func whatFewSamplesHoldIsFaint() {
    let html = chart([.init(x: 0, y: 0), .init(x: 5, y: 50), .init(x: 10, y: 100)], faintFrom: 6)
    #expect(html.contains("d=\"M0 100h0L500 50\" class=\"line l1\""))
    #expect(html.contains("d=\"M500 50h0L1000 0\" class=\"line l1 faint\""))
  }

  @Test func aLimitIsDrawnWhereItIsMeant() {
    let html = chart([.init(x: 0, y: 0)], limit: 25)
    let level = Drawing.number(LineChart.top + 75)
    #expect(html.contains("y1=\"\(level)\" x2=\"100%\" y2=\"\(level)\" class=\"limit\""))
    #expect(html.contains("<svg x=\"50%\" y=\"\(level)\"") && html.contains("class=\"gate missed\""))
    #expect(!html.contains("p99"), "its name is in the legend")
  }

  @Test func theLegendNamesLinesLimitsPlacesAndBands() {
    let chart = LineChart(
      id: "c", title: "t", description: "d", x: .linear(to: 10, label: { "\($0)" }),
      y: .linear(to: 10, label: { "\($0)" }),
      lines: ["one", "two"].enumerated().map { LineChart.Line(name: $1, series: $0, points: [.init(x: 0, y: 1)]) },
      limits: [.init(words: "p99 < 25", value: 5, isMet: true)], bands: [.init(from: 0, to: 1, words: "warm-up")],
      places: [(5, "theory")])
    let names = chart.legend.text.matches(of: /<\/svg>\s*([^<]+?)\s*<\/li>/).map(\.1)
    #expect(names == ["one", "two", "p99 &lt; 25", "theory", "warm-up"])
    for name in ["one", "p99", "theory", "warm-up"] { #expect(!chart.html.text.contains(">\(name)")) }
  }

  /// Where the median would lie below the first value that the axis shows, the axis is logarithmic.
  @Test func theAxisShowsAValueWhereTheMedianLies() throws {
    var recorded = LatencyHistogram()
    for value in 0..<1_000 { recorded.record(Nanoseconds(value < 990 ? 4_000_000 : 100_000_000)) }
    let distribution = recorded.distribution
    let samples = try #require(distribution)
    let scale = PercentilePicture.scale(of: [samples], limits: [])
    #expect(scale.kind == .logarithmic)
    #expect(scale.ticks.contains { $0.value > 0 && $0.value <= 4_000_000 })
  }

  @Test func barsAreSharesOrLengths() {
    let rows = [("long", 100.0), ("short", 50.0)].map { name, value in
      StackedBars.Row(
        name: name,
        parts: [
          .init(name: "waiting", series: 1, value: value * 0.75, words: "w"),
          .init(name: "service", series: 2, value: value * 0.25, words: "s"),
        ], words: "\(value)")
    }
    func widths(showsShares: Bool) -> [Substring] {
      let html = StackedBars(id: "b", title: "t", description: "d", rows: rows, showsShares: showsShares).html.text
      return html.matches(of: /<rect x="[^"]*" y="[^"]*" width="([^"]*)"/).map(\.1)
    }
    #expect(widths(showsShares: true) == ["75%", "25%", "75%", "25%"])
    #expect(widths(showsShares: false) == ["75%", "25%", "37.5%", "12.5%"])
  }

  @Test func aLaneHasItsBars() {
    let html = LaneTimeline(
      id: "l", title: "t", description: "d", lanes: ["async-0", "<b>"],
      bars: [
        .init(lane: 0, start: 0, end: 5, series: 0, isMarked: false, words: "first"),
        .init(lane: 1, start: 5, end: 5, series: 9, isMarked: true, words: "second"),
        .init(lane: 7, start: 0, end: 1, series: 0, isMarked: false, words: "nowhere"),
      ], x: .linear(to: 10, label: { "\(Int($0))" })
    ).html.text
    #expect(
      html.contains("<title>first</title>\n<rect x=\"0%\" y=\"4\" width=\"50%\" height=\"16\" class=\"area a0\"/>"))
    #expect(html.contains("class=\"area a5 failed\"/>"), "beyond the palette, its last")
    #expect(html.contains("<div>&lt;b&gt;</div>") && !html.contains("nowhere"))
  }

  @Test func intervalsStandAboutNoDifference() {
    let plot = IntervalPlot(
      id: "i", title: "t", description: "d",
      rows: [
        .init(name: "p99", words: "+10 %", low: 0.05, estimate: 0.1, high: 0.15, verdict: "worse"),
        .init(name: "p50", words: "0 %", low: -0.01, estimate: 0, high: 0.01, verdict: "same"),
      ], delta: 0.02, label: { HumanUnits.share($0) })
    #expect(plot.scale.place(0) == 0.5 && plot.scale.high >= 0.15)
    let html = plot.html.text
    #expect(html.contains("class=\"estimate worse\"") && html.contains("class=\"estimate same\""))
    #expect(html.contains("class=\"band\"") && html.contains("class=\"zero\""))
    let empty = IntervalPlot(id: "i", title: "t", description: "d", rows: [], delta: 0, label: { "\($0)" })
    #expect(empty.scale.place(0) == 0.5)
  }

  @Test func aMarginBarEndsAtItsLimitOrBeyond() {
    func bar(_ observed: Double, _ limit: Double) -> String? {
      MarginBar(observed: observed, limit: limit, isMet: observed < limit, words: "w").html?.text
    }
    #expect(bar(50, 100)?.contains("width=\"44.88\" height=\"8\" class=\"value met\"") == true)
    #expect(bar(1_000, 100)?.contains("class=\"beyond\"") == true)
    #expect(bar(1, 0) == nil, "nothing can be drawn about a limit of 0")
  }

  @Test func attemptsWithoutWorkersAreInAsFewRowsAsHoldThem() throws {
    let json = """
      {"types":["a","unknown"],"spans":[[0,0,0,null,0,0,10,0],[1,0,0,null,0,5,15,0],[2,0,0,null,0,10,20,1]]}
      """
    let timeline = try JSONDecoder().decode(WorkerTimeline.self, from: Data(json.utf8))
    let lanes = WorkerLanes(timeline, workers: [])
    #expect(lanes.lanes == [0, 1, 0] && lanes.names == ["row 1", "row 2"] && !lanes.areWorkers)
  }
}
