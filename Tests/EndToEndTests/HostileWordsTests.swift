// Goal: whatever a log, a file's name or a stored baseline says, what is printed of it has the lines that it should
// have, and nothing in it that moves a cursor or hides itself.

import Foundation
import Testing

@Suite struct HostileWordsTests {
  static let samples = [
    "\nPASSED", "\r\nPASSED\r\n", "\u{1b}[2K\u{1b}]8;;http://evil\u{7}", "\u{202e}DESSAP\u{2066}", "\u{9b}31m\u{2028}",
    "# x: [", "': {a: &b *c !d %", "\\\\\t`",
  ]

  /// Compares what is printed with what is printed where the words are harmless.
  private func expectAlike(_ text: String, _ harmless: String, _ about: String) {
    let hidden = text.unicodeScalars.first { scalar in
      switch scalar.properties.generalCategory {
      case .control: scalar != "\n"
      case .format, .lineSeparator, .paragraphSeparator: true
      default: false
      }
    }
    #expect(hidden == nil, "\(about): \(text.debugDescription.prefix(400))")
    func lines(_ text: String) -> Int { text.split(separator: "\n", omittingEmptySubsequences: false).count }
    #expect(lines(text) == lines(harmless), "\(about):\n\(text)")
  }

  private func described(_ word: String, _ more: [String]) async throws -> Outcome {
    let folder = try TemporaryFolder()
    let field = "\"\(word.replacing("\"", with: "\"\""))\""
    let rows = (1...40).map { "\($0),0.5,\(field),\(field)\n" }.joined()
    try Data(("at,took,type,user\n" + rows).utf8).write(to: folder.url.appendingPathComponent("log.csv"))
    let columns = ["submitted=at:s", "service=took:s", "job_type=type", "tenant=user"].flatMap { ["--column", $0] }
    return try await Binary.run(["trace", "log.csv"] + columns + more, in: folder)
  }

  @Test(arguments: [[], ["--fit"], ["--json"]]) func aLogsWords(options: [String]) async throws {
    // A name that has to be changed to be one of a job type, as those of the others.
    let harmless = try await described("a b", options)
    #expect(harmless.status == 0, "\(harmless)")
    for sample in Self.samples {
      let outcome = try await described("a b" + sample, options)
      #expect(outcome.status == 0, "\(outcome)")
      expectAlike(outcome.output, harmless.output, "\(options) \(sample.debugDescription)")
      expectAlike(outcome.error, harmless.error, "\(options) \(sample.debugDescription)")
      if options == ["--json"] { _ = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) }
      guard options == ["--fit"] else { continue }
      let folder = try TemporaryFolder()
      try Data(outcome.output.utf8).write(to: folder.url.appendingPathComponent("fitted.yaml"))
      let read = try await Binary.run(["validate", "fitted.yaml"], in: folder)
      #expect(read.status == 0, "\(sample.debugDescription): \(read)")
    }
  }

  @Test func aStoredBaselinesWords() async throws {
    let folder = try TemporaryFolder()
    let scenario = """
      name: hostileword
      jobs: {job: {service: 1ms}}
      load: {constant: 100/s, of: job, count: 5}
      """
    try Data(scenario.utf8).write(to: folder.url.appendingPathComponent("s.yaml"))
    let saved = try await Binary.run(
      ["baseline", "save", "b", "s.yaml", "--system", "simulated", "--rounds", "2"], in: folder)
    #expect(saved.status == 0, "\(saved)")
    let file = folder.url.appendingPathComponent(".tailrace/baselines/b.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(text.contains("\"hostileword\""))
    let commands = [["baseline", "list"], ["baseline", "show", "b"]]
    var harmless: [Outcome] = []
    for command in commands { harmless.append(try await Binary.run(command, in: folder)) }
    for sample in Self.samples {
      let word = String(decoding: try JSONEncoder().encode("a" + sample), as: UTF8.self)
      let changed = text.replacing("\"hostileword\"", with: word).replacing(
        "run s.yaml", with: "run \(word.dropFirst().dropLast())")
      try Data(changed.utf8).write(to: file)
      for (command, harmless) in zip(commands, harmless) {
        let outcome = try await Binary.run(command, in: folder)
        #expect(outcome.status == 0, "\(outcome)")
        expectAlike(outcome.output, harmless.output, "\(command) \(sample.debugDescription)")
      }
    }
    // A file that somebody put there has any name.
    try Data(text.utf8).write(to: file)
    let name = "x\n\u{1b}[2K\u{202e}.json"
    try Data(text.utf8).write(to: file.deletingLastPathComponent().appendingPathComponent(name))
    let listed = try await Binary.run(["baseline", "list"], in: folder)
    expectAlike(listed.output, harmless[0].output + "x\n", "a name")
  }
}
