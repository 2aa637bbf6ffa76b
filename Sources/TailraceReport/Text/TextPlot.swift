import TailraceCore
import TailraceMeasurement

/// Charts made of text.
enum TextPlot {
  private static let eighths = Array(" ▁▂▃▄▅▆▇█")

  /// The maximum width of a chart in columns.
  static let width = 60

  /// The values to draw, at most ``width`` of them.
  static func columns(_ series: Series) -> [Double] { resampled(series.values, to: width) }

  /// A line of bars, scaled from 0 to the maximum.
  static func sparkline(_ values: [Double]) -> String {
    guard let most = values.max(), most > 0 else { return String(repeating: "▁", count: values.count) }
    return String(values.map { $0 <= 0 ? eighths[0] : eighths[min(8, max(1, Int(($0 / most * 8).rounded(.up))))] })
  }

  /// The means of at most `width` intervals of equal length.
  static func resampled(_ values: [Double], to width: Int) -> [Double] {
    guard values.count > width else { return values }
    return (0..<width).map { index in
      let stretch = values[(index * values.count / width)..<((index + 1) * values.count / width)]
      return stretch.reduce(0, +) / Double(stretch.count)
    }
  }

  /// A histogram on a logarithmic axis: one bar per row, rows in 1–2–5 steps per decade.
  static func histogram(_ samples: Distribution, width: Int = 40) -> [String] {
    let edges = edges(from: Double(samples.bins.first?.lowest ?? 0), to: Double(samples.bins.last?.highest ?? 0))
    var counts = [UInt64](repeating: 0, count: edges.count + 1)
    for bin in samples.bins { counts[edges.firstIndex { bin.middle < $0 } ?? edges.count] += bin.count }
    guard let first = counts.firstIndex(where: { $0 > 0 }), let last = counts.lastIndex(where: { $0 > 0 }) else {
      return []
    }
    let most = Double(counts.max() ?? 1)
    var seen: UInt64 = 0
    return (first...last).map { row in
      seen += counts[row]
      let upper = row < edges.count ? "< " + HumanUnits.time(edges[row]) : "≥ " + HumanUnits.time(edges.last ?? 0)
      let length = Double(counts[row]) / most * Double(width)
      let bar = String(repeating: "█", count: Int(length)) + (length > 0 && length < 1 ? "▏" : "")
      let share = HumanUnits.fixed(100 * Double(seen) / Double(samples.count), decimals: 2)
      return "\(right(upper, 10)) \(right(HumanUnits.count(Double(counts[row])), 10)) \(right(share, 7)) %  \(bar)"
        .trimmedAtEnd
    }
  }

  /// The bounds between rows: 1–2–5 steps, refined until there are about ten rows.
  private static func edges(from low: Double, to high: Double) -> [Double] {
    let fine: [[Double]] = [[1, 2, 5], [1, 1.5, 2, 3, 5, 7], [1, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 4, 5, 6, 7, 8.5]]
    var edges: [Double] = []
    for steps in fine {
      edges = []
      var decade = 1.0
      while decade <= max(high, 1) {
        edges += steps.map { $0 * decade }.filter { $0 > low && $0 <= high * 2.5 }
        decade *= 10
      }
      // The first bound above the maximum ends the last row.
      if let end = edges.firstIndex(where: { $0 > high }) { edges.removeSubrange((end + 1)...) }
      if edges.count >= 8 { break }
    }
    return edges
  }

  /// Right-aligned text.
  static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
  /// Left-aligned text.
  static func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}

extension String {
  var trimmedAtEnd: String { String(reversed().drop { $0 == " " }.reversed()) }
}
