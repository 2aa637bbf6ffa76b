import Foundation
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailraceReport
import TailraceText
import TailraceWorkload

/// Writes reports to disk: one directory per run, atomically.
package enum ReportDirectory {
  /// A written report.
  package struct Written: Sendable {
    /// The new directory's path.
    package var directory: String
    /// Why `latest` does not point at it; nil: it does.
    package var linkProblem: String?
  }

  /// Writes a suite's report and points the link `latest` to it.
  ///
  /// - Parameters:
  ///   - parent: The directory of reports; created if missing.
  ///   - name: The new directory's name; nil: the suite's name and its start time.
  @discardableResult
  package static func write(_ run: SuiteRun, under parent: String, name: String? = nil) throws(ReportDirectoryProblem)
    -> Written
  {
    try write(name: name ?? stamped(run.result.suite, started: run.result.started), under: parent) { temporary in
      try writeFiles(of: run.result, to: temporary)
      // The run that targets are about is `jobs.csv` where there is one scenario; all others are named.
      let isSingle = Set(run.jobs.map(\.scenario)).count == 1
      var names = ReportFileNames()
      for (index, jobs) in run.jobs.enumerated() {
        let isMain = isSingle && index == 0
        let name = names.name(of: [jobs.scenario, jobs.system])
        if run.writesJobs { try write(jobs, to: temporary, as: isMain ? "jobs.csv" : "jobs/\(name).csv") }
        if run.writesTape { try writeTape(jobs, to: temporary, as: isMain ? "tape" : "tapes/\(name)") }
      }
    }
  }

  /// Writes existing files as one report, and points the link `latest` to it.
  ///
  /// - Parameters:
  ///   - files: Paths relative to the report's directory, with their bytes.
  ///   - name: The new directory's name, as from ``stamped(_:started:)``. A number is added if it exists.
  ///   - parent: The directory of reports; created if missing.
  @discardableResult
  package static func write(
    files: [(path: String, bytes: [UInt8])], name: String, under parent: String
  ) throws(ReportDirectoryProblem) -> Written {
    try write(name: name, under: parent) { temporary in
      for (path, bytes) in files { try put(bytes, at: path, in: temporary) }
    }
  }

  /// The name of a report's directory: its subject and start time.
  ///
  /// - Parameter started: The start time in ISO 8601.
  package static func stamped(_ subject: String, started: String) -> String {
    "\(subject)-\(started.filter { $0 != ":" && $0 != "-" })"
  }

  /// Fills a directory under a temporary name, and renames it when it is complete.
  private static func write(
    name base: String, under parent: String, filling fill: (_ temporary: URL) throws -> Void
  ) throws(ReportDirectoryProblem) -> Written {
    let parentURL = URL(fileURLWithPath: parent, isDirectory: true).standardizedFileURL
    let temporary = parentURL.appendingPathComponent(OwnedName(kind: ".\(base)").text, isDirectory: true)
    let final: String
    do {
      try OutputFile.makeFolder(temporary.path)
      try fill(temporary)
      final = try rename(temporary, to: base, in: parentURL)
    } catch {
      try? FileManager.default.removeItem(at: temporary)
      throw cannotWrite(parent, error)
    }
    return Written(
      directory: parentURL.appendingPathComponent(final).path,
      linkProblem: obstacle(toLinkIn: parent) ?? point(latest, at: final, in: parentURL))
  }

  private static func cannotWrite(_ parent: String, _ error: any Error) -> ReportDirectoryProblem {
    // The file's path has the temporary directory's name, which tells the user nothing: only the reason is shown.
    let reason = (error as? FileProblem)?.reason ?? ErrorWords.of(error)
    return ReportDirectoryProblem(
      description: "cannot write the report to '\(parent)': \(reason); choose another place with --output")
  }

  /// Renders a report again from its `result.json`, `comparison.json`, `gate.json`, `capacity.json` or `plan.json`;
  /// every other file but `jobs.csv` is written anew.
  package static func rerender(_ directory: String) throws(ReportDirectoryProblem) {
    let url = URL(fileURLWithPath: directory, isDirectory: true)
    // What a directory is the report of shows in the file that all of it follows from.
    let renderings: [(name: String, render: ([UInt8]) throws -> [(path: String, bytes: [UInt8])])] = [
      ("gate.json", { try GateFiles.render(try GateFiles.decode($0)) }),
      ("comparison.json", { try ComparisonFiles.render(try ComparisonFiles.decode($0)) }),
      ("capacity.json", { try CapacityFiles.render(try CapacityFiles.decode($0)) }),
      ("plan.json", { try PlanFiles.render(try PlanFiles.decode($0)) }),
      ("result.json", { try ReportFiles.render(try ReportFiles.decode($0)) }),
    ]
    let known = renderings.first {
      FileManager.default.fileExists(atPath: url.appendingPathComponent($0.name).path)
    }
    let (name, render) = known ?? renderings[renderings.count - 1]
    let source = url.appendingPathComponent(name)
    let files: [(path: String, bytes: [UInt8])]
    do {
      files = try render(try InputFile.bytes(of: source.path, .result, .regular))
    } catch {
      let reason = (error as? FileProblem)?.reason ?? ErrorWords.of(error)
      throw ReportDirectoryProblem(
        description: "cannot read '\(source.path)': \(reason); name a report directory that has a result.json",
        isOfWriting: false)
    }
    do {
      for (path, bytes) in files { try put(bytes, at: path, in: url) }
    } catch {
      throw ReportDirectoryProblem(description: ErrorWords.of(error))
    }
  }

  private static func writeFiles(of suite: SuiteResult, to directory: URL) throws {
    for (path, bytes) in try ReportFiles.render(suite) { try put(bytes, at: path, in: directory) }
  }

  private static func put(_ bytes: [UInt8], at path: String, in directory: URL) throws {
    let file = directory.appendingPathComponent(path)
    try OutputFile.makeFolder(file.deletingLastPathComponent().path)
    try OutputFile.write(bytes, to: file.path)
  }

  private static func write(_ jobs: SuiteRun.Jobs, to directory: URL, as path: String) throws {
    var text = Array(AttemptRows.header.utf8)
    for record in jobs.records {
      AttemptRows.append(
        record, name: jobs.names.map { $0[Int(record.number)] }, types: jobs.types, origin: jobs.origin, to: &text)
    }
    try put(text, at: path, in: directory)
  }

  /// The rows, and beside them the scenario that replays them.
  private static func writeTape(_ jobs: SuiteRun.Jobs, to directory: URL, as path: String) throws {
    let rows = RecordedTape.csv(
      jobs.records, name: { job in jobs.names.map { $0[Int(job)] } }, types: jobs.types, origin: jobs.origin)
    try put(rows, at: path + ".csv", in: directory)
    let file = URL(fileURLWithPath: path + ".csv").lastPathComponent
    try put(RecordedTape.scenario(named: jobs.scenario, file: file, jobs.records), at: path + ".yaml", in: directory)
  }

  /// Gives the finished directory its name; a second report of the same second gets a number.
  private static func rename(_ temporary: URL, to base: String, in parent: URL) throws -> String {
    var name = base
    var number = 2
    while FileManager.default.fileExists(atPath: parent.appendingPathComponent(name).path) {
      name = "\(base)-\(number)"
      number += 1
    }
    let place = parent.appendingPathComponent(name).path
    guard Foundation.rename(temporary.path, place) == 0 else { throw FileProblem(.write, place, errno) }
    return name
  }

  // MARK: - The newest report

  /// The link to the newest report.
  private static let latest = "latest"

  /// Describes a file at the link's path that is not such a link; nil: there is none.
  package static func obstacle(toLinkIn parent: String) -> String? {
    let path = parent.hasSuffix("/") ? parent + latest : "\(parent)/\(latest)"
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    let kind: String
    switch status.st_mode & S_IFMT {
    case S_IFDIR: kind = "a folder"
    case S_IFLNK:
      let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? ""
      if isReport(target) { return nil }
      kind = "a link to '\(target)'"
    case S_IFREG: kind = "a file"
    default: kind = "neither a file nor a folder"
    }
    return "'\(path)' is \(kind) that tailrace did not make, so it is left as it is and does not point at the new "
      + "report; move it away, or choose another place with --output"
  }

  /// Whether the target of a link is what an earlier command's link names: a report in the same directory.
  private static func isReport(_ target: String) -> Bool {
    target.wholeMatch(of: /[^\/]+-\d{8}T\d{6}Z(-\d+)?/) != nil
  }

  /// The link to the newest report if that report is gone; nil: there is no link, or its target exists.
  package static func danglingLink(in parent: String) -> String? {
    let path = URL(fileURLWithPath: parent, isDirectory: true).appendingPathComponent(latest).path
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK, status.st_uid == geteuid(),
      stat(path, &status) != 0, errno == ENOENT,
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path), isReport(target)
    else { return nil }
    return path
  }

  /// Replaces a symbolic link in one step.
  ///
  /// - Returns: Why it failed; nil: it succeeded.
  private static func point(_ link: String, at target: String, in parent: URL) -> String? {
    let temporary = parent.appendingPathComponent(OwnedName(kind: ".\(link)").text).path
    let place = parent.appendingPathComponent(link).path
    guard symlink(target, temporary) == 0 else { return FileProblem(.write, place, errno).description }
    guard Foundation.rename(temporary, place) == 0 else {
      let code = errno
      unlink(temporary)
      return FileProblem(.write, place, code).description
    }
    return nil
  }
}

/// Why a report could not be written or read.
package struct ReportDirectoryProblem: Error, CustomStringConvertible {
  package var description: String
  /// Whether writing failed, rather than reading.
  package var isOfWriting = true
}
