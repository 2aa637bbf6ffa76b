import Foundation
import TailraceCore
import TailraceMeasurement
import TailraceReport
import TailraceWorkload

/// Puts reports on disk: a directory a run, whole or not at all.
package enum ReportDirectory {
  /// Why a report could not be written or read.
  package enum Problem: Error, CustomStringConvertible {
    case cannotWrite(path: String, reason: String)
    case cannotRead(path: String, reason: String)

    package var description: String {
      switch self {
      case .cannotWrite(let path, let reason):
        "cannot write the report to '\(path)': \(reason); choose another place with --output"
      case .cannotRead(let path, let reason):
        "cannot read '\(path)': \(reason); name a report directory that has a result.json"
      }
    }
  }

  /// Writes a suite's report and points `latest` beside it at it.
  ///
  /// - Parameters:
  ///   - parent: the directory that holds reports; made if it is missing.
  ///   - name: of the new directory; nil: the suite's name and the time at which it started.
  /// - Returns: the new directory's path.
  @discardableResult
  package static func write(_ run: SuiteRun, under parent: String, name: String? = nil) throws(Problem) -> String {
    try write(name: name ?? stamped(run.result.suite, started: run.result.started), under: parent) { temporary in
      try writeFiles(of: run.result, to: temporary)
      // The run that targets are about is `jobs.csv` where there is one scenario; all others are named.
      let isSingle = Set(run.jobs.map(\.scenario)).count == 1
      for (index, jobs) in run.jobs.enumerated() {
        let isMain = isSingle && index == 0
        let name = "\(jobs.scenario)__\(jobs.system)"
        if run.writesJobs { try write(jobs, to: temporary, as: isMain ? "jobs.csv" : "jobs/\(name).csv") }
        if run.writesTape { try writeTape(jobs, to: temporary, as: isMain ? "tape" : "tapes/\(name)") }
      }
    }
  }

  /// Writes files that are already made as one report, and points `latest` beside it at it.
  ///
  /// - Parameters:
  ///   - files: paths relative to the report's directory, with their bytes.
  ///   - name: of the new directory, such as ``stamped(_:started:)`` gives; a second one gets a number.
  ///   - parent: the directory that holds reports; made if it is missing.
  /// - Returns: the new directory's path.
  @discardableResult
  package static func write(
    files: [(path: String, bytes: [UInt8])], name: String, under parent: String
  ) throws(Problem) -> String {
    try write(name: name, under: parent) { temporary in
      for (path, bytes) in files { try put(bytes, at: path, in: temporary) }
    }
  }

  /// The name of a report's directory: what it is about, and when that was begun.
  ///
  /// - Parameter started: in ISO 8601.
  package static func stamped(_ subject: String, started: String) -> String {
    "\(subject)-\(started.filter { $0 != ":" && $0 != "-" })"
  }

  /// Fills a directory under a name that nobody looks at, and gives it its own once it is whole.
  private static func write(
    name base: String, under parent: String, filling fill: (_ temporary: URL) throws -> Void
  ) throws(Problem) -> String {
    do {
      let parentURL = URL(fileURLWithPath: parent, isDirectory: true)
      try FileManager.default.createDirectory(at: parentURL, withIntermediateDirectories: true)
      let temporary = parentURL.appendingPathComponent(".\(base).\(UUID().uuidString)", isDirectory: true)
      do {
        try fill(temporary)
        let final = try rename(temporary, to: base, in: parentURL)
        try point("latest", at: final, in: parentURL)
        return parentURL.appendingPathComponent(final).path
      } catch {
        try? FileManager.default.removeItem(at: temporary)
        throw error
      }
    } catch {
      throw .cannotWrite(path: parent, reason: error.localizedDescription)
    }
  }

  /// Renders a report again from its `result.json`, `comparison.json`, `gate.json` or `capacity.json`; every other file
  /// but `jobs.csv` is written anew.
  package static func rerender(_ directory: String) throws(Problem) {
    let url = URL(fileURLWithPath: directory, isDirectory: true)
    // What a directory is the report of shows in the file that all of it follows from.
    let renderings: [(name: String, render: ([UInt8]) throws -> [(path: String, bytes: [UInt8])])] = [
      ("gate.json", { try GateFiles.render(try GateFiles.decode($0)) }),
      ("comparison.json", { try ComparisonFiles.render(try ComparisonFiles.decode($0)) }),
      ("capacity.json", { try CapacityFiles.render(try CapacityFiles.decode($0)) }),
      ("result.json", { try ReportFiles.render(try ReportFiles.decode($0)) }),
    ]
    let known = renderings.first {
      FileManager.default.fileExists(atPath: url.appendingPathComponent($0.name).path)
    }
    let (name, render) = known ?? renderings[renderings.count - 1]
    let source = url.appendingPathComponent(name)
    let files: [(path: String, bytes: [UInt8])]
    do {
      files = try render(Array(try Data(contentsOf: source)))
    } catch {
      throw .cannotRead(path: source.path, reason: "\(error)")
    }
    do {
      for (path, bytes) in files { try put(bytes, at: path, in: url) }
    } catch {
      throw .cannotWrite(path: directory, reason: error.localizedDescription)
    }
  }

  private static func writeFiles(of suite: SuiteResult, to directory: URL) throws {
    for (path, bytes) in try ReportFiles.render(suite) { try put(bytes, at: path, in: directory) }
  }

  private static func put(_ bytes: [UInt8], at path: String, in directory: URL) throws {
    let file = directory.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file, options: .atomic)
  }

  private static func write(_ jobs: SuiteRun.Jobs, to directory: URL, as path: String) throws {
    var text = Array(AttemptRows.header.utf8)
    for record in jobs.records {
      AttemptRows.append(
        record, name: jobs.names.map { $0[Int(record.job)] }, types: jobs.types, origin: jobs.origin, to: &text)
    }
    try put(text, at: path, in: directory)
  }

  /// The rows, and beside them the scenario that replays them.
  private static func writeTape(_ jobs: SuiteRun.Jobs, to directory: URL, as path: String) throws {
    let rows = RecordedTape.csv(
      jobs.records, name: { job in jobs.names.map { $0[Int(job)] } }, types: jobs.types, origin: jobs.origin)
    try put(rows, at: path + ".csv", in: directory)
    let file = URL(fileURLWithPath: path + ".csv").lastPathComponent
    try put(RecordedTape.scenario(named: jobs.scenario, file: file), at: path + ".yaml", in: directory)
  }

  /// Gives the finished directory its name; a second report of the same second gets a number.
  private static func rename(_ temporary: URL, to base: String, in parent: URL) throws -> String {
    var name = base
    var number = 2
    while FileManager.default.fileExists(atPath: parent.appendingPathComponent(name).path) {
      name = "\(base)-\(number)"
      number += 1
    }
    try FileManager.default.moveItem(at: temporary, to: parent.appendingPathComponent(name))
    return name
  }

  /// Replaces a symbolic link in one step.
  private static func point(_ link: String, at target: String, in parent: URL) throws {
    let temporary = parent.appendingPathComponent(".\(link).\(UUID().uuidString)")
    try FileManager.default.createSymbolicLink(atPath: temporary.path, withDestinationPath: target)
    guard Foundation.rename(temporary.path, parent.appendingPathComponent(link).path) == 0 else {
      let reason = String(cString: strerror(errno))
      try? FileManager.default.removeItem(at: temporary)
      throw Problem.cannotWrite(path: link, reason: reason)
    }
  }
}
