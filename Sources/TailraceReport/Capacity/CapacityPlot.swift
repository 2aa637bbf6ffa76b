import TailraceMeasurement

/// A character plot of response time against load, with several curves.
enum CapacityPlot {
  private static let width = 64
  private static let height = 14

  /// Draws each curve's p99 of response time over the rate, on a logarithmic axis; empty if fewer than two rates have
  /// one. Each curve has a letter; `*` is two points in one place; `|` marks a limit.
  static func render(_ curves: [(letter: Character, search: CapacitySearch)]) -> [String] {
    let points = curves.flatMap { curve in
      curve.search.points.compactMap { point in
        point.responseP99.map { (curve.letter, point.rate, max($0.value, 1)) }
      }
    }
    let rates = points.map(\.1)
    guard let low = rates.min(), let high = rates.max(), low < high else { return [] }
    let values = points.map { logarithm($0.2) }
    let (bottom, top) = (values.min()!, max(values.max()!, values.min()! + 0.1))
    func column(_ rate: Double) -> Int { Int(((rate - low) / (high - low) * Double(width - 1)).rounded()) }
    var grid = [[Character]](repeating: Array(repeating: " ", count: width), count: height)
    for curve in curves {
      guard let limit = curve.search.limit, limit.rate.value >= low, limit.rate.value <= high else { continue }
      for row in 0..<height { grid[row][column(limit.rate.value)] = "|" }
    }
    for (point, value) in zip(points, values) {
      let row = height - 1 - Int(((value - bottom) / (top - bottom) * Double(height - 1)).rounded())
      let place = column(point.1)
      let present = grid[row][place]
      grid[row][place] = present == " " || present == "|" || present == point.0 ? point.0 : "*"
    }
    var lines = ["p99 of response"]
    for (row, cells) in grid.enumerated() {
      // Three labels are enough.
      let share = Double(height - 1 - row) / Double(height - 1)
      let isLabelled = row == 0 || row == height - 1 || row == height / 2
      let label = isLabelled ? HumanUnits.time(power(bottom + share * (top - bottom))) : ""
      lines.append("\(TextPlot.right(label, 9)) ┤\(String(cells))".trimmedAtEnd)
    }
    lines.append("\(TextPlot.right("", 9)) └" + String(repeating: "─", count: width))
    let (left, right) = (CapacityWords.rate(low), CapacityWords.rate(high))
    let gap = String(repeating: " ", count: max(1, width - left.count - right.count))
    lines.append("\(TextPlot.right("", 9))  \(left)\(gap)\(right)")
    return lines
  }

  /// Base 2, so that the plot does not depend on a math library's last digit.
  private static func logarithm(_ value: Double) -> Double {
    let exponent = Double(value.exponent)
    // Linear between powers of two, which is accurate enough for rows of characters.
    return exponent + (value.significand - 1)
  }

  private static func power(_ logarithm: Double) -> Double {
    let whole = logarithm.rounded(.down)
    return Double(sign: .plus, exponent: Int(whole), significand: 1 + (logarithm - whole))
  }
}
