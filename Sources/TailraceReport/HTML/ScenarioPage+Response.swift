import TailraceCore
import TailraceMeasurement

extension ScenarioPage {
  /// Systems drawn in one picture at most.
  private static let systemLimit = 5
  /// Classes drawn at most.
  static let classLimit = 6

  /// Percentile curves: of all systems, then of each class.
  func addResponse(_ run: RunResult, to html: inout HTML) {
    guard let response = run.measurement.all[.response], response.count >= Self.fewSamples else { return }
    html.element("h3", "Response time")
    html.element("p", ["class": "note"]) {
      $0.prose(
        "How much of the jobs took at most how long. Each further nine on the axis has as much room as the one before, "
          + "so that the tail can be seen; the uncorrected line counts from submission and hides what delayed it.")
    }
    html.element("div", ["class": "pictures one"]) {
      addCurves(run, to: &$0)
    }
    addClassCurves(run, to: &html)
    let correction = blocks { $0.addCorrection(run.measurement.all) }
    html.add(correction, caption: "Response time, corrected and uncorrected")
  }

  private func addCurves(_ run: RunResult, to html: inout HTML) {
    var curves: [(name: String, samples: Distribution)] = []
    let drawn = scenario.runs.filter { ($0.measurement.all[.response]?.count ?? 0) >= Self.fewSamples }
    for run in drawn.prefix(Self.systemLimit) {
      guard let samples = run.measurement.all[.response] else { continue }
      let repetition = run.repetition > 1 ? " (\(run.repetition))" : ""
      curves.append((drawn.count > 1 ? run.system + repetition : "response", samples))
    }
    if let samples = run.measurement.all[.responseUncorrected] {
      curves.insert((drawn.count > 1 ? "\(run.system), uncorrected" : "uncorrected", samples), at: min(1, curves.count))
    }
    let targets = limits(of: .response, in: .all, run)
    let waitingTargets = limits(of: .waiting, in: .all, run)
    if drawn.count == 1, !waitingTargets.isEmpty, let samples = run.measurement.all[.waiting] {
      curves.append(("waiting", samples))
    }
    let left = drawn.count - min(drawn.count, Self.systemLimit)
    addPercentiles(
      curves, limits: targets + (drawn.count == 1 ? waitingTargets : []), height: 260, id: "\(id)-response",
      title: drawn.count > 1 ? "All jobs, by system" : "All jobs",
      note: left > 0 ? "\(left) more systems are in the table of systems only." : "", to: &html)
  }

  private func addClassCurves(_ run: RunResult, to html: inout HTML) {
    let (classes, left) = drawnClasses(run.measurement, limit: Self.classLimit) {
      ($0[.response]?.count ?? 0) >= Self.fewSamples
    }
    guard classes.count > 1 else { return }
    html.element("p", ["class": "note"]) {
      $0.prose(
        "By class, on one scale: response time, and of each attempt its waiting and its service."
          + (left > 0 ? " \(left) more classes, which took less time in all, are in the table of jobs only." : ""))
    }
    let quantities: [Quantity] = [.response, .waiting, .service]
    let samples = classes.flatMap { jobs in quantities.compactMap { jobs[$0] } }
    let y = scale(of: samples, limits: [])
    html.element("div", ["class": "pictures small"]) { html in
      for (index, jobs) in classes.enumerated() {
        let curves = quantities.compactMap { quantity in jobs[quantity].map { (quantity.name, $0) } }
        addPercentiles(
          curves, limits: limits(of: .response, in: jobs.key, run) + limits(of: .waiting, in: jobs.key, run),
          height: 140, id: "\(id)-class-\(index + 1)", title: jobs.key.name, note: "", y: y, to: &html)
      }
    }
  }

  /// The classes worth a picture: job types, or priorities where there is one type; those first that took most time in
  /// all, in their own order.
  func drawnClasses(
    _ measurement: RunMeasurement, limit: Int, where matches: (ClassMeasurement) -> Bool
  ) -> (drawn: [ClassMeasurement], left: Int) {
    let types = measurement.classes.filter { $0.key.type != nil && $0.key.priority == nil && matches($0) }
    let priorities = measurement.classes.filter { $0.key.type == nil && $0.key.priority != nil && matches($0) }
    let all = types.count > 1 ? types : priorities
    let chosen = Set(all.sorted { $0.parts.whole > $1.parts.whole }.prefix(limit).map(\.key))
    return (all.filter { chosen.contains($0.key) }, all.count - chosen.count)
  }

