// Goal: a stranger's file can neither use up the memory, nor make a message show what it should not, nor wait for ever.

import Foundation
import TailraceCore
import TailraceSpelling
import Testing
@testable import TailraceText

@testable import TailraceWorkload

struct HostileInputTests {
  private let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("tailrace-in-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: "\(folder)/own/.git", withIntermediateDirectories: true)
  }

  private func put(_ text: String, at name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
  }

  private func problems(_ yaml: String) throws -> String {
    try put(yaml, at: "own/s.yaml")
    do {
      _ = try ScenarioParser.load(file: "\(folder)/own/s.yaml")
      return ""
    } catch {
      return error.description
    }
  }

  // MARK: - Limits

  @Test func noMoreIsReadThanTheLimitSays() throws {
    let limit = ReadLimit(bytes: 1_000, line: 100, advice: "cut it")
    try put(String(repeating: "a\n", count: 500), at: "fits")
    #expect(try InputFile.read("\(folder)/fits", limit).count == 1_000)
    #expect(try TextFile.read("\(folder)/fits", limit).bytes.count == 1_000)
    try put(String(repeating: "a\n", count: 501), at: "large")
    for path in ["\(folder)/large", "/dev/zero"] {
      #expect(throws: InputProblem.tooLarge(limit)) { try InputFile.read(path, limit) }
      #expect { try TextFile.read(path, limit) } throws: { "\($0)".contains("is larger than") }
    }
    try put(String(repeating: "a", count: 101) + "\nx\n", at: "line")
    #expect { try TextFile.read("\(folder)/line", limit) } throws: {
      ($0 as? TextProblem)?.line == 1 && "\($0)".contains("the line is longer than")
    }
  }

  @Test func whatUnpacksToMoreThanTheLimitIsRefused() throws {
    // A thousand lines of "1ms".
    let bomb = try #require(
      Data(base64Encoded: "H4sIAAAAAAACA+3DMQ0AAAgDsB83E8Y1/wkyeNqk2U5UVVXV1wedfTZFoA8AAA=="))
    try bomb.write(to: URL(fileURLWithPath: "\(folder)/bomb.gz"))
    let fitting = ReadLimit(bytes: 4_000, line: nil, advice: "")
    #expect(try TextFile.read("\(folder)/bomb.gz", fitting).bytes.count == 4_000)
    for limit in [
      ReadLimit(bytes: 3_999, line: nil, advice: ""), ReadLimit(bytes: 1 << 20, line: 2, advice: ""),
    ] {
      #expect { try TextFile.read("\(folder)/bomb.gz", limit) } throws: { "\($0)".contains("than 0 MiB") }
    }
  }

  @Test(.timeLimit(.minutes(1))) func whatAScenarioNamesIsARegularFile() throws {
    #expect(mkfifo("\(folder)/own/pipe", 0o600) == 0)
    let names = [
      "/dev/zero", "/dev/stdin", "pipe", "/proc/self/environ", "/proc/self/mem", "/sys/kernel/uevent_seqnum",
    ]
    for name in names where name == "pipe" || FileManager.default.fileExists(atPath: name) {
      for yaml in Self.naming(name) {
        let found = try problems(yaml)
        #expect(found.contains("which a scenario may not name"), "\(name): \(found)")
      }
    }
    // The user may name a pipe.
    #expect(throws: InputProblem.tooLarge(.scenario)) { try InputFile.read("/dev/zero", .scenario) }
  }

  @Test func aliasesCannotMultiplyAFileWithoutBound() throws {
    var yaml = "x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    for level in 1...12 {
      yaml += "x-\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ") + "]\n"
    }
    #expect(try problems(yaml + "name: *a12\n").contains("too many values; use fewer aliases"))
    // As a key, which is compared with the other keys, and in a merge.
    for key in ["? *a12\n: x", "?\n  - *a12\n: x", "*a12 : x", "{? [*a12] : x}", "[*a12]: x", "- {[*a12] : x}"] {
      #expect(try problems(yaml + key + "\n").contains("write a plain word"), "\(key)")
    }
    #expect(try !problems(yaml + "<<: [*a12, *a12]\n").isEmpty)
    // The search for such keys and for advice takes time that grows with the square of a line's length.
    #expect(try problems(yaml + "b: [" + String(repeating: "*a, ", count: 50_000) + "\n").contains("break it up"))
    #expect(try !problems("b: [" + String(repeating: "a", count: 500_000) + "\n").isEmpty)
    for open in ["[", "{a: ", "- "] {
      #expect(try problems("name: " + String(repeating: open, count: 50_000)).count < 1_000)
    }
  }

  // MARK: - Secrets

  /// Scenarios that name a file in every way there is.
  private static func naming(_ name: String) -> [String] {
    let csv = "format: csv, columns: {submitted: t, service: s, job_type: k}"
    return [
      "name: s\njobs: {a: {service: 'empirical(\(name))'}}\nload: {batch: 1}\n",
      "name: s\njobs: {a: {service: 1ms, delay: 'empirical(\(name))'}}\nload: {batch: 1}\n",
      "name: s\nload: {trace: '\(name)', \(csv)}\n",
      "name: s\nload: {trace: '\(name)', format: csv, columns: {submitted: 1, service: 2, job_type: 3}}\n",
      "name: s\nload: {trace: '\(name)', format: jsonl, columns: {submitted: t, service: s}}\n",
      "name: s\nload: {trace: '\(name)', format: swf}\n",
      "name: s\nload: {trace: '\(name)', \(csv.replacing("k}", with: "k, outcome: k}")), failed: [none]}\n",
    ].filter { !$0.contains("delay") || ScenarioReader.jobKeys.contains("delay") }
  }

  @Test(arguments: [
    "hunter2\nhunter2", "hunter2=1\n", "t,s,k\n1,hunter2,a\n", "t,s,k\nhunter2,2,a\n", "t,s,k,hunter2\n1,2\n",
    "hunter2,s,k\n1,2,3\n", "t,s,k\n1,2,\"hunter2\n", "t,s,k\n1,2,\"a\"hunter2\n", "{\"t\": \"hunter2\"}",
    "{\"hunter2\": 1}", "{\"t\": hunter2}", "{\"t\": 1, \"s\": \"hunter2\"}", "1 2 3 hunter2\n",
    "1 2 3 hunter2 5 6 7 8 9 10 11 12 13 14 15 16 17 18", "\u{feff}hunter2", "t,s,k\n1,0,hunter2\n",
    "t,s,k\n-1,2,hunter2\n",
  ])
  func noMessageShowsAFileOutsideTheFolder(_ text: String) throws {
    try put(text, at: "secret.txt")
    try put(text, at: "own/.git/config")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder)/own/link.csv", withDestinationPath: "../secret.txt")
    for name in ["../secret.txt", "link.csv", ".git/config", "\(folder)/secret.txt"] {
      for yaml in Self.naming(name) {
        let found = try problems(yaml)
        #expect(!found.contains("hunter2"), "\(found)")
        // Where it is wrong is said all the same, unless the file as a whole is.
        let isPlaced = found.contains(/:\d+:\d+: what stands here|all \d+ rows were excluded|holds no values/)
        #expect(isPlaced || found.isEmpty, "\(found)")
      }
    }
    // In the folder it is shown: the author may want to know.
    try put("ten hunter2\n", at: "own/values.txt")
    #expect(try problems(Self.naming("values.txt")[0]).contains("hunter2"))
  }

  // MARK: - What messages quote

  @Test func messagesQuoteLittleAndNothingHidden() throws {
    let word = String(repeating: "zq", count: 3_000)
    for value in [
      word, "1ms\u{1b}[2K\u{202e}\(word)", "'\(word)", "{\(word): \(word)}", "[\(word)]", "\(word)(\(word))",
    ] {
      for path in ScenarioParser.settings + [
        "jobs.a.service", "jobs.a.work", "load.poisson", "jobs.a.retries", "x.\(word)",
      ] {
        let parsed = ScenarioParser.parse(
          yaml: "name: s\njobs: {a: {service: 1ms}}\nload: {batch: 1}\n", file: "s.yaml",
          overrides: [(key: path, value: value)], checking: .none)
        guard case .failure(let found) = parsed else { continue }
        for problem in found.problems.map(\.description) {
          #expect(!problem.contains(String(repeating: "zq", count: 41)), "\(path): \(problem.prefix(300))")
          #expect(!problem.unicodeScalars.contains(where: VisibleText.isHidden), "\(path)")
        }
      }
    }
  }

  @Test func hiddenCharactersAreShownAsEscapes() {
    let hidden =
      "\u{0}\u{7}\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{61c}\u{115f}\u{180e}\u{200b}\u{200d}\u{200e}\u{202e}\u{2028}"
    let more = "\u{2060}\u{2066}\u{2069}\u{2800}\u{3164}\u{e000}\u{fe0f}\u{feff}\u{fff9}\u{e0041}\u{f0001}\r"
    for scalar in (hidden + more).unicodeScalars {
      #expect(VisibleText.line("a\(scalar)b") == "a\\u{\(String(scalar.value, radix: 16))}b")
      #expect(VisibleText.lines("a\(scalar)b") == VisibleText.line("a\(scalar)b"))
    }
    #expect(VisibleText.line("a\tb\nc") == #"a\u{9}b\u{a}c"# && VisibleText.lines("a\tb\nc") == "a\tb\nc")
    #expect(VisibleText.line("Größe ≥ 5 µs – 日本 ✓ e\u{301}") == "Größe ≥ 5 µs – 日本 ✓ e\u{301}")
    #expect(VisibleText.line([0x61, 0xff, 0xc3, 0xa9, 0xe2, 0x82, 0x1b]) == #"a\xffé\xe2\x82\u{1b}"#)
    // What is already so stays so.
    #expect(VisibleText.line(VisibleText.line(hidden)) == VisibleText.line(hidden))
    #expect("'\(VisibleText.quoted(String(repeating: "é", count: 41)))'".count == 43)
    let name = String(repeating: "x", count: 50)
    #expect(Message("no '\(name)' in \(name)").text.count == 4 + 41 + 5 + 50)
  }
}
