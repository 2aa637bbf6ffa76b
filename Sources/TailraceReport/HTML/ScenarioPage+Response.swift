import TailraceCore
import TailraceMeasurement

extension ScenarioPage {
  /// The maximum number of systems in one chart.
  private static let systemLimit = 5
  /// The maximum number of classes.
  static let classLimit = 6

  /// Percentile curves of all systems, then of each class.
  func addResponse(_ run: RunResult, to html: inout HTML) {
    guard let response = run.measurement.all[.response], response.count >= Self.fewSamples else { return }
    html.element("h3", "Response time")
    html.element("p", ["class": "note"]) {
      $0.prose(
        "The share of jobs that took at most this long. The axis is logarithmic in the tail: 90 %, 99 % and 99.9 % are "
          + "evenly spaced. The uncorrected line starts at submission and hides earlier delays.")
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
    PercentilePicture(
      id: "\(id)-response", title: drawn.count > 1 ? "All jobs, by system" : "All jobs", of: scenario.name,
      curves: curves, limits: targets + (drawn.count == 1 ? waitingTargets : []), height: 260,
      note: left > 0 ? "\(left) more systems are listed in the table of systems only." : ""
    ).add(to: &html)
  }

  private func addClassCurves(_ run: RunResult, to html: inout HTML) {
    let (classes, left) = drawnClasses(run.measurement, limit: Self.classLimit) {
      ($0[.response]?.count ?? 0) >= Self.fewSamples
    }
    guard classes.count > 1 else { return }
    html.element("p", ["class": "note"]) {
      $0.prose(
        "By class, on one scale: response time, and the waiting and service times of attempts."
          + (left > 0 ? " \(left) more classes, which took less time in total, are in the table of jobs only." : ""))
    }
    let quantities: [Quantity] = [.response, .waiting, .service]
    let samples = classes.flatMap { jobs in quantities.compactMap { jobs[$0] } }
    let y = PercentilePicture.scale(of: samples, limits: [])
    html.element("div", ["class": "pictures small"]) { html in
      for (index, jobs) in classes.enumerated() {
        let curves = quantities.compactMap { quantity in jobs[quantity].map { (quantity.name, $0) } }
        PercentilePicture(
          id: "\(id)-class-\(index + 1)", title: jobs.key.name, of: scenario.name, curves: curves,
          limits: limits(of: .response, in: jobs.key, run) + limits(of: .waiting, in: jobs.key, run), height: 140, y: y
        ).add(to: &html)
      }
    }
  }

  /// The classes to draw: job types, or priorities if there is one type. Chooses those with the most total time, and
  /// keeps their order.
  func drawnClasses(
    _ measurement: RunMeasurement, limit: Int, where matches: (ClassMeasurement) -> Bool
  ) -> (drawn: [ClassMeasurement], left: Int) {
    let types = measurement.classes.filter { $0.key.type != nil && $0.key.priority == nil && matches($0) }
    let priorities = measurement.classes.filter { $0.key.type == nil && $0.key.priority != nil && matches($0) }
    let all = types.count > 1 ? types : priorities
    let chosen = Set(all.sorted { $0.parts.whole > $1.parts.whole }.prefix(limit).map(\.key))
    return (all.filter { chosen.contains($0.key) }, all.count - chosen.count)
  }

  /// Targets for percentiles and extremes of a quantity, as horizontal lines.
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
      let name = (quantity == .response ? "" : "\(quantity.name) ") + statistic.name
      return LineChart.Limit(
        words: "target: \(name) \(target.comparison.rawValue) \(HumanUnits.value(target.limit, target.unit))",
        value: target.limit, at: at, isMet: target.verdict == .met)
    }
  }
}
