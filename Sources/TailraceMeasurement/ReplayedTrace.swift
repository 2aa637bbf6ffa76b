/// What became of the rows of a log that a scenario replays.
package struct ReplayedTrace: Sendable, Hashable, Codable {
  /// Rows that were left out for one reason.
  package struct LeftOut: Sendable, Hashable, Codable {
    package var reason: String
    package var rows: Int
  }
  /// A value of the log that could not be a job type's name, and the name that stands for it.
  package struct Renamed: Sendable, Hashable, Codable {
    package var value: String
    package var name: String
  }
  /// As the scenario names the file.
  package var file: String
  /// Rows read, without comments and blank lines.
  package var rows: Int
  /// Rows that became jobs.
  package var jobs: Int
  package var leftOut: [LeftOut]
  package var renamed: [Renamed]
  /// What a reader should know although the file could be read.
  package var remarks: [String]

  package init(
    file: String, rows: Int, jobs: Int, leftOut: [(reason: String, count: Int)],
    renamed: [(value: String, name: String)], remarks: [String]
  ) {
    self.file = file
    self.rows = rows
    self.jobs = jobs
    self.leftOut = leftOut.map { LeftOut(reason: $0.reason, rows: $0.count) }
    self.renamed = renamed.map { Renamed(value: $0.value, name: $0.name) }
    self.remarks = remarks
  }
}
