import TailraceMeasurement

extension ReportPage {
  /// Which rows of a log were replayed or skipped.
  mutating func addTrace(_ scenario: ScenarioResult) {
    guard let trace = scenario.trace else { return }
    page.paragraph("Log: \(trace.words).")
    if trace.leftOut.count > 1 {
      page.table(
        ["Rows skipped", .number("Rows")], trace.leftOut.map { [$0.reason, HumanUnits.count(Double($0.rows))] })
    }
    page.table(["In the log", "Job type"], trace.renamed.map { ["`\($0.value)`", $0.name] })
    page.list(trace.remarks.map { "Note on the log: \($0)." })
  }
}

extension ReplayedTrace {
  /// `log.swf, 6 rows: 4 replayed, 2 skipped (1 run time unknown, 1 no processors)`.
  package var words: String {
    let left = leftOut.reduce(0) { $0 + $1.rows }
    let reasons = leftOut.map { "\(HumanUnits.count(Double($0.rows))) \($0.reason)" }.joined(separator: ", ")
    return "\(file), \(HumanUnits.counted(rows, "row")): \(HumanUnits.count(Double(jobs))) replayed, "
      + (left == 0 ? "none skipped" : "\(HumanUnits.count(Double(left))) skipped (\(reasons))")
  }
}
