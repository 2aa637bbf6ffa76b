import TailraceCore
import TailraceMeasurement

extension ScenarioPage {
  /// The maximum number of points of a line over time.
  private static let pointLimit = 160
  /// The maximum number of rows of a table over time.
  private static let rowLimit = 32

  /// Response time, queue, running and throughput over the run.
  func addSeries(_ run: RunResult, to html: inout HTML) {
    let measurement = run.measurement
    guard measurement.throughput.values.count >= 8, measurement.all.causes.total >= 20 else { return }
    let length = Double(measurement.throughput.values.count) * Double(measurement.throughput.width.rawValue)
    let x = Scale.time(to: length, count: 5, isOpen: true)
    html.element("h3", ["id": "\(id)-over"], "Over time")
    html.element("p", ["class": "note"]) {
      $0.prose(
        "From the run's start. Times outside the measurement window are shaded: their jobs run, but are not included "
          + "in the figures.")
    }
    html.element("div", ["class": "pictures"]) { html in
      addResponseOverTime(run, x: x, to: &html)
      let series: [(name: String, series: Series, unit: FigureUnit, colour: Int)] = [
        ("Queue depth", measurement.queueDepth, .factor, 1), ("Running", measurement.running, .factor, 2),
        ("Throughput", measurement.throughput, .rate, 0),
      ]
      for entry in series { add(entry.series, entry.name, entry.unit, entry.colour, run, x: x, to: &html) }
    }
  }

  /// The ranges outside the window.
  private func bands(_ run: RunResult, x: Scale) -> [LineChart.Band] {
    let (start, end) = (Double(run.measurement.windowStart.rawValue), Double(run.measurement.windowEnd.rawValue))
    var bands: [LineChart.Band] = []
    if start > 0 { bands.append(LineChart.Band(from: 0, to: start, words: "warm-up")) }
    // The short time in which the last jobs settle is not shown as a separate range.
    if x.place(end) < 0.98 { bands.append(LineChart.Band(from: end, to: x.high, words: "after the window")) }
    for kill in run.observations.crash?.kills.prefix(200) ?? [] {
      let at = Double(kill.at.rawValue)
      bands.append(LineChart.Band(from: at, to: min(x.high, at + x.high / 250), words: "a process was killed"))
    }
    return bands
  }

  private func add(
    _ series: Series, _ name: String, _ unit: FigureUnit, _ colour: Int, _ run: RunResult, x: Scale,
    to html: inout HTML
  ) {
    let values = TextPlot.resampled(series.values, to: Self.pointLimit)
    let span = Double(series.values.count) * Double(series.width.rawValue)
    let width = span / Double(max(1, values.count))
    let points = values.enumerated().map { LineChart.Point(x: (Double($0) + 0.5) * width, y: $1) }
    let most = values.max() ?? 0
    let (mean, peak) = (values.reduce(0, +) / Double(max(1, values.count)), HumanUnits.value(most, unit))
    let y = Scale.linear(to: max(most, 1e-9), count: 3) { value in
      unit == .rate ? "\(Scale.shortNumber(value)) /s" : Scale.shortNumber(value)
    }
    let chart = LineChart(
      id: "\(id)-\(HTML.identifier(name))", title: "\(name) over time",
      description: "Mean \(HumanUnits.value(mean, unit)), maximum \(peak), each over \(HumanUnits.time(width)).", x: x,
      y: y,
      lines: [LineChart.Line(name: name, series: colour, points: points, isThin: true, isFilled: true)],
      bands: bands(run, x: x), plotHeight: 110)
    let what = unit == .rate ? "jobs that ended" : name == "Running" ? "attempts running" : "attempts ready to start"
    html.figure(
      name, note: "\(what); each point is a mean over \(HumanUnits.time(width))", legend: chart.legend,
      picture: chart.html
    ) {
      let rows = TextPlot.resampled(values, to: Self.rowLimit)
      let step = span / Double(max(1, rows.count))
      $0.numbers(
        "\(name), \(scenario.name)", columns: ["From", .number("Mean until the next row")],
        words: rows.enumerated().map { [HumanUnits.time(Double($0) * step), HumanUnits.value($1, unit)] })
    }
  }