  /// Targets about percentiles and extremes of a quantity, as lines across.
  private func limits(of quantity: Quantity, in key: ClassKey, _ run: RunResult) -> [LineChart.Limit] {
    let types = run.measurement.classes.compactMap(\.key.type)
    return scenario.targets.compactMap { target in
      guard let metric = try? Metric(parsing: target.metric, types: types), metric.key == key,
        case .quantity(quantity, let statistic) = metric.subject
      else { return nil }
      let at: Double? =
        switch statistic {
        case .percentile(let percentile): percentile
        case .max: 100
        case .count, .mean, .min, .stddev: nil
        }
      guard at != nil || statistic == .mean else { return nil }
      let limit = HumanUnits.value(target.limit, target.unit)
      return LineChart.Limit(
        words:
          "\(quantity == .response ? "" : "\(quantity.name) ")\(statistic.name) \(target.comparison.rawValue) \(limit)",
        value: target.limit, at: at, isMet: target.verdict == .met)
    }
  }

  /// Times on a linear axis, or on a logarithmic one where the tail would flatten everything else.
  private func scale(of samples: [Distribution], limits: [LineChart.Limit]) -> Scale {
    let most = samples.map { Double($0.max.rawValue) }.max() ?? 1
    // A limit far above is told in words: it would leave no room for what was measured.
    let reach = limits.map(\.value).filter { $0 <= 4 * most }.reduce(most, max)
    let middles = samples.compactMap { $0.samplePercentiles([50])[0].map { Double($0.rawValue) } }.filter { $0 > 0 }
    guard let least = middles.min(), most > 20 * least else { return Scale.time(to: reach) }
    // The few shortest would take half of the picture.
    let short = samples.compactMap { $0.samplePercentiles([5])[0].map { Double($0.rawValue) } }.filter { $0 > 0 }
    return Scale.logarithmic(from: max(short.min() ?? least, most / 1e5), to: reach, label: Scale.shortTime)
  }

  private func addPercentiles(
    _ curves: [(name: String, samples: Distribution)], limits: [LineChart.Limit], height: Double, id: String,
    title: String, note: String, y: Scale? = nil, to html: inout HTML
  ) {
    let y = y ?? scale(of: curves.map(\.samples), limits: limits)
    let x = Scale.percentile(samples: curves.map(\.samples.count).max() ?? 1)
    let within = limits.filter { $0.value <= y.high * 1.001 && $0.value >= y.low }
    let beyond = limits.filter { $0.value > y.high * 1.001 }.map(\.words)
    var notes = note.isEmpty ? [] : [note]
    if !beyond.isEmpty { notes.append("Above the picture: \(beyond.joined(separator: ", ")).") }
    let lines = curves.enumerated().map { index, curve in
      LineChart.Line(
        name: curve.name, series: index, points: Self.points(of: curve.samples), isThin: index > 0 && height < 200,
        faintFrom: Self.trusted(curve.samples))
    }
    let chart = LineChart(
      id: id, title: "\(title): response time by percentile", description: Self.description(of: curves), x: x, y: y,
      lines: lines, limits: within, plotHeight: height, namesLines: false)
    let ladder: [Double] = [50, 75, 90, 95, 99, 99.9, 99.99]
    html.figure(
      title, note: notes.joined(separator: " "),
      legend: HTML.legend(curves.enumerated().map { ($1.name, $0) }, ofAreas: false), picture: chart.html
    ) {
      $0.numbers(
        "\(title), \(scenario.name)",
        columns: ["Quantity", ">Samples"] + ladder.map { ">\(Statistic.percentile($0).name)" } + [">Max"],
        words: curves.map { curve in
          [curve.name, HumanUnits.count(Double(curve.samples.count))]
            + curve.samples.percentiles(ladder).map { $0.map { HumanUnits.time(Double($0.rawValue)) } ?? "–" }
            + [HumanUnits.time(Double(curve.samples.max.rawValue))]
        })
    }
  }

  /// The curve of a distribution, at HdrHistogram's steps; the greatest sample where it is to be expected.
  static func points(of samples: Distribution) -> [LineChart.Point] {
    let end = Scale.percentileOfGreatest(samples.count)
    let most = Double(samples.max.rawValue)
    var points = samples.percentileSteps().filter { $0.percentile < end }.map {
      LineChart.Point(x: $0.percentile, y: min(Double($0.value), most))
    }
    points.append(LineChart.Point(x: end, y: most))
    return points
  }

  /// The greatest percentile that enough samples stand behind.
  static func trusted(_ samples: Distribution) -> Double {
    // p^n ≤ 0.05, solved for p: Distribution.samplesNeeded(for:) the other way round.
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
