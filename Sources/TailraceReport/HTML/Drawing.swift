import Foundation

/// A drawing with the width of its container and a fixed height. Horizontal positions are shares of the width, so text
/// keeps its size on phones and wide screens; vertical positions are pixels.
struct Drawing {
  /// A name that is unique in the page.
  var id: String
  /// A short title.
  var title: String
  /// A description for screen readers.
  var description: String
  var height: Double
  /// Whether to reserve space for ``label(_:y:)`` on the left.
  var hasGutter: Bool
  private(set) var content = HTML()

  init(id: String, title: String, description: String, height: Double, hasGutter: Bool = false) {
    self.hasGutter = hasGutter
    self.id = id
    self.title = title
    self.description = description
    self.height = height
  }

  /// The horizontal units of ``path(_:class:top:height:)``.
  static let pathWidth = 1_000.0

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, class name: String) {
    content.empty(
      "line",
      ["x1": Self.percent(x1), "y1": Self.number(y1), "x2": Self.percent(x2), "y2": Self.number(y2), "class": name])
  }

  mutating func rectangle(x: Double, y: Double, width: Double, height: Double, class name: String) {
    content.empty(
      "rect",
      [
        "x": Self.percent(x), "y": Self.number(y), "width": Self.percent(width), "height": Self.number(height),
        "class": name,
      ])
  }

  /// An area of a series; see ``Texture/area(x:y:width:height:series:isMarked:tooltip:)``.
  mutating func area(
    x: Double, y: Double, width: Double, height: Double, series: Int, isMarked: Bool = false, tooltip: String
  ) {
    content.add(
      Texture.area(
        x: x, y: y, width: width, height: height, series: series, isMarked: isMarked, tooltip: tooltip))
  }

  enum Anchor: String { case start, middle, end }

  mutating func text(_ words: String, x: Double, y: Double, anchor: Anchor = .start, class name: String) {
    content.element(
      "text", ["x": Self.percent(x), "y": Self.number(y), "text-anchor": anchor.rawValue, "class": name], words)
  }

  /// Right-aligned text in the gutter.
  mutating func label(_ words: String, y: Double) {
    content.element("text", ["x": "-8", "y": Self.number(y), "text-anchor": "end", "class": "tick"], words)
  }

  /// A small shape at a position, drawn without stretching.
  mutating func mark(_ shape: String, x: Double, y: Double, class name: String) {
    content.element("svg", ["x": Self.percent(x), "y": Self.number(y), "overflow": "visible", "width": "1"]) {
      $0.empty("path", ["d": shape, "class": name])
    }
  }

  /// A path in horizontal units of ``pathWidth`` and vertical pixels, stretched to the drawing's width. Strokes are not
  /// stretched.
  mutating func path(_ path: String, class name: String, top: Double, height: Double) {
    content.element(
      "svg",
      [
        "y": Self.number(top), "width": "100%", "height": Self.number(height), "overflow": "visible",
        "viewBox": "0 0 \(Self.number(Self.pathWidth)) \(Self.number(height))", "preserveAspectRatio": "none",
      ]
    ) { $0.empty("path", ["d": path, "class": name, "vector-effect": "non-scaling-stroke"]) }
  }

  var html: HTML {
    var html = HTML()
    html.element(
      "svg",
      [
        "class": hasGutter ? "picture gutter" : "picture", "role": "img", "aria-labelledby": "\(id)-t \(id)-d",
        "width": "100%",
        "height": Self.number(height),
      ]
    ) {
      $0.element("title", ["id": "\(id)-t"], title)
      $0.element("desc", ["id": "\(id)-d"], description)
      $0.add(content)
    }
    return html
  }

  /// A share of the width.
  static func percent(_ share: Double) -> String { "\(number(share * 100))%" }

  /// At most two decimals.
  static func number(_ value: Double) -> String {
    var text = HumanUnits.fixed(value, decimals: 2)
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text == "-0" ? "0" : text
  }
}

/// Areas that differ in texture as well as color.
///
/// A texture is one or two lines along the area in the background color, thin or as thick as the area is high, solid or
/// dashed. Pattern fills would look the same, but turn into huge bitmaps in print.
enum Texture {
  private struct Cut {
    /// The line's position, as a share of the height.
    var place: Double
    /// The line's width, as a share of the height.
    var thickness: Double
    var dash = ""
  }
  private static let cuts: [[Cut]] = [
    [], [Cut(place: 0.5, thickness: 1, dash: "1.2 6")], [Cut(place: 0.5, thickness: 0.16, dash: "2.5 7")],
    [Cut(place: 0.34, thickness: 0.1), Cut(place: 0.66, thickness: 0.1)],
    [Cut(place: 0.5, thickness: 1, dash: "1.2 2.6")], [Cut(place: 0.5, thickness: 0.3)],
  ]

  /// An area of a series. Series beyond the palette's end use its last color and texture.
  ///
  /// - Parameters:
  ///   - x: The left edge, as a share of the width, like `width`.
  ///   - tooltip: Text shown when the pointer hovers.
  static func area(
    x: Double, y: Double, width: Double, height: Double, series: Int, isMarked: Bool = false, tooltip: String? = nil
  ) -> HTML {
    let series = min(max(0, series), cuts.count - 1)
    var html = HTML()
    html.element("g") { html in
      if let tooltip { html.element("title", tooltip) }
      html.empty(
        "rect",
        [
          "x": Drawing.percent(x), "y": Drawing.number(y), "width": Drawing.percent(width),
          "height": Drawing.number(height), "class": "area a\(series)\(isMarked ? " failed" : "")",
        ])
      for cut in cuts[series] {
        let level = Drawing.number(y + cut.place * height)
        html.empty(
          "line",
          [
            "x1": Drawing.percent(x), "x2": Drawing.percent(x + width), "y1": level, "y2": level, "class": "cut",
            "stroke-width": Drawing.number(cut.thickness * height),
            "stroke-dasharray": cut.dash.isEmpty ? "none" : cut.dash,
          ])
      }
    }
    return html
  }
}