  private func addResponseOverTime(_ run: RunResult, x: Scale, to html: inout HTML) {
    guard let whole = run.measurement.responseOverTime, !whole.slots.isEmpty else { return }
    let (series, percentile) = Self.readable(whole)
    let width = Double(series.width.rawValue)
    func line(
      _ name: String, _ colour: Int, isThin: Bool = false, _ value: (ResponseSeries.Slot) -> Double?
    ) -> LineChart.Line {
      let points = series.slots.enumerated().map { index, slot in
        LineChart.Point(x: (Double(index) + 0.5) * width, y: slot.count == 0 ? nil : value(slot))
      }
      return LineChart.Line(name: name, series: colour, points: points, isThin: isThin)
    }
    let hasMedian = series.slots.contains { $0.percentile(50) != nil }
    var lines = [
      hasMedian ? line("p50", 0) { $0.percentile(50).map { Double($0.rawValue) } } : line("mean", 0) { $0.mean }
    ]
    if let percentile, percentile > 50 {
      let name = Statistic.percentile(percentile).name
      lines.append(line(name, 3) { $0.percentile(percentile).map { Double($0.rawValue) } })
    }
    lines.append(line("max", 1, isThin: true) { Double($0.max.rawValue) })
    let values = lines.flatMap { $0.points.compactMap(\.y) }
    let (y, limits) = timeScale(of: values, middle: lines[0].points.compactMap(\.y), run)
    let chart = LineChart(
      id: "\(id)-over-time", title: "Response time over time",
      description: Self.description(of: lines), x: x, y: y, lines: lines, limits: limits, bands: bands(run, x: x),
      plotHeight: 110)
    html.figure(
      "Response time",
      note: "of the jobs that settled within each \(HumanUnits.time(width)); percentiles to within 6 %",
      legend: chart.legend, picture: chart.html
    ) {
      let rows = series.widened(by: (series.slots.count + Self.rowLimit - 1) / Self.rowLimit)
      $0.numbers(
        "Response time over time, \(scenario.name)",
        columns: [
          "From", .number("Jobs"), .number("Mean"), .number("p50"), .number("p90"), .number("p99"), .number("Max"),
        ],
        words: rows.slots.enumerated().map { index, slot in
          let values =
            [slot.mean] + [50, 90, 99].map { slot.percentile($0).map { Double($0.rawValue) } }
            + [slot.count == 0 ? nil : Double(slot.max.rawValue)]
          return [
            HumanUnits.time(Double(index) * Double(rows.width.rawValue)), HumanUnits.count(Double(slot.count)),
          ] + values.map { HumanUnits.value($0, .time) }
        })
    }
  }

  /// Slots wide enough for a tail percentile in most of them, and that percentile; otherwise only the median.
  static func readable(_ series: ResponseSeries) -> (ResponseSeries, percentile: Double?) {
    for percentile in [99.0, 90, 50] {
      for factor in [1, 2, 4, 6, 8] where series.slots.count / factor >= 12 {
        let wide = series.widened(by: factor)
        let busy = wide.slots.filter { $0.count > 0 }
        let enough = busy.count { $0.count >= Distribution.samplesNeeded(for: percentile) }
        if Double(enough) >= 0.8 * Double(busy.count) { return (wide, percentile) }
      }
    }
    return (series.widened(by: max(1, series.slots.count / 16)), nil)
  }

  /// - Parameter middle: The medians over time.
  private func timeScale(
    of values: [Double], middle: [Double], _ run: RunResult
  ) -> (Scale, [LineChart.Limit]) {
    let most = values.max() ?? 1
    let types = run.measurement.classes.compactMap(\.key.type)
    let limits = scenario.targets.compactMap { target -> LineChart.Limit? in
      guard let metric = try? Metric(parsing: target.metric, types: types), metric.key == .all,
        case .quantity(.response, let statistic) = metric.subject, target.unit == .time, target.limit <= 4 * most
      else { return nil }
      let words = "target: \(statistic.name) \(target.comparison.rawValue) \(HumanUnits.value(target.limit, .time))"
      return LineChart.Limit(words: words, value: target.limit, isMet: target.verdict == .met)
    }
    let reach = limits.map(\.value).reduce(most, max)
    let linear = Scale.time(to: reach, count: 3)
    let medians = middle.filter { $0 > 0 }.sorted()
    guard let least = values.filter({ $0 > 0 }).min(), !medians.isEmpty,
      medians[medians.count / 2] < linear.ticks.map(\.value).first(where: { $0 > 0 }) ?? 0
    else { return (linear, limits) }
    return (Scale.logarithmic(from: max(least, most / 1e5), to: reach, label: Scale.shortTime), limits)
  }

  private static func description(of lines: [LineChart.Line]) -> String {
    lines.compactMap { line in
      let values = line.points.compactMap(\.y)
      guard let least = values.min(), let most = values.max() else { return nil }
      return "\(line.name) between \(HumanUnits.time(least)) and \(HumanUnits.time(most))"
    }.joined(separator: "; ") + "."
  }
}
