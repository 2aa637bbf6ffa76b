import Foundation
import TailraceHost
import TailraceMeasurement
import TailraceReport
import TailraceText
import TailraceWorkload

/// Baselines and noise floors as files of a repository. Each file is written atomically.
package struct BaselineStore: Sendable {
  /// The directory that contains `baselines/` and `noise/`.
  package let directory: String
  package init(directory: String) { self.directory = directory }

  private func path(_ kind: String, _ name: String) -> String { "\(directory)/\(kind)/\(name).json" }
  /// The folders with the store's files.
  package var folders: [String] { ["baselines", "noise"].map { "\(directory)/\($0)" } }
  /// The path of a baseline's file.
  package func path(of name: String) -> String { path("baselines", name) }

  // MARK: - Baselines

  /// Names of the baselines, sorted.
  package func names() -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/baselines")) ?? []
    return files.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.map { String($0.dropLast(5)) }.sorted()
  }

  package func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(of: name)) }

  /// - Parameter replacing: Whether to replace an existing baseline. If false, one that another command has saved in
  ///   the meantime stays.
  package func save(_ baseline: Baseline, replacing: Bool) throws(BaselineProblem) {
    try write(baseline, to: path(of: baseline.name), replacing: replacing)
  }

  /// Prevents other commands from creating a baseline with this name while the reservation lives.
  ///
  /// - Throws: ``BaselineProblem`` that names the process if another one is creating it.
  package func reserve(_ name: String) throws(BaselineProblem) -> FileReservation {
    let folder = "\(directory)/baselines"
    do {
      return try FileReservation(".\(name).lock", in: folder)
    } catch {
      guard error.code == EWOULDBLOCK else { throw BaselineProblem(description: error.description) }
      let holder = FileReservation.holder(of: ".\(name).lock", in: folder)
      throw BaselineProblem(
        description: "another command\(holder.map { " (process \($0))" } ?? "") is creating the baseline '\(name)'; "
          + "wait until it has ended, or choose another name")
    }
  }

  /// - Throws: ``BaselineProblem`` that explains how to create a missing baseline.
  package func load(_ name: String) throws(BaselineProblem) -> Baseline {
    guard exists(name) else {
      let known = names()
      let others = known.isEmpty ? "there is none yet" : "existing: \(known.joined(separator: ", "))"
      throw BaselineProblem(
        description: "no baseline '\(name)' in \(directory)/baselines (\(others)); create it from a known good "
          + "version with 'tailrace baseline save \(name) SCENARIO'")
    }
    let baseline: Baseline = try read(path(of: name))
    guard !baseline.rounds.isEmpty else { throw BaselineProblem(description: "'\(path(of: name))' contains no rounds") }
    return baseline
  }

  package func remove(_ name: String) throws(BaselineProblem) {
    guard exists(name) else { throw BaselineProblem(description: "no baseline '\(name)' in \(directory)/baselines") }
    let path = path(of: name)
    guard unlink(path) == 0 else { throw BaselineProblem(description: FileProblem(.remove, path, errno).description) }
  }

  /// A problem that would prevent saving a baseline with this name; nil: none is known.
  package func obstacle(toSaving name: String) -> FileProblem? { obstacle("baselines", name) }
  /// A problem that would prevent saving the noise with this name; nil: none is known.
  package func obstacle(toSavingNoiseOf name: String) -> FileProblem? { obstacle("noise", name) }

  private func obstacle(_ kind: String, _ name: String) -> FileProblem? {
    OutputFile.obstacle(toFilling: "\(directory)/\(kind)")
      ?? (FileManager.default.fileExists(atPath: path(kind, name))
        ? OutputFile.obstacle(toWriting: path(kind, name)) : nil)
  }

  // MARK: - Noise

  package func save(_ floor: NoiseFloor, of name: String) throws(BaselineProblem) {
    try write(floor, to: path("noise", name))
  }

  /// A suite's measured noise; nil: not measured.
  package func noise(of name: String) throws(BaselineProblem) -> NoiseFloor? {
    guard FileManager.default.fileExists(atPath: path("noise", name)) else { return nil }
    return try read(path("noise", name))
  }

  // MARK: - Files

  private func write(_ value: some Encodable, to path: String, replacing: Bool = true) throws(BaselineProblem) {
    do {
      try OutputFile.makeFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
      let bytes = try ReportJSON.encode(value)
      if replacing { try OutputFile.write(bytes, to: path) } else { try OutputFile.writeNew(bytes, to: path) }
    } catch let problem as FileProblem where problem.code == EEXIST {
      throw BaselineProblem(
        description: "'\(path)' was created by another command in the meantime and is unchanged; --replace "
          + "overwrites it")
    } catch {
      throw BaselineProblem(description: ErrorWords.of(error))
    }
  }

  private func read<Value: ResultDocument>(_ path: String) throws(BaselineProblem) -> Value {
    let bytes: [UInt8]
    do {
      bytes = try InputFile.bytes(of: path, .result, .regular)
    } catch {
      throw BaselineProblem(description: error.description)
    }
    do {
      return try ReportJSON.decode(bytes, file: "'\(path)'")
    } catch {
      throw BaselineProblem(description: "\(error.description); or save it again")
    }
  }
}

/// Why a file cannot be read or written.
package struct BaselineProblem: Error, CustomStringConvertible {
  package var description: String
}
