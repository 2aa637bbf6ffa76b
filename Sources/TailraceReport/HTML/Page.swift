/// A whole page: one self-contained file without scripts.
struct Page {
  var title: String
  /// The line at the top of every page, before the title.
  var kind: String
  /// The version of the program that made the page.
  var version: String

  /// - Parameters:
  ///   - header: The verdict.
  ///   - body: Everything else.
  func render(header: (inout HTML) -> Void, body: (inout HTML) -> Void) -> String {
    var html = HTML()
    html.element("html", ["lang": "en"]) {
      $0.element("head") {
        $0.empty("meta", ["charset": "utf-8"])
        $0.empty("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        $0.empty("meta", ["name": "color-scheme", "content": "light dark"])
        $0.element("title", title)
        $0.style(StyleSheet.text)
      }
      $0.element("body") {
        $0.element("a", ["class": "skip", "href": "#content"], "Skip to the results")
        $0.element("div", ["class": "page"]) {
          $0.element("header") {
            $0.element("p", ["class": "eyebrow"], "Tailrace · \(kind)")
            header(&$0)
          }
          $0.element("main", ["id": "content", "tabindex": "-1"], content: body)
          $0.element(
            "footer", "Made by tailrace \(version). This file is self-contained: it loads nothing and runs no scripts.")
        }
      }
    }
    return "<!DOCTYPE html>\n" + html.text
  }
}

extension HTML {
  /// A table; numbers are right-aligned.
  ///
  /// - Parameters:
  ///   - caption: The table's caption, also the name of its scrolling region.
  ///   - isQuiet: Whether the caption is for screen readers only, because the heading repeats it.
  ///   - style: The table's class in the style sheet; nil: none.
  mutating func table(
    _ caption: String, isQuiet: Bool = true, style: String? = nil, columns: [Table.Column], rows: [[HTML]]
  ) {
    guard !rows.isEmpty else { return }
    element("div", ["class": "scroll", "role": "region", "aria-label": caption, "tabindex": "0"]) {
      $0.element("table", style.map { ["class": $0] } ?? [:]) {
        $0.element("caption", ["class": isQuiet ? "hidden" : "shown"], caption)
        $0.element("thead") {
          $0.element("tr") { html in
            for column in columns {
              html.element("th", ["scope": "col", "class": column.kind == .number ? "number" : "plain"]) {
                $0.prose(column.title)
              }
            }
          }
        }
        $0.element("tbody") { html in
          for row in rows {
            html.element("tr") { html in
              for (index, cell) in row.enumerated() where index < columns.count {
                if index == 0 {
                  html.element("th", ["scope": "row", "class": columns[0].kind == .number ? "number" : "text"]) {
                    $0.add(cell)
                  }
                } else {
                  let kind = columns[index].kind == .number ? "number" : cell.text.count > 40 ? "words" : "text"
                  html.element("td", ["class": kind]) { $0.add(cell) }
                }
              }
            }
          }
        }
      }
    }
  }

  /// A table whose cells are text with markup.
  mutating func table(_ caption: String, isQuiet: Bool = true, columns: [Table.Column], words: [[String]]) {
    table(caption, isQuiet: isQuiet, columns: columns, cells: words.map { [Table.Cell](words: $0) })
  }

  /// A table of text and verdicts.
  mutating func table(_ caption: String, isQuiet: Bool = true, columns: [Table.Column], cells: [[Table.Cell]]) {
    table(
      caption, isQuiet: isQuiet, columns: columns,
      rows: cells.map { row in
        row.map { cell in
          switch cell {
          case .words(let words): HTML(prose: words)
          case .verdict(let label): HTML.chip(label)
          }
        }
      })
  }

  init(prose words: String) {
    self.init()
    prose(words)
  }

  /// A chart's data, collapsed.
  mutating func numbers(_ caption: String, columns: [Table.Column], words: [[String]]) {
    numbers(caption, columns: columns, cells: words.map { [Table.Cell](words: $0) })
  }

  /// A chart's data with verdicts, collapsed.
  mutating func numbers(_ caption: String, columns: [Table.Column], cells: [[Table.Cell]]) {
    element("details", ["class": "numbers"]) {
      $0.element("summary", "Data")
      $0.table(caption, isQuiet: false, columns: columns, cells: cells)
    }
  }

