import TailraceCore
import TailraceHarness

/// What progress has told of the run under way: the latest, and its last minute.
struct ProgressHistory {
  struct Moment {
    var elapsed: Nanoseconds
    var throughput: Double?
    var waiting: Int?
  }
  /// How far back the pictures go.
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
    // Many at a time, so that removing them costs nothing to speak of.
    if old >= 64 { moments.removeFirst(old) }
  }

  /// What a stretch of time comes to.
  enum Fold {
    case mean, greatest
  }

  /// What each of so many stretches of the last minute comes to, the present last; nil before the run, and where
  /// nothing was known.
  func columns(_ count: Int, _ fold: Fold, _ value: (Moment) -> Double?) -> [Double?] {
    guard count > 0, let end = moments.last?.elapsed else { return [] }
    var stretches = [[Double]](repeating: [], count: count)
    for moment in moments {
      let age = end - moment.elapsed
      guard age < Self.reach, let value = value(moment) else { continue }
      stretches[count - 1 - Int(age.seconds / Self.reach.seconds * Double(count))].append(value)
    }
    var columns: [Double?] = []
    for values in stretches {
      let folded: Double? =
        switch fold {
        case .mean: values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        case .greatest: values.max()
        }
      // A stretch shorter than the time between two moments may have none.
      columns.append(folded ?? columns.last ?? nil)
    }
    return columns
  }
}
