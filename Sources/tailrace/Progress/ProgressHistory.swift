import TailraceCore
import TailraceHarness
import TailraceReplay

/// The latest progress of the current run, and its last minute.
struct ProgressHistory {
  struct Moment {
    var elapsed: Nanoseconds
    var throughput: Double?
    var waiting: Int?
  }
  /// The time span of the charts.
  static let reach = Nanoseconds.seconds(60)
  private(set) var latest: SuiteProgress?
  private(set) var moments: [Moment] = []

  mutating func add(_ progress: SuiteProgress) {
    if progress.index != latest?.index { moments.removeAll(keepingCapacity: true) }
    latest = progress
    moments.append(
      Moment(
        elapsed: progress.elapsed, throughput: progress.figures?.throughput,
        waiting: progress.figures?.counts?.waiting))
    let old = moments.prefix { progress.elapsed - $0.elapsed > Self.reach }.count
    // Remove many at a time, so that the cost is negligible.
    if old >= 64 { moments.removeFirst(old) }
  }

  /// The maximum in each slot of the last minute, the present last; nil before the run's start and for slots without
  /// values.
  func columns(_ count: Int, _ value: (Moment) -> Double?) -> [Double?] {
    guard count > 0, let end = moments.last?.elapsed else { return [] }
    var greatest = [Double?](repeating: nil, count: count)
    for moment in moments {
      let age = end - moment.elapsed
      guard age < Self.reach, let value = value(moment) else { continue }
      let column = count - 1 - Int(age.seconds / Self.reach.seconds * Double(count))
      greatest[column] = max(greatest[column] ?? value, value)
    }
    var columns: [Double?] = []
    // A slot shorter than the time between two samples may have none.
    for value in greatest { columns.append(value ?? columns.last ?? nil) }
    return columns
  }
}
