/// Estimates with their confidence intervals around a zero line, and the band of negligible differences.
struct IntervalPlot {
  struct Row {
    var name: String
    /// The estimate and its interval as text.
    var words: String
    var low: Double
    var estimate: Double
    var high: Double
    /// The mark's class: `better`, `worse`, `same` or `unclear`.
    var verdict: String
  }

  var id: String
  var title: String
  var description: String
  var rows: [Row]
  /// Half the width of the band.
  var delta: Double
  /// The axis has steps of this size or a multiple; nil: round steps.
  var step: Double?
  /// A difference as an axis label.
  var label: (Double) -> String

  private static let rowHeight = 44.0

  /// The axis, symmetrical around zero.
  var scale: Scale {
    let most = rows.flatMap { [abs($0.low), abs($0.high)] }.filter(\.isFinite).max() ?? 0
    let reach = max(most, delta * 1.5, 1e-6)
    let step = self.step.map { $0 * (reach / $0 / 4).rounded(.up) } ?? Scale.niceStep(reach / 2.5)
    let end = (reach / step - 1e-9).rounded(.up) * step
    let count = Int((end / step).rounded())
    return Scale(
      kind: .linear, low: -end, high: end,
      ticks: (-count...count).map { Scale.Tick(value: Double($0) * step, label: label(Double($0) * step)) })
  }

  var html: HTML {
    let base = Double(rows.count) * Self.rowHeight
    let scale = scale
    var drawing = Drawing(id: id, title: title, description: description, height: base + 24)
    drawing.rectangle(
      x: scale.place(-delta), y: 0, width: scale.place(delta) - scale.place(-delta), height: base, class: "band")
    for (index, tick) in scale.ticks.enumerated() {
      let place = scale.place(tick.value)
      drawing.line(place, 0, place, base + 4, class: tick.value == 0 ? "zero" : "grid")
      // On a phone only every other number fits.
      let isSpare = (index - scale.ticks.count / 2) % 2 != 0
      let anchor: Drawing.Anchor = place < 0.04 ? .start : place > 0.96 ? .end : .middle
      drawing.text(tick.label, x: place, y: base + 18, anchor: anchor, class: isSpare ? "tick spare" : "tick")
    }
    drawing.line(0, base, 1, base, class: "axis")
    for (index, row) in rows.enumerated() {
      let top = Double(index) * Self.rowHeight
      let middle = top + 29
      drawing.text(HTML.shortened(row.name, to: 42), x: 0, y: top + 14, class: "row-name")
      // On a phone only one of them fits if both are long; the table contains the text too.
      let isSpare = row.name.count + row.words.count > 48
      drawing.text(row.words, x: 1, y: top + 14, anchor: .end, class: isSpare ? "row-value spare" : "row-value")
      let (low, high) = (scale.place(row.low), scale.place(row.high))
      drawing.line(low, middle, high, middle, class: "whisker \(row.verdict)")
      for end in [low, high] { drawing.line(end, middle - 5, end, middle + 5, class: "whisker \(row.verdict)") }
      drawing.mark(Self.shape(row.verdict), x: scale.place(row.estimate), y: middle, class: "estimate \(row.verdict)")
    }
    return drawing.html
  }

  /// A shape for each verdict, so that color is not needed: down and up triangles, a square, a ring.
  static func shape(_ verdict: String) -> String {
    switch verdict {
    case "better": "M0 -6L6 5L-6 5Z"
    case "worse": "M0 6L6 -5L-6 -5Z"
    case "same": "M-5 -5H5V5H-5Z"
    default: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z"
    }
  }
}
