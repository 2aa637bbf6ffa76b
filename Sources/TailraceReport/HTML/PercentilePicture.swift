import TailraceCore
import TailraceMeasurement

/// Percentile curves on HdrHistogram's axis, with a table of the data.
struct PercentilePicture {
  /// Unique within the page.
  var id: String
  /// Which jobs: `All jobs`.
  var title: String
  /// The scenario's name, for the table.
  var of: String
  /// The curves, in the palette's order.
  var curves: [(name: String, samples: Distribution)]
  var limits: [LineChart.Limit] = []
  /// The plot's height, in pixels.
  var height = 200.0
  var note = ""
  /// nil: ``scale(of:limits:)`` of these curves.
  var y: Scale?

  /// Adds the chart as a figure.
  func add(to html: inout HTML) {
    let y = self.y ?? Self.scale(of: curves.map(\.samples), limits: limits)
    let x = Scale.percentile(samples: curves.map(\.samples.count).max() ?? 1)
    let within = limits.filter { $0.value <= y.high * 1.001 && $0.value >= y.low }
    let beyond = limits.filter { $0.value > y.high * 1.001 }.map(\.words)
    var notes = note.isEmpty ? [] : [note]
    if !beyond.isEmpty { notes.append("Above the chart: \(beyond.joined(separator: ", ")).") }
    let lines = curves.enumerated().map { index, curve in
      // If nothing was delayed, the uncorrected line covers the corrected one, which must remain visible below it.
      LineChart.Line(
        name: curve.name, series: index, points: Self.points(of: curve.samples),
        isThin: index > 0 && (height < 200 || curve.name.hasSuffix("uncorrected")),
        faintFrom: Self.trusted(curve.samples))
    }
    let chart = LineChart(
      id: id, title: "\(title): response time by percentile", description: Self.description(of: curves), x: x, y: y,
      lines: lines, limits: within, plotHeight: height)
    let ladder: [Double] = [50, 75, 90, 95, 99, 99.9, 99.99]
    html.figure(
      title, note: notes.joined(separator: " "),
      legend: chart.legend, picture: chart.html
    ) {
      $0.numbers(
        "\(title), \(of)",
        columns: ["Quantity", .number("Samples")] + ladder.map { Table.Column.number(Statistic.percentile($0).name) }
          + [.number("Max")],
        words: curves.map { curve in
          [curve.name, HumanUnits.count(Double(curve.samples.count))]
            + curve.samples.percentiles(ladder).map { $0.map { HumanUnits.time(Double($0.rawValue)) } ?? "–" }
            + [HumanUnits.time(Double(curve.samples.max.rawValue))]
        })
    }
  }

  /// A linear time axis, or a logarithmic one if the medians would lie below its first labeled value.
  static func scale(of samples: [Distribution], limits: [LineChart.Limit]) -> Scale {
    let most = samples.map { Double($0.max.rawValue) }.max() ?? 1
    // A limit far above is mentioned in the notes; on the axis it would leave no space for the measured values.
    let reach = limits.map(\.value).filter { $0 <= 4 * most }.reduce(most, max)
    let middles = samples.compactMap { $0.samplePercentiles([50])[0].map { Double($0.rawValue) } }.filter { $0 > 0 }
    let linear = Scale.time(to: reach)
    // A reader can tell a median from the axis only if it is not below the first labeled value.
    let first = linear.ticks.map(\.value).first { $0 > 0 } ?? 0
    guard let least = middles.min(), least < first else { return linear }
    // The few shortest values would take half of the chart.
    let short = samples.compactMap { $0.samplePercentiles([5])[0].map { Double($0.rawValue) } }.filter { $0 > 0 }
    return Scale.logarithmic(from: max(short.min() ?? least, most / 1e5), to: reach, label: Scale.shortTime)
  }

  /// A distribution's curve, at HdrHistogram's steps. The maximum is drawn at its expected percentile.
  static func points(of samples: Distribution) -> [LineChart.Point] {
    let end = Scale.percentileOfGreatest(samples.count)
    let most = Double(samples.max.rawValue)
    var points = samples.percentileSteps().filter { $0.percentile < end }.map {
      LineChart.Point(x: $0.percentile, y: min(Double($0.value), most))
    }
    points.append(LineChart.Point(x: end, y: most))
    return points
  }

  /// The highest percentile with enough samples.
  static func trusted(_ samples: Distribution) -> Double {
    // p^n ≤ 0.05, solved for p: the inverse of Distribution.samplesNeeded(for:).
    var (low, high) = (0.0, 100.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if Distribution.samplesNeeded(for: middle) <= samples.count { low = middle } else { high = middle }
    }
    return low
  }

  private static func description(of curves: [(name: String, samples: Distribution)]) -> String {
    curves.map { name, samples in
      let ladder: [Double] = [50, 90, 99]
      let known = zip(ladder, samples.percentiles(ladder)).compactMap { p, value in
        value.map { "p\(Int(p)) \(HumanUnits.time(Double($0.rawValue)))" }
      }
      return
        "\(name): \((known + ["greatest \(HumanUnits.time(Double(samples.max.rawValue)))"]).joined(separator: ", "))"
    }.joined(separator: "; ") + "."
  }
}
