/// An observed value and its limit: a bar for the value, a stroke at the limit.
struct MarginBar {
  var observed: Double
  var limit: Double
  var isMet: Bool
  /// A description for screen readers.
  var words: String

  /// The limit's position. A value beyond the right end is cut off there and marked.
  private static let limitPlace = 0.68
  private static let width = 132.0
  private static let height = 16.0

  /// nil: a limit of 0 cannot be drawn.
  var html: HTML? {
    guard limit > 0, observed.isFinite, observed >= 0 else { return nil }
    let share = observed / limit * Self.limitPlace
    let length = min(1, share) * Self.width
    let place = Drawing.number(Self.limitPlace * Self.width)
    var html = HTML()
    html.element(
      "svg",
      [
        "class": "margin", "role": "img", "aria-label": words, "width": Drawing.number(Self.width),
        "height": Drawing.number(Self.height),
        "viewBox": "0 0 \(Drawing.number(Self.width)) \(Drawing.number(Self.height))",
      ]
    ) {
      $0.empty("rect", ["x": "0", "y": "5", "width": Drawing.number(Self.width), "height": "6", "class": "track"])
      $0.empty(
        "rect",
        [
          "x": "0", "y": "4", "width": Drawing.number(max(1.5, length)), "height": "8",
          "class": isMet ? "value met" : "value missed",
        ])
      $0.empty("line", ["x1": place, "x2": place, "y1": "0", "y2": "16", "class": "gate-line"])
      if share > 1 { $0.empty("path", ["d": "M\(Drawing.number(Self.width - 7)) 2l5 6l-5 6", "class": "beyond"]) }
    }
    return html
  }
}
