import TailraceMeasurement

/// The parts of response time as stacked bars, over the numbers behind them.
struct PartsPicture {
  /// Unique within the page.
  var id: String
  var title: String
  /// What it is part of, for its table: a scenario's name.
  var of: String
  var rows: [StackedBars.Row]
  var note: String

  /// Adds it as a figure; nothing without rows.
  func add(to html: inout HTML) {
    guard !rows.isEmpty else { return }
    let totals = rows.map(\.total)
    // Side by side, a class that takes an eighth of another's time would be too short to be read.
    let showsShares = (totals.max() ?? 0) > 8 * (totals.min() ?? 0)
    let words =
      note
      + (showsShares
        ? " Each bar is the whole of its class; how long that is stands at its end."
        : " Bars are as long as the time they stand for.")
    let present = Quantity.parts.filter { part in rows.contains { $0.parts.contains { $0.name == part.name } } }
    let bars = StackedBars(
      id: id, title: "Parts of response time by class",
      description: rows.map { row in
        "\(row.group.map { $0 + ", " } ?? "")\(row.name) \(row.words): "
          + row.parts.map { "\($0.name) \($0.words)" }.joined(separator: ", ")
      }.joined(separator: "; ") + ".", rows: rows, showsShares: showsShares)
    html.figure(
      title, note: words, legend: HTML.legend(present.map { ($0.name, Self.colour(of: $0)) }, ofAreas: true),
      picture: bars.html
    ) {
      $0.numbers(
        "Parts of response time, mean per job, \(of)",
        columns: ["Class"] + Quantity.parts.map { ">\($0.name)" } + [">Whole"],
        words: rows.enumerated().map { index, row in
          let group = rows[...index].last { $0.group != nil }?.group
          return [group.map { "\($0), \(row.name)" } ?? row.name]
            + Quantity.parts.map { part in row.parts.first { $0.name == part.name }?.words ?? "under 0.1 %" }
            + [row.words]
        })
    }
  }

  /// What the parts of a class come to; those under a thousandth of the whole, which could not be seen, are left out.
  static func row(_ name: String, _ jobs: ClassMeasurement, group: String? = nil) -> StackedBars.Row {
    let settled = Double(max(1, jobs.parts.settled))
    let parts = Quantity.parts.compactMap { part -> StackedBars.Part? in
      let value = Double(jobs.parts[part]) / settled
      let share = Double(jobs.parts[part]) / Double(jobs.parts.whole)
      guard share >= 0.001 else { return nil }
      return StackedBars.Part(
        name: part.name, series: colour(of: part), value: value,
        words: "\(HumanUnits.time(value)) (\(HumanUnits.share(share)))")
    }
    return StackedBars.Row(
      name: name, group: group, parts: parts, words: HumanUnits.time(Double(jobs.parts.whole) / settled))
  }

  /// Waiting and service as in the curves by class.
  private static func colour(of part: Quantity) -> Int {
    switch part {
    case .submissionLag: 0
    case .waiting: 1
    case .service: 2
    case .dependencyWait: 3
    case .submission: 4
    case .backoff, .response, .responseUncorrected: 5
    }
  }
}
