import Foundation
import TailraceMeasurement
import TailraceReport

/// Baselines and noise floors as files of a repository, each written whole or not at all.
package struct BaselineStore: Sendable {
  /// Why a file cannot be had.
  package struct Problem: Error, CustomStringConvertible {
    package var description: String
  }

  /// The directory that holds `baselines/` and `noise/`.
  package let directory: String
  package init(directory: String) { self.directory = directory }

  private func path(_ kind: String, _ name: String) -> String { "\(directory)/\(kind)/\(name).json" }
  /// The path of a baseline's file.
  package func path(of name: String) -> String { path("baselines", name) }

  // MARK: - Baselines

  /// Names of the baselines, sorted.
  package func names() -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/baselines")) ?? []
    return files.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.map { String($0.dropLast(5)) }.sorted()
  }

  package func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(of: name)) }

  package func save(_ baseline: Baseline) throws(Problem) {
    try write(baseline, to: path(of: baseline.name))
  }

  /// - Throws: ``Problem`` that says how to make one, where it is missing.
  package func load(_ name: String) throws(Problem) -> Baseline {
    guard exists(name) else {
      let known = names()
      let others = known.isEmpty ? "there is none yet" : "there are: \(known.joined(separator: ", "))"
      throw Problem(
        description: "no baseline '\(name)' in \(directory)/baselines (\(others)); make it where the code is good with "
          + "'tailrace baseline save \(name) SCENARIO'")
    }
    let baseline: Baseline = try read(path(of: name), current: Baseline.currentFormat)
    guard !baseline.rounds.isEmpty else { throw Problem(description: "'\(path(of: name))' holds no rounds") }
    return baseline
  }

  package func remove(_ name: String) throws(Problem) {
    guard exists(name) else { throw Problem(description: "no baseline '\(name)' in \(directory)/baselines") }
    do {
      try FileManager.default.removeItem(atPath: path(of: name))
    } catch {
      throw Problem(description: "cannot remove '\(path(of: name))': \(error.localizedDescription)")
    }
  }

  // MARK: - Noise

  package func save(_ floor: NoiseFloor, of name: String) throws(Problem) { try write(floor, to: path("noise", name)) }

  /// The noise that was measured of a suite; nil: it never was.
  package func noise(of name: String) throws(Problem) -> NoiseFloor? {
    guard FileManager.default.fileExists(atPath: path("noise", name)) else { return nil }
    return try read(path("noise", name), current: NoiseFloor.currentFormat)
  }

  // MARK: - Files

  private struct Head: Decodable { var format: Int }

  private func write(_ value: some Encodable, to path: String) throws(Problem) {
    do {
      let url = URL(fileURLWithPath: path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(try ReportJSON.encode(value)).write(to: url, options: .atomic)
    } catch {
      throw Problem(description: "cannot write '\(path)': \(error.localizedDescription)")
    }
  }

  private func read<Value: Decodable>(_ path: String, current: Int) throws(Problem) -> Value {
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      let format = try JSONDecoder().decode(Head.self, from: data).format
      guard format == current else {
        throw Problem(description: "'\(path)' has format \(format); this version reads format \(current): save it anew")
      }
      return try JSONDecoder().decode(Value.self, from: data)
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem(description: "cannot read '\(path)': \(error); save it anew")
    }
  }
}
