import TailraceCore
import TailraceReport

/// A metric of a running comparison.
struct IntervalLine: Hashable, Sendable {
  /// The verdict of the rounds so far.
  enum Verdict: String, Hashable, Sendable {
    case better, worse, same, unclear
  }
  /// The metric, in the notation of `--metric`.
  var name: String
  /// The confidence interval of the relative change: −0.03 is 3 % less. nil: too few rounds.
  var low: Double?
  var high: Double?
  /// Changes up to this size, in either direction, count as no difference.
  var delta: Double
  /// nil: too few rounds.
  var verdict: Verdict?

  init(name: String, low: Double? = nil, high: Double? = nil, delta: Double, verdict: Verdict? = nil) {
    self.name = name
    self.low = low
    self.high = high
    self.delta = delta
    self.verdict = verdict
  }
}

/// The progress of a comparison.
struct ComparisonProgress: Hashable, Sendable {
  /// The candidates: `main → candidate`.
  var title: String
  /// Completed rounds.
  var round: Int
  /// The maximum number of rounds.
  var rounds: Int
  /// nil: unknown.
  var left: Nanoseconds?
  var metrics: [IntervalLine]

  init(title: String, round: Int, rounds: Int, left: Nanoseconds? = nil, metrics: [IntervalLine] = []) {
    self.title = title
    self.round = round
    self.rounds = rounds
    self.left = left
    self.metrics = metrics
  }

  /// A line for a log.
  var plain: String {
    let metrics = metrics.map { metric in
      guard let low = metric.low, let high = metric.high else { return "\(metric.name) –" }
      let word = metric.verdict.map { " \($0.rawValue)" } ?? ""
      return "\(metric.name) \(Self.change(low)) to \(Self.change(high))\(word)"
    }
    let left = left.map { ["\(ProgressText.time($0)) left"] } ?? []
    return "\(title): " + (["round \(round) of \(rounds)"] + metrics + left).joined(separator: "; ")
  }

  /// `-3.20 %`, `+0.41 %`.
  static func change(_ ratio: Double) -> String {
    ratio == 0 ? "0 %" : (ratio > 0 ? "+" : "") + HumanUnits.share(ratio)
  }
}

/// A full-screen view of a running comparison: one interval per metric, all on one axis.
///
/// The axis has a fixed scale, so that narrowing intervals are visible. It reaches at most ten times δ; an arrow at its
/// end marks anything beyond.
struct ComparisonFrame {
  private let progress: ComparisonProgress
  private let size: FrameSize
  private let glyphs: Glyphs
  /// The largest change on the axis.
  private let reach: Double
  /// Minimum width of the axis in columns; narrower ones are not drawn.
  private static let least = 31

  /// Possible axis lengths on either side of zero.
  private static let lengths = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]

  /// The frame's lines, which fit on the terminal in both directions.
  static func lines(
    _ progress: ComparisonProgress, in size: FrameSize, glyphs: Glyphs = .unicode
  ) -> [FrameLine] {
    let wanted = progress.metrics.map { metric in
      min(max(metric.low?.magnitude ?? 0, metric.high?.magnitude ?? 0, 2 * metric.delta), 10 * metric.delta)
    }
    let reach = lengths.first { $0 >= wanted.max() ?? 0 } ?? 1
    let frame = ComparisonFrame(progress: progress, size: size, glyphs: glyphs, reach: reach)
    return frame.all.prefix(max(1, size.height - 1)).map { $0.cut(to: size.width - 1) }
  }

  private var isNarrow: Bool { size.width < 72 }

  private var all: [FrameLine] {
    var status = "round \(progress.round) of \(progress.rounds)"
    if let left = progress.left { status += ", \(ProgressText.time(left)) left" }
    let head =
      isNarrow
      ? [FrameLine(progress.title, .bold), FrameLine(status)]
      : [FrameLine(progress.title, .bold) + glyphs.between + status]
    return head + (size.height > progress.metrics.count + 6 ? [FrameLine()] : []) + [axis] + rows
  }

  private var nameWidth: Int { min(progress.metrics.map(\.name.count).max() ?? 0, max(8, size.width / 3)) }
  /// The width that remains beside the name, its gap and the verdict.
  private var room: Int { size.width - 1 - (nameWidth + 2) - 11 }
  private var showsNumbers: Bool { room - 22 >= Self.least }
  /// An odd number, so that there is a middle; 0: no space.
  private var plotWidth: Int {
    let width = min(61, room - (showsNumbers ? 22 : 0))
    return width < 11 ? 0 : width - (width + 1) % 2
  }

  private var axis: FrameLine {
    let percent = "\(Int((reach * 100).rounded())) %"
    let half = plotWidth / 2
    guard half > percent.count + 1 else { return FrameLine("±\(percent)", .dim) }
    let marks = "-\(percent)".padded(to: half) + "0" + "+\(percent)".indented(to: half)
    return FrameLine(String(repeating: " ", count: nameWidth + 2) + marks, .dim)
  }

  private var rows: [FrameLine] {
    progress.metrics.map { metric in
      let (glyph, word, style) = verdict(metric.verdict)
      var line = FrameLine(String(metric.name.prefix(nameWidth)).padded(to: nameWidth + 2))
      if plotWidth > 0 { line = line + FrameLine(plot(metric), style == .dim ? nil : style) }
      line = line + FrameLine(word.isEmpty ? "  \(glyph)" : "  \(glyph) \(word)", style)
      guard showsNumbers else { return line }
      let numbers =
        if let low = metric.low, let high = metric.high {
          "\(ComparisonProgress.change(low)) to \(ComparisonProgress.change(high))"
        } else {
          "too few rounds"
        }
      return line + String(repeating: " ", count: word.isEmpty ? 10 : max(0, 7 - word.count) + 2) + numbers
    }
  }

  private func verdict(_ verdict: IntervalLine.Verdict?) -> (Character, String, Terminal.Style) {
    switch verdict {
    case .better: (glyphs.met, "better", .green)
    case .worse: (glyphs.missed, "worse", .red)
    case .same: ("=", "same", .green)
    case .unclear: (glyphs.unknown, "unclear", .dim)
    case nil: (glyphs.dot, "", .dim)
    }
  }

  /// The band of negligible changes, the zero, and the interval on top.
  private func plot(_ metric: IntervalLine) -> String {
    var cells = [Character](repeating: " ", count: plotWidth)
    func column(_ change: Double) -> Int {
      let place = (change / reach + 1) / 2 * Double(plotWidth - 1)
      return Int(min(max(place, 0), Double(plotWidth - 1)).rounded())
    }
    for index in column(-metric.delta)...column(metric.delta) { cells[index] = glyphs.band }
    cells[plotWidth / 2] = glyphs.zero
    guard let low = metric.low, let high = metric.high, low <= high else { return String(cells) }
    let (first, last) = (column(low), column(high))
    for index in first...last { cells[index] = index == plotWidth / 2 ? glyphs.cross : glyphs.span }
    if first == last { cells[first] = glyphs.point }
    if first < last { (cells[first], cells[last]) = (glyphs.left, glyphs.right) }
    if low < -reach { cells[first] = glyphs.before }
    if high > reach { cells[last] = glyphs.beyond }
    return String(cells)
  }
}
