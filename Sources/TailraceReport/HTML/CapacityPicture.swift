import TailraceMeasurement

/// A target against the load: one curve per search with intervals, the target's limit, and theory's rates.
struct CapacityPicture {
  /// Unique within the page.
  var id: String
  var title: String
  /// The target to draw, as written.
  var target: String
  var curves: [(name: String, search: CapacitySearch)]
  /// Marks on the load axis.
  var marks: [(x: Double, words: String)]
  /// The found limit, with its interval.
  var band: CapacityEstimate?
  var note: String

  private typealias Observation = (rate: Double, target: CapacityTargetPoint, observed: CapacityEstimate)

  private func observations(_ search: CapacitySearch) -> [Observation] {
    search.points.compactMap { point in
      guard let target = point.targets.first(where: { $0.target == self.target }), let observed = target.observed,
        observed.value.isFinite
      else { return nil }
      return (point.rate, target, observed)
    }
  }

  /// Adds the chart as a figure, unless there are no observations.
  func add(to html: inout HTML) {
    let all = curves.map { observations($0.search) }
    guard let first = all.joined().first else { return }
    let (unit, limit) = (first.target.unit, first.target.limit)
    let rates = all.joined().map(\.rate) + marks.map(\.x) + [band?.high, band?.value].compactMap { $0 }
    let x = Scale.linear(
      from: (rates.min() ?? 0) * 0.95, to: (rates.max() ?? 1) * 1.03, count: 5, isOpen: true,
      label: { "\(Scale.shortNumber($0)) /s" })
    let y = scale(all.flatMap { $0 }.map(\.observed.value), limit: limit, unit: unit)
    let lines = zip(curves, all).enumerated().map { index, pair in
      LineChart.Line(
        name: pair.0.name, series: index, points: pair.1.map { LineChart.Point(x: $0.rate, y: $0.observed.value) },
        isThin: index > 0 && !marks.isEmpty,
        intervals: pair.1.compactMap { observation in
          guard let low = observation.observed.low, let high = observation.observed.high, low < high else { return nil }
          return (observation.rate, low, high)
        })
    }
    let bands = band.flatMap { limit in
      limit.low.flatMap { low in limit.high.map { LineChart.Band(from: low, to: $0, words: "") } }
    }
    let isMet = all.joined().contains { $0.target.verdict == .met }
    let chart = LineChart(
      id: id, title: "\(title), against the arrival rate", description: description(all, unit: unit), x: x, y: y,
      lines: lines,
      limits: [LineChart.Limit(words: "target: \(HumanUnits.value(limit, unit))", value: limit, isMet: isMet)],
      bands: [bands].compactMap { $0 },
      places: marks + (band.map { [($0.value, "limit: \(CapacityDocument.rate($0.value))")] } ?? []), plotHeight: 260)
    let words =
      (note.isEmpty ? [] : [note]) + ["Bars are 95 % intervals" + (band == nil ? "." : "; the band is the limit's.")]
    html.figure(
      title, note: words.joined(separator: " "),
      legend: chart.legend, picture: chart.html
    ) {
      $0.numbers(
        title,
        columns: ["Curve", .number("Rate"), .number("Observed"), .number("From"), .number("To"), .verdict("Verdict")],
        cells: zip(curves, all).flatMap { curve, observations in
          observations.map { observation in
            let figures = [
              curve.name, CapacityDocument.rate(observation.rate), HumanUnits.value(observation.observed.value, unit),
              HumanUnits.value(observation.observed.low, unit), HumanUnits.value(observation.observed.high, unit),
            ]
            return [Table.Cell](words: figures) + [.verdict(VerdictLabel(observation.target.verdict))]
          }
        })
    }
  }

  private func scale(_ values: [Double], limit: Double, unit: FigureUnit) -> Scale {
    let known = (values + [limit]).filter { $0 > 0 }.sorted()
    let most = known.last ?? 1
    func label(_ value: Double) -> String {
      switch unit {
      case .time: Scale.shortTime(value)
      case .ratio: "\(Scale.shortNumber(value * 100)) %"
      case .rate: "\(Scale.shortNumber(value)) /s"
      case .count, .factor, .bytes: HumanUnits.value(value, unit)
      }
    }
    guard let least = known.first, most > 20 * least else {
      return Scale.linear(to: most, isTime: unit == .time, label: label)
    }
    return Scale.logarithmic(from: max(least, most / 1e6), to: most, label: label)
  }

  private func description(_ all: [[Observation]], unit: FigureUnit) -> String {
    zip(curves, all).map { curve, observations in
      let ends = [observations.first, observations.last].compactMap { $0 }.map {
        "\(HumanUnits.value($0.observed.value, unit)) at \(CapacityDocument.rate($0.rate))"
      }
      return "\(curve.name): \(ends.isEmpty ? "nothing observed" : ends.joined(separator: " to "))"
    }.joined(separator: "; ") + "."
  }
}
