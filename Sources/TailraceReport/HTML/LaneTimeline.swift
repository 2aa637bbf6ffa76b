/// Lanes over time, with bars for what occupied each lane and when.
struct LaneTimeline {
  struct Bar {
    var lane: Int
    var start: Double
    var end: Double
    /// Index of the palette's color and pattern.
    var series: Int
    /// Whether to mark its end.
    var isMarked: Bool
    /// Text shown when the pointer hovers.
    var words: String
  }

  var id: String
  var title: String
  var description: String
  /// Names, from top to bottom.
  var lanes: [String]
  var bars: [Bar]
  var x: Scale

  private static let laneHeight = 24.0
  private static let barHeight = 16.0

  var html: HTML {
    let base = Double(lanes.count) * Self.laneHeight
    var drawing = Drawing(id: id, title: title, description: description, height: base + 24)
    for tick in x.ticks {
      let place = x.place(tick.value)
      drawing.line(place, 0, place, base + 4, class: "grid")
      let anchor: Drawing.Anchor = place < 0.04 ? .start : place > 0.94 ? .end : .middle
      drawing.text(tick.label, x: place, y: base + 18, anchor: anchor, class: "tick")
    }
    for lane in lanes.indices {
      let middle = (Double(lane) + 0.5) * Self.laneHeight
      drawing.line(0, middle, 1, middle, class: "grid")
    }
    drawing.line(0, base, 1, base, class: "axis")
    for bar in bars where lanes.indices.contains(bar.lane) {
      let (start, end) = (x.place(bar.start), x.place(bar.end))
      let top = Double(bar.lane) * Self.laneHeight + (Self.laneHeight - Self.barHeight) / 2
      drawing.area(
        x: start, y: top, width: max(end - start, 0.002), height: Self.barHeight, series: bar.series,
        isMarked: bar.isMarked, tooltip: bar.words)
      if bar.isMarked {
        drawing.mark("M-3 -3L3 3M-3 3L3 -3", x: end, y: top + Self.barHeight / 2, class: "cross")
      }
    }
    var html = HTML()
    html.element("div", ["class": "lanes"]) {
      $0.element("div", ["class": "lane-names", "aria-hidden": "true"]) { html in
        for lane in lanes { html.element("div", lane) }
      }
      $0.add(drawing.html)
    }
    return html
  }
}
