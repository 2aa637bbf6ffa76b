/// Lines over a horizontal axis, each with a color, a dash pattern and its name at its end.
struct LineChart {
  struct Point: Equatable {
    var x: Double
    /// nil: a gap.
    var y: Double?
  }
  struct Line {
    var name: String
    /// Index of the palette's color and dash pattern.
    var series: Int
    var points: [Point]
    var isThin = false
    /// Whether to tint the area below.
    var isFilled = false
    /// Points with their intervals' ends.
    var intervals: [(x: Double, low: Double, high: Double)] = []
    /// From here on there are too few samples, so the line is drawn faintly.
    var faintFrom: Double?
  }
  /// A limit, drawn as a horizontal line.
  struct Limit {
    var words: String
    var value: Double
    /// The position on the horizontal axis to which it applies; nil: everywhere.
    var at: Double?
    var isMet: Bool
  }
  /// A shaded range of the horizontal axis.
  struct Band {
    var from: Double
    var to: Double
    var words: String
  }

  var id: String
  var title: String
  var description: String
  var x: Scale
  var y: Scale
  var lines: [Line]
  var limits: [Limit] = []
  var bands: [Band] = []
  /// Named positions on the horizontal axis, drawn as vertical lines.
  var places: [(x: Double, words: String)] = []
  /// The plot's height, in pixels.
  var plotHeight = 200.0

  static let top = 8.0
  private static let bottom = 22.0

  /// Names of the lines, limits, places and bands. They are outside of the plot, so that no line crosses them. A single
  /// line needs no name.
  var legend: HTML {
    var entries = lines.count > 1 ? lines.map { HTML.LegendEntry(name: $0.name, sample: .line($0.series)) } : []
    entries += limits.map { HTML.LegendEntry(name: $0.words, sample: .limit) }
    entries += places.map { HTML.LegendEntry(name: $0.words, sample: .place) }
    var named: Set<String> = [""]
    for band in bands where named.insert(band.words).inserted {
      entries.append(HTML.LegendEntry(name: band.words, sample: .band))
    }
    return HTML.legend(entries)
  }

  var html: HTML {
    var drawing = Drawing(
      id: id, title: title, description: description, height: Self.top + plotHeight + Self.bottom,
      hasGutter: true)
    for band in bands {
      let (from, to) = (x.place(band.from), x.place(band.to))
      drawing.rectangle(x: from, y: Self.top, width: to - from, height: plotHeight, class: "band")
    }
    addAxes(to: &drawing)
    for place in places {
      let across = x.place(place.x)
      drawing.line(across, Self.top, across, Self.top + plotHeight, class: "place")
    }
    for limit in limits {
      let level = down(limit.value)
      drawing.line(0, level, 1, level, class: "limit")
      guard let at = limit.at else { continue }
      drawing.mark("M0 -6L6 0L0 6L-6 0Z", x: x.place(at), y: level, class: limit.isMet ? "gate met" : "gate missed")
    }
    // If two lines coincide, the later one, thinner or dashed, is visible on the earlier one.
    for line in lines { add(line, to: &drawing) }
    return drawing.html
  }

  private func down(_ value: Double) -> Double { Self.top + (1 - y.place(value)) * plotHeight }

  private func addAxes(to drawing: inout Drawing) {
    let base = Self.top + plotHeight
    for tick in y.ticks {
      let level = down(tick.value)
      if level < base - 0.5 { drawing.line(0, level, 1, level, class: "grid") }
      drawing.label(tick.label, y: level + 4)
    }
    drawing.line(0, base, 1, base, class: "axis")
    for tick in x.ticks {
      let place = x.place(tick.value)
      drawing.line(place, base, place, base + 4, class: "axis")
      let anchor: Drawing.Anchor = place < 0.04 ? .start : place > 0.96 ? .end : .middle
      drawing.text(tick.label, x: place, y: base + 17, anchor: anchor, class: "tick")
    }
  }

  private func add(_ line: Line, to drawing: inout Drawing) {
    let series = min(line.series, Palette.series.count - 1)
    // A line over its own tinted area needs no dashes.
    let name = "line l\(series)\(line.isThin ? " thin" : "")\(line.isFilled ? " whole" : "")"
    if line.isFilled { drawing.path(ground(of: line), class: "ground g\(series)", top: Self.top, height: plotHeight) }
    for interval in line.intervals {
      let across = x.place(interval.x)
      let ends = [down(interval.low), down(interval.high)]
      drawing.line(across, ends[0], across, ends[1], class: "range r\(series)")
      drawing.mark("M-4 0h8", x: across, y: ends[0], class: "range r\(series)")
      drawing.mark("M-4 0h8", x: across, y: ends[1], class: "range r\(series)")
    }
    guard let faint = line.faintFrom, let first = line.points.firstIndex(where: { $0.x > faint }) else {
      return drawing.path(path(line.points[...]), class: name, top: Self.top, height: plotHeight)
    }
    if first > 0 { drawing.path(path(line.points[..<first]), class: name, top: Self.top, height: plotHeight) }
    drawing.path(path(line.points[max(0, first - 1)...]), class: name + " faint", top: Self.top, height: plotHeight)
  }

  private func across(_ value: Double) -> String { Drawing.number(x.place(value) * Drawing.pathWidth) }

  private func path(_ points: ArraySlice<Point>) -> String {
    var path = ""
    var isDrawing = false
    for point in points {
      guard let value = point.y else {
        isDrawing = false
        continue
      }
      path += "\(isDrawing ? "L" : "M")\(across(point.x)) \(Drawing.number(down(value) - Self.top))"
      // Draw a single point between gaps as a zero-length stroke with round ends.
      if !isDrawing { path += "h0" }
      isDrawing = true
    }
    return path
  }

  private func ground(of line: Line) -> String {
    let known = line.points.filter { $0.y != nil }
    guard let first = known.first, let last = known.last else { return "" }
    let base = Drawing.number(plotHeight)
    let edge = known.map { "L\(across($0.x)) \(Drawing.number(down($0.y!) - Self.top))" }.joined()
    return "M\(across(first.x)) \(base)\(edge)L\(across(last.x)) \(base)Z"
  }
}
