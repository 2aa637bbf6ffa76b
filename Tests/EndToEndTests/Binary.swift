// Goal: run the built program as a user's shell would, in a folder of its own, and keep all that it said.

import Foundation
import Subprocess
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// What one command came to.
struct Outcome: CustomStringConvertible {
  var arguments: [String]
  /// The exit status; minus the signal's number where a signal ended it.
  var status: Int32
  var output: String
  var error: String

  var outputLines: [Substring] { output.split(separator: "\n") }
  var errorLines: [Substring] { error.split(separator: "\n") }
  var description: String { "tailrace \(arguments.joined(separator: " ")) → \(status)\n\(output)\(error)" }
}

enum Binary {
  /// The program that was built with these tests lies beside their bundle.
  static let path = URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL.deletingLastPathComponent()
    .appendingPathComponent("tailrace").path

  static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  /// Scenarios whose targets hold on any machine.
  static func scenario(_ name: String) -> String { tests.appendingPathComponent("Scenarios/\(name).yaml").path }

  /// Runs a command to its end.
  ///
  /// - Parameters:
  ///   - folder: the working directory.
  ///   - environment: variables added to an environment without colours and columns of its own.
  static func run(
    _ arguments: [String], in folder: TemporaryFolder? = nil, environment: [String: String] = [:]
  ) async throws -> Outcome {
    let result = try await Subprocess.run(
      .path(FilePath(path)), arguments: Arguments(arguments), environment: variables(environment),
      workingDirectory: folder.map { FilePath($0.path) }, output: .string(limit: 16 << 20),
      error: .string(limit: 1 << 20))
    return Outcome(
      arguments: arguments, status: number(result.terminationStatus), output: result.standardOutput,
      error: result.standardError)
  }

  /// Runs a command that ought to be valid, again while the host disturbs it so much that the run is rightly invalid.
  static func runUndisturbed(_ arguments: [String], in folder: TemporaryFolder) async throws -> Outcome {
    for _ in 1...5 {
      let outcome = try await run(arguments, in: folder)
      guard outcome.status == 4 else { return outcome }
      for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent(name))
      }
    }
    return try await run(arguments, in: folder)
  }

  /// Runs a command, and signals it `times` times: first once it says `once`, which announces its first run, and the
  /// file `made` is there, then once it has answered.
  static func interrupt(
    _ arguments: [String], with signal: Signal, times: Int, once: String = "[1/", made: String? = nil,
    in folder: TemporaryFolder
  ) async throws -> Outcome {
    let said = folder.url.appendingPathComponent("said.txt")
    try Data().write(to: said)
    let file = try FileDescriptor.open(FilePath(said.path), .writeOnly, options: .append)
    let result = try await Subprocess.run(
      .path(FilePath(path)), arguments: Arguments(arguments + ["--progress", "plain"]), environment: variables([:]),
      workingDirectory: FilePath(folder.path), input: .none, output: .string(limit: 1 << 20),
      error: .fileDescriptor(file, closeAfterSpawningProcess: true)
    ) { execution in
      for words in [once, "Interrupted"].prefix(times) {
        // Looks for what was said rather than waiting for a length of time; gives up when the run must have ended.
        for _ in 0..<3_000 where !text(of: said).contains(words) || made.map(folder.isEmpty) == true {
          try await Task.sleep(for: .milliseconds(10))
        }
        try execution.send(signal: signal)
      }
    }
    return Outcome(
      arguments: arguments, status: number(result.terminationStatus), output: result.standardOutput,
      error: text(of: said))
  }

  /// Runs a command, and signals it once after a while.
  ///
  /// - Returns: what it came to, and how many seconds after the signal it had ended.
  static func interrupt(
    _ arguments: [String], with signal: Signal, after wait: Duration, in folder: TemporaryFolder
  ) async throws -> (Outcome, Double) {
    let (out, said) = (folder.url.appendingPathComponent("out.txt"), folder.url.appendingPathComponent("said.txt"))
    let files = try [out, said].map {
      try FileDescriptor.open(
        FilePath($0.path), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    }
    let start = Date()
    let result = try await Subprocess.run(
      .path(FilePath(path)), arguments: Arguments(arguments),
      environment: variables(["SWIFT_BACKTRACE": "enable=no"]), workingDirectory: FilePath(folder.path), input: .none,
      output: .fileDescriptor(files[0], closeAfterSpawningProcess: true),
      error: .fileDescriptor(files[1], closeAfterSpawningProcess: true)
    ) { execution in
      try await Task.sleep(for: wait)
      try execution.send(signal: signal)
    }
    let handle = try FileHandle(forReadingFrom: out)
    defer { try? handle.close() }
    let end = String(decoding: try handle.read(upToCount: 1 << 20) ?? Data(), as: UTF8.self)
    let outcome = Outcome(
      arguments: arguments, status: number(result.terminationStatus), output: end, error: text(of: said))
    return (outcome, -start.timeIntervalSinceNow - Double(wait.components.seconds))
  }

  private static func text(of url: URL) -> String { (try? String(contentsOf: url, encoding: .utf8)) ?? "" }

  private static func variables(_ added: [String: String]) -> Environment {
    var updates: [Environment.Key: String?] = ["NO_COLOR": nil, "TERM": "dumb", "COLUMNS": nil]
    for (name, value) in added { updates[Environment.Key(stringLiteral: name)] = value }
    return .inherit.updating(updates)
  }

  private static func number(_ status: TerminationStatus) -> Int32 {
    switch status {
    case .exited(let code): code
    case .signaled(let signal): -signal
    }
  }
}

/// A folder that goes with the test.
final class TemporaryFolder: Sendable {
  let url: URL
  var path: String { url.path }

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("tailrace-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Paths of all regular files in it, relative and in order, with their bytes; links are not followed.
  func files(under folder: String) throws -> [(path: String, bytes: Data)] {
    let root = url.appendingPathComponent(folder).resolvingSymlinksInPath()
    let paths = try FileManager.default.subpathsOfDirectory(atPath: root.path).sorted()
    return try paths.compactMap { path in
      let file = root.appendingPathComponent(path)
      guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { return nil }
      return (path, try Data(contentsOf: file))
    }
  }

  func text(_ path: String) throws -> String {
    try String(contentsOf: url.appendingPathComponent(path), encoding: .utf8)
  }

  /// Whether there is no such file, or nothing in it.
  func isEmpty(_ path: String) -> Bool { (try? text(path))?.isEmpty ?? true }

  func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: url.appendingPathComponent(path).path)
  }
}

/// Compares a text with the golden file of this name; `RECORD_GOLDEN=1` writes it and fails.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let file = Binary.tests.appendingPathComponent("Golden/\(name)")
  if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] == "1" {
    try text.write(to: file, atomically: true, encoding: .utf8)
    Issue.record("recorded \(name)", sourceLocation: sourceLocation)
    return
  }
  #expect(text == (try String(contentsOf: file, encoding: .utf8)), sourceLocation: sourceLocation)
}
