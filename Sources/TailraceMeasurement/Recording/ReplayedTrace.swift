/// How the rows of a replayed log were used.
package struct ReplayedTrace: Sendable, Hashable, Codable {
  /// The number of rows excluded for one reason.
  package struct LeftOut: Sendable, Hashable, Codable {
    package var reason: String
    package var rows: Int
  }
  /// A value of the log that is not a valid name of a job type, and the name that replaces it.
  package struct Renamed: Sendable, Hashable, Codable {
    package var value: String
    package var name: String
  }
  /// The name of the file in the scenario.
  package var file: String
  /// Rows read, without comments and blank lines.
  package var rows: Int
  /// Rows that became jobs.
  package var jobs: Int
  package var leftOut: [LeftOut]
  package var renamed: [Renamed]
  /// Remarks about the file for the reader.
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
