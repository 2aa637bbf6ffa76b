// Goal: whoever follows the documentation literally gets what it promises: every command line of README.md and docs/
// runs, every scenario of theirs is valid. What cannot run here is declared, with the reason.

import Foundation
import Subprocess
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

@Suite(.serialized) struct DocumentedCommandTests {
  private static let root = Binary.tests.deletingLastPathComponent().deletingLastPathComponent()
  private static let pages =
    ["README.md"]
    + (try! FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("docs").path))
    .filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }

  /// Command lines that are not run, by how they begin, and why.
  private static let notRun: [(prefix: String, reason: String)] = [
    ("make ", "it builds and tests this package"), ("git ", "it changes a repository"),
    ("swift package ", "it builds another package"), ("swift run ", "it builds another package"),
    ("tailrace run no-op --system live", "its figures of speed take minutes"),
    ("tailrace run Benchmarks/", "its figures of speed take minutes"),
    ("tailrace run overload", "DocumentedSuites: it takes minutes in real time"),
    ("tailrace drivers install", "it installs packages"), ("tailrace drivers check", "it takes a driver"),
    ("tailrace crash ", "it takes an installed driver"),
    ("tailrace run mine.yaml --system stream:", "it takes a driver"),
    ("tailrace gate mine.yaml --self-test", "a self-test takes hundreds of runs; CompareTests has a short one"),
    ("tailrace gate scenarios/ --self-test", "a self-test takes hundreds of runs; CompareTests has a short one"),
  ]

  /// What is replaced in a line before it runs, so that it takes seconds and asks nothing of the machine.
  private static let substitutions: [(of: String, by: String)] = [
    // No repository lies around the test: the revision is a program.
    ("--against origin/main", "--against ./tailrace-main"), ("--against main", "--against ./tailrace-main"),
    ("--rounds 20", "--rounds 3"), ("--budget 10min", "--budget 6s"), ("--system live ", "--system simulated "),
    ("--system live,task-group", "--system simulated,simulated-sequential"), ("workers=1..64", "workers=1..4"),
  ]

  /// What is added to lines that begin so and have no `--system`, and to those that have no `--rounds`.
  private static let additions: [(prefix: String, lacking: String, words: String)] = [
    ("tailrace run mine.yaml", "--system", " --system simulated"),
    ("tailrace compare mine.yaml", "--system", " --system simulated"),
    ("tailrace compare before.yaml", "--system", " --system simulated"),
    ("tailrace gate mine.yaml", "--system", " --system simulated"),
    ("tailrace gate scenarios/", "--system", " --system simulated"),
    ("tailrace noise ", "--system", " --system simulated"),
    ("tailrace baseline save ", "--system", " --system simulated"),
    ("tailrace compare mine.yaml", "--rounds", " --rounds 3"),
    ("tailrace compare before.yaml", "--rounds", " --rounds 3"), ("tailrace gate mine.yaml", "--rounds", " --rounds 3"),
    ("tailrace gate scenarios/", "--rounds", " --rounds 3"), ("tailrace noise ", "--rounds", " --rounds 3"),
    ("tailrace baseline save ", "--rounds", " --rounds 3"), ("tailrace capacity ", "--rounds", " --rounds 3"),
    ("tailrace plan ", "--replications", " --replications 2"), ("tailrace capacity ", "--budget", " --budget 6s"),
  ]

  /// A command line of a page.
  struct Line: CustomStringConvertible {
    var page: String
    var text: String
    var description: String { "\(page): \(text)" }
  }

  /// Lines of fenced blocks that are commands, and commands within the text; those with a placeholder are none.
  static func lines(of page: String) throws -> [Line] {
    let text = try String(contentsOf: root.appendingPathComponent(page), encoding: .utf8)
    var found: [Line] = []
    for (language, block) in blocks(of: text) where ["", "sh"].contains(language) {
      for line in block.split(separator: "\n") where line.contains(#/^(tailrace|make|git|swift) /#) {
        found.append(Line(page: page, text: String(line.replacing(#/\s+#\s.*$/#, with: ""))))
      }
    }
    let prose = text.replacing(#/(?s)```.*?```/#, with: "")
    for match in prose.matches(of: #/`(tailrace [^`]+)`/#) {
      let line = match.1.replacing("\n", with: " ")
      // A placeholder, or only the command's name.
      let isName = line.contains(#/\b[A-Z]{2,}\b|…|\\\|/#) || line.contains(#/^tailrace \w+$/#)
      if !isName || ["tailrace list", "tailrace doctor"].contains(String(line)) {
        found.append(Line(page: page, text: String(line)))
      }
    }
    return found
  }

  static func blocks(of text: String) -> [(language: String, text: String)] {
    var blocks: [(language: String, text: String)] = []
    var open: (language: String, lines: [Substring])?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      guard line.hasPrefix("```") else {
        open?.lines.append(line)
        continue
      }
      if let block = open {
        blocks.append((block.language, block.lines.joined(separator: "\n")))
        open = nil
      } else {
        open = (line.dropFirst(3).trimmingCharacters(in: .whitespaces), [])
      }
    }
    return blocks
  }

  static func runnable(_ line: Line) -> String? {
    guard !notRun.contains(where: { line.text.hasPrefix($0.prefix) }) else { return nil }
    var command = line.text
    for (old, new) in substitutions { command = command.replacing(old, with: new) }
    for (prefix, lacking, words) in additions where command.hasPrefix(prefix) && !command.contains(lacking) {
      // Before whatever the shell does with the output.
      let redirection = command.firstIndex(of: ">").flatMap { command[..<$0].hasSuffix(" ") ? $0 : nil }
      if command.contains(" > "), let redirection, !command[..<redirection].contains("'") {
        command.insert(contentsOf: "\(words.dropFirst()) ", at: redirection)
      } else {
        command += words
      }
    }
    return command
  }

  private static func scenario(_ name: String, workers: Int = 2) -> String {
    """
    name: \(name)
    jobs: {thumbnail: {priority: high, service: 5ms}, report: {priority: low, service: exponential(mean: 20ms)}}
    load: {poisson: 60/s, of: {thumbnail: 3, report: 1}}
    duration: 1s
    scheduler: {workers: \(workers)}
    targets: [lost == 0]

    """
  }

  /// A folder with everything that the pages take as given.
  private func folder() async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    func write(_ text: String, _ path: String) throws {
      let url = folder.url.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    for name in ["mine", "before"] { try write(Self.scenario(name == "mine" ? "mine" : "side"), "\(name).yaml") }
    try write(Self.scenario("side", workers: 3), "after.yaml")
    try write(Self.scenario("nightly"), "scenarios/nightly.yaml")
    for name in ["driver", "driver-old", "driver-new", "old", "new"] {
      try write(Self.driver, name)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: folder.url.appendingPathComponent(name).path)
    }
    for name in ["tailrace-main", "tailrace-change", "bin/tailrace"] {
      try FileManager.default.createDirectory(
        at: folder.url.appendingPathComponent(name).deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: folder.url.appendingPathComponent(name).path, withDestinationPath: Binary.path)
    }
    for path in [".local/share/bash-completion/completions/x", ".zsh/completions/x", ".config/fish/completions/x"] {
      try write("", path)
    }
    for name in ["before", "after"] {
      for seed in 1...3 {
        let outcome = try await Binary.run(
          ["run", "mine.yaml", "--system", "simulated", "--seed", "\(seed)", "--output", "reports/\(name)"], in: folder)
        #expect(outcome.status == 0, "\(outcome)")
      }
    }
    let latest = try await Binary.run(["run", "mine.yaml", "--system", "simulated"], in: folder)
    #expect(latest.status == 0, "\(latest)")
    return folder
  }

  /// Rows by arithmetic, first come, first served, on as many workers as it is told.
  private static let driver = """
    #!/bin/sh
    awk -F, -v workers="$TAILRACE_WORKERS" '
      NR == 1 {
        print "job,job_type,priority,attempt,worker,intended_ns,submitted_ns,accepted_ns,eligible_ns,started_ns," \\
          "finished_ns,outcome"
        next
      }
      {
        best = 0
        for (worker = 1; worker < workers; worker++) if (free[worker] + 0 < free[best] + 0) best = worker
        start = free[best] > $4 ? free[best] : $4
        free[best] = start + $9
        printf "%s,%s,%s,1,async-%d,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,succeeded\\n", $1, $2, $3, best, $4, $4, $4, $4, \\
          start, free[best]
      }' "$1" > "$2"

    """

  /// Runs all lines in one folder, in their order: later ones use what earlier ones made.
  @Test func everyCommandLineRuns() async throws {
    let folder = try await folder()
    var seen: Set<String> = []
    var count = 0
    for page in Self.pages {
      // Each page begins with the same files: another one may have written its own scenario over them.
      try? FileManager.default.removeItem(at: folder.url.appendingPathComponent(".tailrace"))
      try Data(Self.scenario("mine").utf8).write(to: folder.url.appendingPathComponent("mine.yaml"))
      for line in try Self.lines(of: page) {
        guard let command = Self.runnable(line), seen.insert(command).inserted else { continue }
        count += 1
        let result = try await Subprocess.run(
          .path("/bin/bash"), arguments: ["-c", command],
          environment: .inherit.updating([
            "PATH": "\(folder.path)/bin:/usr/bin:/bin", "HOME": folder.path, "NO_COLOR": "1", "TERM": "dumb",
          ]), workingDirectory: FilePath(folder.path), input: .none, output: .string(limit: 16 << 20),
          error: .string(limit: 1 << 20))
        // 2, 3 and 5 are answers; wrong usage, an internal error and an invalid run are not.
        let answers: [TerminationStatus] = [.exited(0), .exited(2), .exited(3), .exited(5)]
        #expect(
          answers.contains(result.terminationStatus),
          "\(line)\nas \(command)\n\(result.terminationStatus)\n\(result.standardOutput)\(result.standardError)")
      }
    }
    #expect(count >= 25, "\(count) commands were found")
  }

  @Test func everyExceptionIsStillNeeded() throws {
    let all = try Self.pages.flatMap { try Self.lines(of: $0) }
    for (prefix, _) in Self.notRun { #expect(all.contains { $0.text.hasPrefix(prefix) }, "no page has '\(prefix)'") }
    for (old, _) in Self.substitutions { #expect(all.contains { $0.text.contains(old) }, "no page has '\(old)'") }
  }

  /// What stands around a part of a scenario to make it whole.
  private static let surroundings: [(begins: String, with: String)] = [
    (
      "graphs:",
      "name: part\njobs: {transcription: {service: 1ms}, emotion: {service: 1ms}, answer: {service: 1ms}, "
        + "extract: {service: 1ms}, embed: {service: 1ms}, resolve: {service: 1ms}, index: {service: 1ms}}\n"
        + "load: {batch: 1, of: interaction}\n"
    ),
    ("faults:", "name: part\njobs: {charge: {service: 1ms}}\nload: {constant: 1/s}\nduration: 60s\n"),
  ]

  @Test func everyScenarioIsValid() async throws {
    let folder = try TemporaryFolder()
    // A log in the format of the one that the pages name, which is not part of this package.
    let rows = (1...50).map { "\($0) \($0 * 10) 0 \(10 + $0) 1 -1 -1 1 -1 -1 1 \($0 % 5) \($0 % 3) -1 -1 -1 -1 -1" }
    try Data((rows.joined(separator: "\n") + "\n").utf8).write(to: folder.url.appendingPathComponent("log.swf"))
    var count = 0
    for page in Self.pages {
      let text = try String(contentsOf: Self.root.appendingPathComponent(page), encoding: .utf8)
      for (language, block) in Self.blocks(of: text) where language == "yaml" {
        // A workflow of GitHub's; ActionTests reads it.
        if block.contains("runs-on:") { continue }
        count += 1
        let part = Self.surroundings.first { block.hasPrefix($0.begins) }?.with ?? ""
        let whole = part + block.replacing("LCG-2005-1.swf.gz", with: "log.swf") + "\n"
        try Data(whole.utf8).write(to: folder.url.appendingPathComponent("block.yaml"))
        let outcome = try await Binary.run(["validate", "block.yaml"], in: folder)
        #expect(outcome.status == 0, "\(page):\n\(whole)\n\(outcome)")
      }
    }
    #expect(count >= 6)
  }

  /// Overrides that the pages show, each on a scenario that has what it names.
  @Test func everyOverrideThatIsShownWorks() async throws {
    let folder = try TemporaryFolder()
    let yaml = """
      name: shown
      jobs: {report: {service: 10ms}}
      load: [{poisson: 5/s}, {poisson: 5/s}]
      duration: 2s

      """
    try Data(yaml.utf8).write(to: folder.url.appendingPathComponent("shown.yaml"))
    var count = 0
    for page in Self.pages {
      let text = try String(contentsOf: Self.root.appendingPathComponent(page), encoding: .utf8)
      for match in text.matches(of: #/--set ('[^']+'|[\w.]+=[\w./%]+)/#) {
        let pair = match.1.filter { $0 != "'" }
        guard !pair.hasPrefix("KEY") else { continue }
        // On a load of one stream, as the page has it.
        let load = pair.hasPrefix("load.1") || !pair.hasPrefix("load.") ? [] : ["--set", "load={poisson: 5/s}"]
        count += 1
        let outcome = try await Binary.run(["validate", "shown.yaml"] + load + ["--set", pair], in: folder)
        #expect(outcome.status == 0, "\(page): --set \(pair)\n\(outcome)")
      }
    }
    #expect(count >= 6)
  }
}
