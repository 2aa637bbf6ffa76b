import TailraceMeasurement

/// The parts of response time as stacked bars, with a table of the data.
struct PartsPicture {
  /// Unique within the page.
  var id: String
  var title: String
  /// The scenario's name, for the table.
  var of: String
  var rows: [StackedBars.Row]
  var note: String

  /// Adds the chart as a figure, unless there are no rows.
  func add(to html: inout HTML) {
    guard !rows.isEmpty else { return }
    let totals = rows.map(\.total)
    // On a common scale, a class with an eighth of another's time would be too short to read.
    let showsShares = (totals.max() ?? 0) > 8 * (totals.min() ?? 0)
    let words =
      note
      + (showsShares
        ? " Each bar shows the shares of its class; the total time is at its end."
        : " Bar lengths are proportional to time.")
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
        columns: ["Class"] + Quantity.parts.map { Table.Column.number($0.name) } + [.number("Whole")],
        words: rows.enumerated().map { index, row in
          let group = rows[...index].last { $0.group != nil }?.group
          return [group.map { "\($0), \(row.name)" } ?? row.name]
            + Quantity.parts.map { part in row.parts.first { $0.name == part.name }?.words ?? "under 0.1 %" }
            + [row.words]
        })
    }
  }

  /// The parts of a class, without those below a thousandth of the whole, which would be invisible.
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

  /// Waiting and service have the same colors as in the curves by class.
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
