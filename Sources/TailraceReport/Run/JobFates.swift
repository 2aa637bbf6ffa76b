import TailraceCore
import TailraceMeasurement

/// Text about jobs' outcomes, shown wherever not all of them succeeded, so that overload never looks like success.
package struct JobFates {
  private let causes: TailraceMeasurement.CauseCounts
  /// Lost jobs.
  private let lost: Int
  private let success: Double?

  package init(_ run: RunResult) {
    causes = run.measurement.all.causes
    lost = Int(clamping: Int64(min(9e15, max(0, run.measurement[.lost] ?? 0))))
    success = run.measurement[.success]
  }

  /// Combines several runs.
  package init(_ pooled: PooledRuns) {
    causes = pooled.classes.first { $0.key == .all }?.causes ?? TailraceMeasurement.CauseCounts()
    lost = 0
    success = causes.success
  }

  private var total: Int { causes.total + lost }
  private var unfinished: Int { total - causes[.succeeded] }
  /// Jobs that count as failures. ``excused`` ones do not.
  private var failed: Int { causes.possible + lost - causes[.succeeded] }

  /// Whether every job succeeded.
  package var areAllGood: Bool { unfinished == 0 }
  /// Whether some jobs count as failures.
  package var hasFailures: Bool { failed > 0 }

  /// `484,137 rejected, 12 dead-lettered`, the most frequent first; empty if every job succeeded.
  package var words: String {
    Self.listed([
      (causes[.rejected], "rejected"), (causes[.shed], "shed"), (causes[.dropped], "dropped"),
      (causes.deadLettered, "dead-lettered"), (causes.cancelled, "cancelled"),
      (causes[.duplicate], "rejected as duplicates"), (lost, "lost"),
    ])
  }

  /// The same of jobs that count as failures.
  private var failures: String {
    Self.listed([
      (causes[.rejected], "rejected"), (causes[.shed], "shed"), (causes[.dropped], "dropped"),
      (causes.deadLettered, "dead-lettered"), (causes.cancelled - causes[.cancelled], "cancelled"), (lost, "lost"),
    ])
  }

  /// The same of jobs that do not count, because they could not have succeeded.
  private var excused: String {
    Self.listed([
      (causes[.cancelled], "cancelled by their submitter"), (causes[.duplicate], "rejected as duplicates"),
    ])
  }

  private static func listed(_ groups: [(Int, String)]) -> String {
    groups.enumerated().filter { $0.element.0 > 0 }
      .sorted { ($1.element.0, $0.offset) < ($0.element.0, $1.offset) }
      .map { "\(HumanUnits.count(Double($0.element.0))) \($0.element.1)" }.joined(separator: ", ")
  }

  /// The share that succeeded of the jobs that could have; `–`: there were none.
  package var share: String { HumanUnits.value(success, .ratio) }

  /// The text after a number of jobs: `, 484,137 rejected (3.03 % succeeded)`; empty if every job succeeded.
  package var aside: String {
    areAllGood ? "" : ", \(words)\(isShort ? " (\(share) succeeded)" : "")"
  }

  /// Whether a job that could have succeeded did not. Jobs cancelled by their submitter could not have.
  private var isShort: Bool { success.map { $0 < 1 } ?? true }

  /// A sentence; nil if every job succeeded.
  package var sentence: String? {
    guard !areAllGood else { return nil }
    let ran = causes.ranToTheirEnd
    let response =
      ran == 0
      ? "No job ran to its end, so there are no response times"
      : "Response times are those of the \(HumanUnits.counted(ran, "job")) that ran to "
        + "\(ran == 1 ? "its" : "their") end, completed or dead-lettered"
    let possible = HumanUnits.counted(causes.possible + lost, "job")
    var sentences: [String] = []
    if hasFailures {
      sentences.append(
        "\(HumanUnits.count(Double(failed))) of \(possible) did not succeed: \(failures); success is \(share).")
    } else {
      sentences.append(
        causes.possible + lost > 0 ? "All \(possible) that could succeed did." : "No job could succeed.")
    }
    if !excused.isEmpty {
      sentences.append("\(hasFailures ? "Other jobs are" : "The other jobs are") not counted as failures: \(excused).")
    }
    return (sentences + ["\(response)."]).joined(separator: " ")
  }
}

/// A line about the jobs of a run that did not succeed, with the run's name in `**`.
package struct FateLine: Hashable, Sendable {
  package var words: String
  /// Whether some jobs count as failures; otherwise their submitter cancelled them, or they were duplicates.
  package var hasFailures: Bool
}

extension SuiteResult {
  /// A line for each run in which not all jobs succeeded.
  package var fates: [FateLine] {
    scenarios.flatMap { scenario in
      scenario.runs.compactMap { run in
        let fates = JobFates(run)
        return fates.sentence.map {
          FateLine(words: "**\(scenario.name)** on \(run.system): \($0)", hasFailures: fates.hasFailures)
        }
      }
    }
  }

  /// The words of ``fates``.
  package var fateLines: [String] { fates.map(\.words) }
}

extension ComparisonFindings {
  /// The same for each candidate, over all its rounds.
  package var fates: [FateLine] {
    pooled.compactMap { pooled in
      let fates = JobFates(pooled)
      guard let sentence = fates.sentence else { return nil }
      let label = candidates.indices.contains(pooled.candidate) ? candidates[pooled.candidate].label : pooled.system
      return FateLine(words: "**\(pooled.scenario)** on \(label): \(sentence)", hasFailures: fates.hasFailures)
    }
  }

  /// The words of ``fates``.
  package var fateLines: [String] { fates.map(\.words) }
}

extension CapacitySearch {
  /// Whether jobs failed or were turned away at any rate, so that the table needs a column for them.
  package var hasFailures: Bool { points.contains { ($0.success ?? 1) < 1 } }
}

extension PlanResult {
  /// The same for a plan's configurations.
  package var hasFailures: Bool { candidates.contains { ($0.success ?? 1) < 1 } }
}
