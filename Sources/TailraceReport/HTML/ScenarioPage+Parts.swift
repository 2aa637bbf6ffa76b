import TailraceCore
import TailraceMeasurement

extension ScenarioPage {
  /// Stacked bars that show how each class spends its time.
  func addParts(_ run: RunResult, to html: inout HTML) {
    let all = run.measurement.all
    guard all.parts.settled > 0, all.parts.whole > 0 else { return }
    let (classes, left) = drawnClasses(run.measurement, limit: 8) { $0.parts.settled > 0 && $0.parts.whole > 0 }
    html.element("h3", "Where the time goes")
    var words = "From intended arrival to settlement, including all attempts of a job."
    if !all.parts.isComplete {
      words += " Some jobs have no end, so the parts cannot be compared with the whole."
    } else if all.parts.addUp {
      words += " The parts add up to the whole, to the nanosecond."
    } else {
      words += " **The parts do not add up: \(all.parts.gap) ns are missing.**"
    }
    if left > 0 { words += " \(left) more classes are listed in results.csv only." }
    PartsPicture(
      id: "\(id)-parts", title: "Mean per job, by class", of: scenario.name,
      rows: ([all] + (classes.count > 1 ? classes : [])).map { jobs in
        PartsPicture.row(jobs.key == .all ? "all jobs" : jobs.key.name, jobs)
      }, note: words
    ).add(to: &html)
  }

  // MARK: Workers

  /// The maximum number of workers in one chart.
  private static let laneLimit = WorkerTimeline.workerLimit
  /// The maximum number of systems with such a chart.
  private static let timelineLimit = 3

  /// Shows where and when each attempt ran; for large runs, those of the busiest stretch.
  func addTimelines(to html: inout HTML) {
    guard let run = scenario.primary else { return }
    html.element("h3", "Workers over time")
    let drawn = scenario.runs.filter { $0.measurement.timeline != nil }.prefix(Self.timelineLimit)
    guard run.measurement.timeline != nil, !drawn.isEmpty else {
      let attempts = run.measurement.classes.first?.attempts ?? 0
      let words =
        attempts == 0 && run.measurement.unmeasured.total == 0
        ? "No chart of the workers: no attempt started."
        : "No chart of the workers: this result does not contain single attempts."
      html.element("p", ["class": "note"]) { $0.prose(words) }
      return
    }
    let whole = drawn.compactMap(\.measurement.timeline).filter { $0.stretch == nil }
    let end = whole.flatMap { $0.spans.map(\.finished.rawValue) }.max() ?? 1
    let x = Scale.time(to: Double(max(1, end)), count: 5, isOpen: true)
    for (index, run) in drawn.enumerated() {
      guard let timeline = run.measurement.timeline else { continue }
      let own = timeline.stretch.map {
        Scale.elapsed(from: Double($0.start.rawValue), to: Double($0.end.rawValue), count: 5)
      }
      add(timeline, of: run, x: own ?? x, id: "\(id)-workers-\(index + 1)", to: &html)
    }
  }

  private func add(_ timeline: WorkerTimeline, of run: RunResult, x: Scale, id: String, to html: inout HTML) {
    let lanes = WorkerLanes(timeline, workers: run.measurement.workers)
    let shown = min(lanes.names.count, Self.laneLimit)
    let used = timeline.spans.map { lanes.colour(of: $0) }
    var legend: [(name: String, series: Int)] = []
    for (span, colour) in zip(timeline.spans, used) where !legend.contains(where: { $0.series == colour }) {
      legend.append((lanes.hasOthers(colour) ? "other types" : timeline.name(of: span), colour))
    }
    let part = timeline.stretch == nil ? "" : ", busiest stretch"
    let chart = LaneTimeline(
      id: id, title: "Workers over time\(part), \(run.system)",
      description: "\(timeline.spans.count) attempts on \(lanes.names.count) workers; the table below lists them.",
      lanes: Array(lanes.names.prefix(shown)),
      bars: zip(timeline.spans, lanes.lanes).enumerated().map { index, pair in
        let (span, lane) = pair
        return LaneTimeline.Bar(
          lane: lane, start: Double(span.started.rawValue), end: Double(span.finished.rawValue), series: used[index],
          isMarked: span.outcome != .succeeded, words: Self.words(of: span, in: timeline, worker: lanes.names[lane]))
      }, x: x)
    var notes = timeline.stretch.map { [Self.words(of: $0, workers: run.measurement.workers)] } ?? []
    notes.append("\(timeline.spans.count) attempts. Unsuccessful ones are outlined and end in a cross.")
    if !lanes.areWorkers {
      notes.append("This system does not number its workers, so attempts are packed into as few rows as possible.")
    }
    if shown < lanes.names.count { notes.append("\(lanes.names.count - shown) more workers are not shown.") }
    html.figure(
      "Workers" + part + (scenario.runs.count > 1 ? ", \(run.system)" : ""), note: notes.joined(separator: " "),
      legend: HTML.legend(legend.sorted { $0.series < $1.series }, ofAreas: true), picture: chart.html
    ) {
      $0.numbers(
        "Attempts in order of start, \(scenario.name) on \(run.system)",
        columns: ["Job", "Type", "Worker", .number("Waited"), .number("Started"), .number("Finished"), "Outcome"],
        words: zip(timeline.spans, lanes.lanes).map { span, lane in
          [
            "\(span.job)", timeline.name(of: span), lanes.names[lane],
            HumanUnits.time(Double((span.started - span.eligible).rawValue)),
            timeline.words(span.started), timeline.words(span.finished),
            Self.words(span.outcome),
          ]
        })
    }
  }

