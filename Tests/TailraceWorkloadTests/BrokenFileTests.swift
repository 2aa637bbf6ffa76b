// Every broken file gives exactly the problems in the golden file beside it; RECORD_GOLDEN=1 rewrites those and fails.

import Foundation
import TailraceWorkload
import Testing

@Suite struct BrokenFileTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Broken")
  static let files = try! FileManager.default.contentsOfDirectory(atPath: folder.path)
    .filter { $0.hasSuffix(".yaml") }.sorted()

  static let check = ExpressionCheck(
    target: { expression, _ in badMetric(expression) }, published: { metric, _, _ in badMetric(metric) })

  static func badMetric(_ expression: String) -> String? {
    expression.hasPrefix("bad.") ? "unknown metric '\(expression.prefix(7))'; use a known one" : nil
  }

  static func problems(_ file: String) -> String {
    let path = folder.appendingPathComponent(file).path
    do {
      _ = try ScenarioParser.load(file: path, checking: check)
      return "no problems\n"
    } catch {
      return error.description.replacingOccurrences(of: path, with: file) + "\n"
    }
  }

  @Test(arguments: files) func everyProblemIsReported(_ file: String) throws {
    let found = Self.problems(file)
    let golden = Self.folder.appendingPathComponent(file.replacingOccurrences(of: ".yaml", with: ".txt"))
    if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] == "1" {
      try found.write(to: golden, atomically: true, encoding: .utf8)
      Issue.record("recorded \(golden.lastPathComponent)")
      return
    }
    #expect(found == (try String(contentsOf: golden, encoding: .utf8)))
    for line in found.split(separator: "\n") {
      #expect(line.wholeMatch(of: /\d\d-[a-z0-9-]+\.yaml:\d+:\d+: .+; .+/) != nil, "no position or no remedy: \(line)")
    }
  }

  @Test func thereAreTwentyOrMore() { #expect(Self.files.count >= 20) }

  @Test func aMissingFileAndAFolderAreNamed() {
    for (path, reason) in [("/no/such/file.yaml", "does not exist"), (Self.folder.path, "is a folder")] {
      #expect { try ScenarioParser.load(file: path) } throws: { error in
        "\(error)".hasPrefix("\(path): ") && "\(error)".contains(reason)
      }
    }
  }

  /// Texts that grow without bound when they are read carelessly are refused with a problem, and soon.
  @Test func hostileFilesAreRefused() {
    var bomb = "name: bomb\njobs:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let copies = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      bomb += "  a\(level): &a\(level) [\(copies)]\n"
    }
    let repeated = "name: again\n" + String(repeating: "name: again\n", count: 50)
    let long = "name: " + String(repeating: "x", count: 2 << 20)
    let indented = (0..<300).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
    for text in [bomb, repeated, long, indented, "\u{FEFF}", "%YAML 9.9\n---\n", "\0", "? ? ? ?", "<<: *a", "&a", "*"] {
      let result = ScenarioParser.parse(yaml: text, file: "hostile.yaml")
      #expect(throws: ScenarioProblems.self) { try result.get() }
    }
  }

  /// Mutates the built-in files by bytes and by lines: each either parses or gives problems, and never crashes.
  @Test(arguments: BuiltIn.all) func mutatedFilesNeverCrash(_ name: String) throws {
    let original = Array(try #require(BuiltIn.yaml(named: name)).utf8)
    let alphabet = Array("{}[]:,-#&*!|>'\"%@`?~ \n\tab01/()\u{e9}".utf8)
    for seed in 1...60 as ClosedRange<UInt64> {
      var draw = KeyedRandom(seed: seed)
      func next(_ bound: Int) -> Int {
        draw = draw.key(1)
        return Int(draw.bits % UInt64(bound))
      }
      var bytes = original
      for _ in 0...next(6) {
        let place = next(bytes.count)
        switch next(4) {
        case 0: bytes.remove(at: place)
        case 1: bytes.insert(alphabet[next(alphabet.count)], at: place)
        case 2: bytes[place] = alphabet[next(alphabet.count)]
        default:
          let end = min(bytes.count, place + 1 + next(80))
          bytes.insert(contentsOf: bytes[place..<end], at: next(bytes.count))
        }
      }
      switch ScenarioParser.parse(data: Data(bytes), file: "mutated.yaml") {
      case .success(let scenario):
        var cursor = Tape(scenario: scenario, seed: seed).makeCursor()
        for _ in 0..<100 { if cursor.next() == nil { break } }
      case .failure(let problems): #expect(!problems.problems.isEmpty, "seed \(seed)")
      }
    }
  }
}
