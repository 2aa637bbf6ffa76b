/// Rows of one bar each, whose parts differ in color and pattern and have names if they fit.
struct StackedBars {
  struct Part {
    var name: String
    /// Index of the palette's color and pattern.
    var series: Int
    var value: Double
    /// The value with its unit.
    var words: String
  }
  struct Row {
    var name: String
    /// The heading above this row and the following ones; nil: no new group.
    var group: String?
    var parts: [Part]
    /// The whole with its unit.
    var words: String
    var total: Double { parts.reduce(0) { $0 + max(0, $1.value) } }
  }

  var id: String
  var title: String
  var description: String
  var rows: [Row]
  /// Whether each bar has the full width and its parts are shares. Otherwise bars are proportional to their values.
  var showsShares: Bool

  private static let rowHeight = 54.0
  private static let groupHeight = 26.0
  private static let barHeight = 18.0
  /// The width of a letter, as a share of the narrowest chart's width.
  private static let letter = 6.6 / 320

  var html: HTML {
    var drawing = Drawing(
      id: id, title: title, description: description,
      height: rows.reduce(0) { $0 + Self.rowHeight + ($1.group == nil ? 0 : Self.groupHeight) })
    let most = rows.map(\.total).max() ?? 0
    var next = 0.0
    for row in rows {
      if let group = row.group {
        drawing.text(HTML.shortened(group, to: 50), x: 0, y: next + 18, class: "group-name")
        next += Self.groupHeight
      }
      let top = next
      next += Self.rowHeight
      drawing.text(HTML.shortened(row.name, to: 42), x: 0, y: top + 12, class: "row-name")
      drawing.text(row.words, x: 1, y: top + 12, anchor: .end, class: "row-value")
      let whole = showsShares ? row.total : most
      guard whole > 0 else { continue }
      var start = 0.0
      for part in row.parts where part.value > 0 {
        let width = part.value / whole
        drawing.area(
          x: start, y: top + 18, width: width, height: Self.barHeight, series: part.series,
          tooltip: "\(row.name): \(part.name) \(part.words)")
        let names = ["\(part.name) \(HumanUnits.share(part.value / row.total))", part.name]
        if let name = names.first(where: { Double($0.count) * Self.letter <= width }) {
          drawing.text(
            name, x: start + width / 2, y: top + 18 + Self.barHeight + 13, anchor: .middle, class: "tick")
        }
        start += width
      }
    }
    return drawing.html
  }
}