  /// A chart under its title.
  mutating func figure(
    _ title: String, note: String = "", legend: HTML = HTML(), picture: HTML, numbers: (inout HTML) -> Void
  ) {
    element("figure") {
      $0.element("figcaption") {
        $0.element("h4", title)
        if !note.isEmpty { $0.element("p", ["class": "note"]) { $0.prose(note) } }
      }
      $0.add(legend)
      $0.add(picture)
      numbers(&$0)
    }
  }

  /// An entry of a chart's legend.
  struct LegendEntry {
    enum Sample {
      /// A line in the palette's color and dash pattern.
      case line(Int)
      /// A target's limit.
      case limit
      /// A position on the horizontal axis.
      case place
      /// A shaded range.
      case band
    }
    var name: String
    var sample: Sample
  }

  /// A legend of a chart's lines and marks; nothing without entries.
  static func legend(_ entries: [LegendEntry]) -> HTML {
    var html = HTML()
    guard !entries.isEmpty else { return html }
    html.element("ul", ["class": "legend"]) { html in
      for entry in entries {
        html.element("li") {
          $0.element("svg", ["width": "30", "height": "12", "aria-hidden": "true"]) {
            switch entry.sample {
            case .line(let series):
              $0.empty("path", ["d": "M1 6h28", "class": "line l\(min(series, Palette.series.count - 1))"])
            case .limit: $0.empty("path", ["d": "M1 6h28", "class": "limit"])
            case .place: $0.empty("path", ["d": "M15 0v12", "class": "place"])
            case .band: $0.empty("path", ["d": "M1 0h28v12h-28z", "class": "band"])
            }
          }
          $0.words(entry.name)
        }
      }
    }
    return html
  }

  /// A legend of lines or areas.
  static func legend(_ entries: [(name: String, series: Int)], ofAreas: Bool) -> HTML {
    var html = HTML()
    guard entries.count > 1 || ofAreas else { return html }
    html.element("ul", ["class": "legend"]) { html in
      for entry in entries {
        html.element("li") {
          $0.element("svg", ["width": ofAreas ? "14" : "30", "height": "12", "aria-hidden": "true"]) {
            if ofAreas {
              $0.add(Texture.area(x: 0, y: 0, width: 1, height: 12, series: entry.series))
            } else {
              let series = min(entry.series, Palette.series.count - 1)
              $0.empty("path", ["d": "M1 6h28", "class": "line l\(series)"])
            }
          }
          $0.words(entry.name)
        }
      }
    }
    return html
  }

  /// A verdict in a table, with a sign and a color, and the text after it.
  static func chip(_ label: VerdictLabel) -> HTML {
    guard !label.sign.isEmpty else {
      return HTML("span", ["class": "chip \(label.kind.rawValue)"], label.word + label.note)
    }
    var html = HTML("span", ["class": "chip \(label.kind.rawValue)"], "\(label.sign) \(label.word)")
    html.prose(label.note)
    return html
  }

  /// Blocks of a Markdown page; headings are one level below `level`.
  mutating func add(_ blocks: [Markdown.Block], level: Int = 3, caption: String = "") {
    var caption = caption
    for block in blocks {
      switch block {
      case .heading(_, let words):
        caption = words
        element("h\(level)") { $0.prose(words) }
      case .paragraph(let words): element("p") { $0.prose(words) }
      case .list(let items):
        element("ul") { html in for item in items { html.element("li") { $0.prose(item) } } }
      case .figure(let lines): element("pre", lines.joined(separator: "\n"))
      case .table(let columns, let rows): table(caption, columns: columns, cells: rows)
      }
    }
  }

  /// Blocks under a heading that collapses them.
  mutating func folded(_ blocks: [Markdown.Block], isOpen: Bool = false) {
    guard case .heading(_, let words)? = blocks.first, blocks.count > 1 else { return }
    element("details", isOpen ? ["class": "more", "open": ""] : ["class": "more"]) {
      $0.element("summary", words)
      $0.add(Array(blocks.dropFirst()), caption: words)
    }
  }

  /// A style sheet. It is not escaped and contains no text of a result.
  fileprivate mutating func style(_ rules: String) { element("style", [:]) { $0.verbatim(rules) } }
}
