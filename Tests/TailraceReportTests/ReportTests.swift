// Goal: one fixed result gives exactly the files beside this test, and the same bytes after a trip through JSON.
import Foundation
import TailraceCore
import TailraceMeasurement
import Testing

@testable import TailraceReport

@Suite struct ReportTests {
  private static let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

  /// Compares bytes with a golden file; with RECORD_GOLDEN=1 rewrites the file, and fails.
  private func expectGolden(_ name: String, _ bytes: [UInt8]) throws {
    let url = Self.golden.appending(path: name)
    if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] == "1" {
      try FileManager.default.createDirectory(at: Self.golden, withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
      Issue.record("\(name) was rewritten; run again without RECORD_GOLDEN")
      return
    }
    let expected = try #require(try? Data(contentsOf: url), "no golden file \(name); RECORD_GOLDEN=1 writes it")
    let got = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    let want = String(decoding: expected, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(got.count == want.count, "\(name) has another number of lines")
    for (line, (g, w)) in zip(got, want).enumerated() where g != w {
      Issue.record("\(name):\(line + 1): got \(g), expected \(w)")
      return
    }
  }

  @Test(arguments: ["report.md", "report.html", "results.csv", "targets.csv", "checks.csv", "result.json"])
  func fileIsAsBefore(path: String) throws {
    let files = try ReportFiles.render(FixedSuite.make())
    try expectGolden(path, try #require(files.first { $0.path == path }).bytes)
  }

  @Test func histogramIsAsBefore() throws {
    let files = try ReportFiles.render(FixedSuite.make())
    let file = try #require(files.first { $0.path == "histograms/stream__live__all__response.hgrm" })
    try expectGolden("response.hgrm", file.bytes)
  }

  /// The greatest sample is the same in the histogram's file, in the table and on the page.
  @Test func theMaximumIsTheSameEverywhere() throws {
    let suite = try FixedSuite.make()
    let files = Dictionary(uniqueKeysWithValues: try ReportFiles.render(suite).map { ($0.path, $0.bytes) })
    let table = String(decoding: try #require(files["results.csv"]), as: UTF8.self)
    var compared = 0
    for scenario in suite.scenarios {
      for run in scenario.runs {
        for quantity in Quantity.allCases {
          guard let samples = run.measurement.all[quantity] else { continue }
          let name = "histograms/\(scenario.name)__\(run.system)__all__\(quantity.name).hgrm"
          let text = String(decoding: try #require(files[name]), as: UTF8.self)
          let most = HumanUnits.fixed(Double(samples.max.rawValue) / 1e6, decimals: 6)
          let footer = try #require(text.firstMatch(of: /#\[Max *= *([0-9.]+)/))
          #expect(footer.1 == most, "\(name)")
          let last = try #require(text.split(separator: "\n").last { !$0.hasPrefix("#") })
          #expect(last.split(separator: " ").first.map(String.init) == most, "\(name)")
          #expect(
            table.contains(",\(scenario.name),\(run.system),all,\(quantity.name),max,ns,\(samples.max.rawValue)\n"))
          compared += 1
        }
      }
    }
    #expect(compared > 10)
  }

  @Test func renderingAgainFromJSONGivesTheSameBytes() throws {
    let suite = try FixedSuite.make()
    let files = try ReportFiles.render(suite)
    let json = try #require(files.first { $0.path == "result.json" })
    let again = try ReportFiles.render(ReportFiles.decode(json.bytes))
    #expect(files.map(\.path) == again.map(\.path))
    for (one, two) in zip(files, again) { #expect(one.bytes == two.bytes, "\(one.path) differs") }
  }

  /// Every key is in snake case, and no length of time has a name without its unit.
  @Test func namesHaveOneStyleAndTheirUnit() throws {
    var suite = try FixedSuite.make()
    suite.scenarios[0].runs[0].measurement.priorities = ["myType": .high, "busy_type": .low]
    let bytes = try ReportFiles.encode(suite)
    #expect(try ReportFiles.decode(bytes) == suite)
    let text = String(decoding: bytes, as: UTF8.self)
    let keys = Set(text.matches(of: /"([^"\\]+)":/).map { String($0.1) })
    #expect(keys.isSuperset(of: ["myType", "busy_type"]), "names that users gave stay as they are")
    #expect(keys.filter { $0.contains(where: \.isUppercase) } == ["myType"])
    #expect(keys.isSuperset(of: ["busy_ns", "held_back_ns", "width_ns", "window_start_ns"]))
    #expect(keys.isSuperset(of: ["time_scale", "exit_status"]))
    #expect(keys.isDisjoint(with: ["busy", "held_back", "width", "window_start"]))
  }

  /// What the real work did is beside each system that did some, in every file that names it, and nowhere else.
  @Test func whatTheWorkDidIsShownForRunsThatHaveSome() throws {
    var suite = try FixedSuite.make()
    func text(_ path: String) throws -> String {
      let file = try #require(try ReportFiles.render(suite).first { $0.path == path })
      return String(decoding: file.bytes, as: UTF8.self)
    }
    for path in ["report.md", "report.html"] { #expect(!(try text(path)).contains("What the work did")) }
    #expect(!(try text("result.json")).contains("\"work\""))
    suite.scenarios[0].runs[0].observations.work = [
      WorkStatistic(.eventsPublished, 1_234), WorkStatistic(.eventsPerJobMean, 2.5), WorkStatistic(.reads, 7),
    ]
    suite.scenarios[0].runs[1].observations.work = [
      WorkStatistic(.eventsPublished, 99), WorkStatistic(.acquisitionTimeMax, 1_500),
    ]
    let page = try text("report.md")
    let lines = page.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    let start = try #require(lines.firstIndex(of: "### What the work did"))
    #expect(lines[start + 1] == "| Work | Figure | live | sequential |")
    #expect(
      lines[(start + 3)...].prefix { $0.hasPrefix("|") } == [
        "| Event bus | Events published | 1,234 | 99 |",
        "| Event bus | Events per job in the history, mean | 2.50 | – |",
        "| Database pool | Acquisition time, max | – | 1.50 µs |", "| Database pool | Reads | 7 | – |",
      ])
    #expect(page.matches(of: /What the work did/).count == 1)
    let document = try text("report.html")
    #expect(document.contains("What the work did") && document.contains("Events published"))
    let json = try text("result.json")
    #expect(
      json.contains(#"{"group":"database_pool","name":"acquisition_time_max","unit":"ns","value":1500}"#))
    #expect(try ReportFiles.decode(Array(json.utf8)) == suite)
  }

  /// A file of the first format, whose names had no units, gives the same result.
  @Test func formerFormatIsRead() throws {
    let former = try Data(contentsOf: Self.golden.appending(path: "result-format-1.json"))
    var expected = try FixedSuite.make()
    for scenario in expected.scenarios.indices { expected.scenarios[scenario].causes = nil }
    // Large runs had no attempts.
    expected.scenarios[1].runs[0].measurement.timeline = nil
    let read = try ReportFiles.decode(Array(former))
    #expect(read.format == SuiteResult.currentFormat)
    #expect(read == expected)
  }

  @Test func pathsAreDistinctAndSafe() throws {
    let paths = try ReportFiles.render(FixedSuite.make()).map(\.path)
    #expect(Set(paths).count == paths.count)
    #expect(paths.first == "report.md")
    #expect(!paths.contains { $0.contains("..") || $0.contains(" ") })
  }

  @Test func otherFormatIsRefusedWithWords() {
    #expect(throws: ReportProblem.self) { try ReportFiles.decode(Array("{\"format\":99}".utf8)) }
  }

  @Test func fieldsAreQuotedOnlyWhereTheyMustBe() {
    #expect(CommaSeparated.quoted("plain words") == "plain words")
    #expect(CommaSeparated.quoted("a,b") == "\"a,b\"")
    #expect(CommaSeparated.quoted("say \"so\"") == "\"say \"\"so\"\"\"")
  }

  @Test func attemptRowHasEmptyFieldsForStagesNotReached() {
    var record = TimelineRecord(
      number: 7, type: JobTypeID(rawValue: 0), priority: .high, intended: Instant(nanoseconds: 1_500))
    record.settles = true
    record.cause = .rejected
    record.submitted = Instant(nanoseconds: 1_600)
    record.finished = Instant(nanoseconds: 1_700)
    var text: [UInt8] = []
    AttemptRows.append(record, types: ["a,b"], origin: Instant(nanoseconds: 1_000), to: &text)
    #expect(String(decoding: text, as: UTF8.self) == "7,\"a,b\",high,1,,500,600,,,,700,rejected\n")
    record.started = Instant(nanoseconds: 1_650)
    record.worker = 3
    record.pool = .thread
    record.outcome = .timedOut
    text = []
    AttemptRows.append(record, types: ["a,b"], origin: .zero, to: &text)
    #expect(String(decoding: text, as: UTF8.self) == "7,\"a,b\",high,1,thread-3,1500,1600,,,1650,1700,timed_out\n")
  }

  @Test func unitsAreReadable() {
    let times = [0, 999, 1_234, 12_345_678, 999_600_000, 1.5e9, 125e9, 8_000e9, -2_500_000].map(HumanUnits.time)
    #expect(times == ["0", "999 ns", "1.23 µs", "12.3 ms", "1.00 s", "1.50 s", "2.08 min", "2.22 h", "-2.50 ms"])
    #expect(HumanUnits.count(1_234_567) == "1,234,567")
    #expect(HumanUnits.bytes(9_000_000) == "8.58 MiB")
    #expect(HumanUnits.share(0.995) == "99.5 %")
  }
}
