import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailraceReplay
import TailraceReport

/// A full-screen view of the current run.
struct RunFrame {
  private let history: ProgressHistory
  private let progress: SuiteProgress
  private let figures: LiveFigures
  private let size: FrameSize
  private let glyphs: Glyphs

  /// The frame's lines. They fit on the terminal in both directions, so the cursor stays behind the last line and
  /// nothing scrolls. Empty before the first progress.
  static func lines(_ history: ProgressHistory, in size: FrameSize, glyphs: Glyphs = .unicode) -> [FrameLine] {
    guard let progress = history.latest else { return [] }
    let frame = RunFrame(
      history: history, progress: progress, figures: progress.figures ?? LiveFigures(), size: size, glyphs: glyphs)
    return frame.fitted.map { $0.cut(to: size.width - 1) }
  }

  private var isNarrow: Bool { size.width < 64 }

  /// If space is short, drops blank lines first, then the bar, then targets that are not missed, then the last lines.
  private var fitted: [FrameLine] {
    let room = max(1, size.height - 1)
    var blocks = [head, load, times, targets(all: true)].filter { !$0.isEmpty }
    func joined(by blank: [FrameLine]) -> [FrameLine] { Array(blocks.joined(separator: blank)) }
    if joined(by: [FrameLine()]).count <= room { return joined(by: [FrameLine()]) }
    if joined(by: []).count > room, !bar.isEmpty { blocks[0].removeLast() }
    if !figures.targets.isEmpty {
      let others = blocks.dropLast().reduce(0) { $0 + $1.count }
      // Keep at least the tally and one missed target; they have precedence over percentiles.
      let least = min(room, figures.count(.missed) > 0 ? 2 : 1)
      blocks[2].removeLast(min(blocks[2].count, max(0, others + least - room)))
      blocks[3] = targets(all: false, room: max(least, room - others))
    }
    return Array(joined(by: []).prefix(room))
  }

  // MARK: Head

  private var head: [FrameLine] {
    var title = FrameLine("[\(progress.index)/\(progress.count)] \(progress.scenario) on \(progress.system)", .bold)
    if figures.isWarmingUp { title = title + glyphs.between + FrameLine("warming up", .yellow) }
    var time = ProgressText.time(progress.elapsed)
    if let virtual = progress.virtualTime { time += ", \(HumanUnits.time(Double(virtual.rawValue))) of virtual time" }
    if let left = progress.left { time += ", \(ProgressText.time(left)) left" }
    if isNarrow { return [title, FrameLine(time)] + bar }
    return [title + glyphs.between + time] + bar
  }

  private var bar: [FrameLine] {
    guard let share = progress.share else { return [] }
    let percent = "  \(Int(share * 100)) %"
    return [FrameLine(glyphs.bar(share, width: max(4, min(100, size.width - 2) - 7)), .dim) + percent]
  }

  // MARK: Jobs, throughput and queue

  private var load: [FrameLine] {
    var jobs = ["\(count(progress.jobs)) submitted", "\(count(figures.settled)) settled"]
    if let counts = figures.counts {
      if isNarrow { jobs.removeFirst() }
      jobs.append("\(count(counts.running)) running")
      if counts.later > 0, !isNarrow { jobs.append("\(count(counts.later)) due later") }
    }
    var line = FrameLine("jobs".padded(to: isNarrow ? 6 : 13) + jobs.joined(separator: ", "))
    for (number, word) in [(figures.turnedAway, "turned away"), (figures.deadLettered, "failed permanently")]
    where number > 0 {
      line = line + ", " + FrameLine("\(count(number)) \(word)", .red)
    }
    let rate = figures.throughput.map { "\(HumanUnits.digits($0)) /s" } ?? "–"
    let depth = figures.counts.map { count($0.waiting) } ?? "–"
    return [
      line, picture("throughput", rate) { $0.throughput },
      picture("queue depth", depth) { $0.waiting.map { Double($0) } },
    ]
  }

  private func picture(_ name: String, _ present: String, _ value: (ProgressHistory.Moment) -> Double?) -> FrameLine {
    let text = name.padded(to: 11) + present.indented(to: isNarrow ? 10 : 13) + "  "
    let width = min(60, size.width - 1 - text.count - (isNarrow ? 0 : 18))
    guard width >= 5 else { return FrameLine(text) }
    let columns = history.columns(width, value)
    let most = columns.compactMap { $0 }.max().map { "  to \(HumanUnits.digits($0))" } ?? ""
    let spark = FrameLine(glyphs.sparkline(columns).padded(to: width), .cyan)
    return FrameLine(text) + spark + FrameLine(isNarrow ? "" : most, .dim)
  }

  private func count(_ number: Int) -> String { HumanUnits.count(Double(number)) }

  // MARK: Percentiles

  private var times: [FrameLine] {
    let width = isNarrow ? 9 : 12
    let first = isNarrow ? 9 : 13
    func row(_ name: String, _ cells: [String], _ style: Terminal.Style? = nil) -> FrameLine {
      FrameLine(name.padded(to: first) + cells.map { $0.indented(to: width) }.joined(), style)
    }
    func row(_ name: String, _ values: LiveFigures.Percentiles?) -> FrameLine {
      let all = [values?.p50, values?.p90, values?.p99, values?.max]
      return row(name, shown(all).map { $0.map { HumanUnits.time(Double($0.rawValue)) } ?? "–" })
    }
    var lines = [
      row("", shown(["p50", "p90", "p99", "max"]), .dim), row("response", figures.response),
      row("waiting", figures.waiting),
    ]
    if figures.share < 0.995 {
      let share = HumanUnits.share(figures.share)
      lines.append(FrameLine("from \(share) of the jobs: they arrive faster than the display reads them", .dim))
    }
    return lines
  }

  /// If four columns do not fit, p90 is omitted.
  private func shown<Value>(_ cells: [Value]) -> [Value] {
    guard size.width < 46 else { return cells }
    return cells.indices.filter { $0 != 1 }.map { cells[$0] }
  }

  // MARK: Targets

  private func targets(all: Bool, room: Int = .max) -> [FrameLine] {
    guard !figures.targets.isEmpty else { return [] }
    func title(_ shown: String) -> FrameLine {
      FrameLine("targets so far: \(ProgressText.tally(figures))\(shown)", .bold)
    }
    if all || figures.targets.count < room { return [title("")] + figures.targets.map(row) }
    // Missed targets must not be overlooked.
    let ordered =
      figures.targets.filter { $0.verdict == .missed } + figures.targets.filter { $0.verdict != .missed }
    let places = max(0, room - 1)
    return Array(([title("; \(places) shown")] + ordered.prefix(places).map(row)).prefix(max(1, room)))
  }

  private func row(_ target: TargetSoFar) -> FrameLine {
    let (glyph, style): (Character, Terminal.Style) =
      switch target.verdict {
      case .met: (glyphs.met, .green)
      case .missed: (glyphs.missed, .red)
      case .noSamples: (glyphs.dot, .dim)
      case .atTheEnd: (glyphs.unknown, .dim)
      }
    let observed = HumanUnits.value(target.observed, target.unit).indented(to: isNarrow ? 9 : 12)
    return FrameLine("\(glyph) \(target.verdict.rawValue.padded(to: 10))", style) + observed
      + "  \(target.expression)"
  }
}
