import TailraceCore
import TailraceMeasurement

extension ReportPage {
  /// With fewer samples, a histogram and percentiles add nothing to the table of jobs.
  private static let fewSamples: UInt64 = 20

  mutating func addResponse(_ run: RunResult) {
    let all = run.measurement.all
    addParts(all)
    guard let response = all[.response], response.count >= Self.fewSamples else { return }
    page.heading(3, "Response time")
    addCorrection(all)
    page.paragraph("Samples by response time, on a logarithmic axis; the share is cumulative:")
    page.figure(TextPlot.histogram(response))
    let ladder: [Double] = [50, 90, 99, 99.9]
    page.table(
      ["Quantity", .number("Samples"), .number("Mean")]
        + ladder.map { Table.Column.number(Statistic.percentile($0).name) } + [.number("Max")],
      Quantity.allCases.compactMap { quantity in
        guard let samples = all[quantity] else { return nil }
        return ["`\(quantity.name)`", HumanUnits.count(Double(samples.total)), time(samples.mean)]
          + samples.percentiles(ladder).map(time) + [time(samples.max)]
      })
  }

  private mutating func addParts(_ all: ClassMeasurement) {
    let parts = all.parts
    guard parts.settled > 0, parts.whole > 0 else { return }
    page.heading(3, "Where the time goes")
    var rows = Quantity.parts.map { part in
      [
        "`\(part.name)`", HumanUnits.time(Double(parts[part]) / Double(parts.settled)),
        HumanUnits.share(Double(parts[part]) / Double(parts.whole)), bar(Double(parts[part]) / Double(parts.whole)),
      ]
    }
    rows.append([
      "**intended arrival → settled**", HumanUnits.time(Double(parts.whole) / Double(parts.settled)),
      HumanUnits.share(1),
      "",
    ])
    page.table(["Part", .number("Mean per job"), .number("Share"), ""], rows)
    let sum =
      !parts.isComplete
      ? "Some jobs have no end, so the parts cannot be compared with the whole."
      : parts.addUp
        ? "The parts add up to the whole, to the nanosecond"
        : "**The parts do not add up: \(parts.gap) ns are missing**"
    page.paragraph(
      "\(sum). They include all \(counted(parts.settled, "submitted job")) and all attempts of each job.")
  }

  private func bar(_ share: Double) -> String {
    String(repeating: "█", count: max(0, min(20, Int((share * 20).rounded()))))
  }

  mutating func addCorrection(_ all: ClassMeasurement) {
    let rows = [("from the intended arrival", Quantity.response), ("uncorrected, from submit", .responseUncorrected)]
    page.table(
      [
        "Response time", .number("Samples"), .number("Mean"), .number("p50"), .number("p90"), .number("p99"),
        .number("p99.9"), .number("Max"),
      ],
      rows.compactMap { words, quantity in
        guard let samples = all[quantity] else { return nil }
        return [words, HumanUnits.count(Double(samples.total)), time(samples.mean)]
          + samples.percentiles([50, 90, 99, 99.9]).map(time) + [time(samples.max)]
      })
    guard let corrected = all[.response]?.mean.rawValue, let plain = all[.responseUncorrected]?.mean.rawValue,
      Double(corrected) > 1.1 * Double(plain), corrected - plain > 1_000_000
    else { return }
    page.paragraph(
      "The two differ because jobs were submitted later than intended. The uncorrected figure hides that delay. "
        + "Use the one that counts from the intended arrival.")
  }

  mutating func addSeries(_ run: RunResult) {
    let measurement = run.measurement
    guard measurement.throughput.values.count >= 8, measurement.all.causes.total >= Int(Self.fewSamples) else { return }
    page.heading(3, "Over time")
    let rows: [(String, Series, FigureUnit)] = [
      ("throughput", measurement.throughput, .rate), ("queue depth", measurement.queueDepth, .factor),
      ("running", measurement.running, .factor),
    ]
    page.figure(
      rows.map { name, series, unit in
        let columns = TextPlot.columns(series)
        let most = HumanUnits.value(columns.max() ?? 0, unit)
        return "\(TextPlot.left(name, 11)) \(TextPlot.left(TextPlot.sparkline(columns), TextPlot.width)) max \(most)"
      })
    let length = Double(measurement.throughput.values.count) * Double(measurement.throughput.width.rawValue)
    let column = length / Double(TextPlot.columns(measurement.throughput).count)
    page.paragraph(
      "From the run's start, over \(HumanUnits.time(length)). Each column is a mean over \(HumanUnits.time(column)).")
  }
}