  /// Which part of a large run the chart shows.
  private static func words(of stretch: WorkerTimeline.Stretch, workers: [WorkerUse]) -> String {
    let times = [stretch.start, stretch.end].map(stretch.words)
    let length = HumanUnits.time(Double((stretch.end - stretch.start).rawValue))
    let limit = WorkerTimeline.workerLimit
    let isLarge = PoolID.allCases.contains { pool in workers.count { $0.pool == pool } > limit }
    let place = isLarge ? " on the first \(limit) workers of each pool" : ""
    return "The busiest stretch "
      + (stretch.compared.map { "of \($0) evenly spaced ones whose attempts were kept" } ?? "of the run")
      + ": from \(times[0]) to \(times[1]) after the run's start (\(length)), \(stretch.starts) attempts "
      + "started\(place)"
      + (stretch.compared == nil ? "; no other \(stretch.starts) in a row started in less time. " : ". ")
      + "The axis begins there. `tailrace run --jobs` writes all attempts to jobs.csv."
  }

  private static func words(of span: AttemptSpan, in timeline: WorkerTimeline, worker: String) -> String {
    let times = [span.started, span.finished].map(timeline.words)
    return "\(timeline.name(of: span)), job \(span.job), on \(worker): \(times[0]) to \(times[1]), waited "
      + "\(HumanUnits.time(Double((span.started - span.eligible).rawValue))), \(words(span.outcome))"
  }

  private static func words(_ outcome: AttemptOutcome) -> String {
    switch outcome {
    case .succeeded: "succeeded"
    case .failed: "failed"
    case .timedOut: "timed out"
    case .cancelled: "cancelled"
    case .failedPermanently: "failed permanently"
    case .crashed: "crashed with its worker"
    }
  }
}

/// Assigns attempts to rows of a chart.
struct WorkerLanes {
  var names: [String] = []
  /// The row of each span, in the timeline's order.
  var lanes: [Int] = []
  /// Whether each row is a worker, rather than a packing of attempts.
  var areWorkers = true
  private let last = Palette.series.count - 1
  private let types: Int

  init(_ timeline: WorkerTimeline, workers: [WorkerUse]) {
    types = timeline.types.count - 1
    areWorkers = timeline.spans.allSatisfy { $0.worker != nil }
    guard areWorkers else {
      pack(timeline.spans)
      return
    }
    names = workers.map(\.name)
    lanes = timeline.spans.map { span in
      let name = "\(span.pool.name)-\(span.worker ?? 0)"
      if let lane = names.firstIndex(of: name) { return lane }
      names.append(name)
      return names.count - 1
    }
  }

  /// Puts each attempt into the first free row.
  private mutating func pack(_ spans: [AttemptSpan]) {
    var free: [Nanoseconds] = []
    for span in spans {
      let lane = free.firstIndex { $0 <= span.started } ?? free.count
      if lane == free.count { free.append(.zero) }
      free[lane] = span.finished
      lanes.append(lane)
    }
    names = free.indices.map { "row \($0 + 1)" }
  }

  /// The color of an attempt's type. Types beyond the palette share its last color.
  func colour(of span: AttemptSpan) -> Int { min(max(0, span.type), last) }
  /// Whether several types have this color.
  func hasOthers(_ colour: Int) -> Bool { colour == last && types > last + 1 }
}

extension WorkerTimeline {
  /// The name of an attempt's job type.
  func name(of span: AttemptSpan) -> String {
    types.indices.contains(span.type) ? types[span.type] : ClassKey.unknownType
  }

  /// A time from the run's start, with more digits in a short stretch late in a run.
  func words(_ time: Nanoseconds) -> String { stretch?.words(time) ?? HumanUnits.time(Double(time.rawValue)) }
}

extension WorkerTimeline.Stretch {
  /// A time from the run's start, with enough digits to tell times in the stretch apart.
  func words(_ time: Nanoseconds) -> String {
    HumanUnits.instant(Double(time.rawValue), in: Double(start.rawValue)...Double(max(start, end).rawValue))
  }
}
