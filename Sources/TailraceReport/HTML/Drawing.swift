import Foundation

/// A picture as wide as its place and of a fixed height: across, places are shares of the width, so that text keeps its
/// size on a phone and on a wide screen; down, they are pixels.
struct Drawing {
  /// A unique name within the page.
  var id: String
  /// What the picture shows, in a few words.
  var title: String
  /// What can be seen in it, for whoever does not see it.
  var description: String
  var height: Double
  /// Whether room is left for ``label(_:y:)`` on the left.
  var hasGutter: Bool
  private(set) var content = HTML()

  init(id: String, title: String, description: String, height: Double, hasGutter: Bool = false) {
    self.hasGutter = hasGutter
    self.id = id
    self.title = title
    self.description = description
    self.height = height
  }

  /// Units across of ``path(_:class:top:height:)``.
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

  /// Words in the gutter, flush right.
  mutating func label(_ words: String, y: Double) {
    content.element("text", ["x": "-8", "y": Self.number(y), "text-anchor": "end", "class": "tick"], words)
  }

  /// A small shape that keeps its form, about a place.
  mutating func mark(_ shape: String, x: Double, y: Double, class name: String) {
    content.element("svg", ["x": Self.percent(x), "y": Self.number(y), "overflow": "visible", "width": "1"]) {
      $0.empty("path", ["d": shape, "class": name])
    }
  }

  /// A path in units of ``pathWidth`` across and pixels down, stretched to the picture's width; its strokes are not.
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

  /// Two decimals, none where they are 0.
  static func number(_ value: Double) -> String {
    var text = HumanUnits.fixed(value, decimals: 2)
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text == "-0" ? "0" : text
  }
}

/// Areas told apart by a texture as well as by a colour.
///
/// A texture is one or two lines along the area, in the colour of the paper, thin or as thick as the area is high,
/// drawn through or dashed. Patterns of fills would do the same, but become pictures of millions of points in print.
enum Texture {
  private struct Cut {
    /// Where the line is: a share of the height.
    var place: Double
    /// Of the line: a share of the height.
    var thickness: Double
    var dash = ""
  }
  private static let cuts: [[Cut]] = [
    [], [Cut(place: 0.5, thickness: 1, dash: "1.2 6")], [Cut(place: 0.5, thickness: 0.16, dash: "2.5 7")],
    [Cut(place: 0.34, thickness: 0.1), Cut(place: 0.66, thickness: 0.1)],
    [Cut(place: 0.5, thickness: 1, dash: "1.2 2.6")], [Cut(place: 0.5, thickness: 0.3)],
  ]

  /// An area of a series; beyond the last of the palette it has that one's colour and texture.
  ///
  /// - Parameters:
  ///   - x: the left edge, a share of the width; `width` is one too.
  ///   - tooltip: shown where the pointer rests.
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
