// Goal: a real log becomes exactly the jobs that it holds: what is kept, in which order, with which times; what is left
// out is counted by reason, and a broken row is named with its line.

import Foundation
import TailraceCore
import TailraceWorkload
import Testing

struct TraceTests {
  /// A folder with one trace file, removed with the last reference.
  private final class Folder {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("trace-\(UInt64.random(in: 0 ... .max))")
    init(_ name: String, _ data: Data) throws {
      try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
      try data.write(to: path.appendingPathComponent(name))
    }
    deinit { try? FileManager.default.removeItem(at: path) }
  }

  private func scenario(_ load: String, _ name: String, _ data: Data, rest: String = "") throws -> Scenario {
    let folder = try Folder(name, data)
    return try ScenarioParser.parse(
      yaml: "name: t\nload: {trace: \(name)\(load)}\n\(rest)", file: folder.path.appendingPathComponent("t.yaml").path
    ).get()
  }

  private func scenario(_ load: String, _ name: String, _ text: String, rest: String = "") throws -> Scenario {
    try scenario(load, name, Data(text.utf8), rest: rest)
  }

  private func problems(_ load: String, _ name: String, _ data: Data, rest: String = "") -> [String] {
    do {
      _ = try scenario(load, name, data, rest: rest)
      return []
    } catch {
      return "\(error)".split(separator: "\n").map { line in
        String(line.drop { $0 != " " }.dropFirst())
      }
    }
  }

  private func problems(_ load: String, _ name: String, _ text: String, rest: String = "") -> [String] {
    problems(load, name, Data(text.utf8), rest: rest)
  }

  private func jobs(_ scenario: Scenario) -> [TapeJob] {
    var cursor = Tape(scenario: scenario, seed: 1).makeCursor()
    var jobs: [TapeJob] = []
    while let job = cursor.next() { jobs.append(job) }
    return jobs
  }

  private static let swf = """
    ; Version: 2.2
    ; MaxJobs: 3

      4  100 -1   10    1 -1.5 -1   1 -1 -1 1 7 1 -1 1 -1 -1 -1
      5  100 -1   20.25 1 -1   -1  -1 -1 -1 1 8 1 -1 3 -1 -1 -1 0
      6  130 -1   -1   -1 -1   -1  -1 -1 -1 5 8 1 -1 3 -1 -1 -1
      8  140 -1    0    1 -1   -1  -1 -1 -1 1 8 1 -1 3 -1 -1 -1
      9  141 -1    7   -1 -1   -1   2 -1 -1 0 8 1 -1 5 -1 -1 -1
     11  150 -1    7   -1 -1   -1  -1 -1 -1 0 8 1 -1 5 -1 -1 -1
    """

  @Test func standardWorkloadsKeepWhatRanAndHadProcessors() throws {
    let scenario = try scenario("", "log.swf", Self.swf)
    let trace = try #require(scenario.trace)
    #expect(trace.rows == 6)
    #expect(trace.submitted.map(\.seconds) == [0, 0, 41])
    #expect(trace.service.map(\.seconds) == [10, 20.25, 7])
    #expect((0..<3).map { trace.names[$0] } == ["4", "5", "9"])
    #expect(trace.leftOut.map(\.reason) == ["run time unknown", "run time of 0", "no processors"])
    #expect(trace.leftOut.map(\.count) == [1, 1, 1])
    // Nothing but what the log says happens to its jobs.
    #expect(scenario.scheduler.retry == .never && scenario.scheduler.timeout == nil)
    let jobs = jobs(scenario)
    #expect(jobs.map(\.number) == [0, 1, 2])
    let tape = Tape(scenario: scenario, seed: 1)
    #expect(tape.attempt(job: 1, type: jobs[1].type, attempt: 1).service == .milliseconds(20_250))
  }

  @Test func columnsGiveTypesPrioritiesAndOutcomes() throws {
    let scenario = try scenario(
      ", columns: {job_type: queue, priority: queue, outcome: status}, failed: 0", "log.swf", Self.swf)
    #expect(scenario.jobs.map(\.name) == ["queue-1", "queue-3", "queue-5"])
    let jobs = jobs(scenario)
    #expect(jobs.map(\.priority) == [.critical, .normal, .batch])
    let tape = Tape(scenario: scenario, seed: 1)
    #expect(
      jobs.map { tape.attempt(job: $0.number, type: $0.type, attempt: 1).ending } == [
        .succeeds, .succeeds, .failsPermanently,
      ])
  }

  @Test func declaredJobsKeepTheirSettingsAndTheirPlace() throws {
    let scenario = try scenario(
      ", columns: {job_type: queue}", "log.swf", Self.swf,
      rest: "jobs: {other: {}, queue-5: {priority: high, concurrency: 2}}\n")
    #expect(scenario.jobs.map(\.name) == ["other", "queue-5", "queue-1", "queue-3"])
    #expect(jobs(scenario).map(\.type) == [2, 3, 1])
    #expect(scenario.jobs[1].concurrency == 2)
    #expect(jobs(scenario).map(\.priority) == [.normal, .normal, .high])
  }

  @Test func speedFirstEveryAndFiltersChooseAfterCleaning() throws {
    let rows = (0..<20).map { "\($0) \($0 * 10) -1 \($0 % 2) 1 -1 -1 1 -1 -1 1 \($0 % 4) 1 -1 1 -1 -1 -1" }
    let text = rows.joined(separator: "\n")
    // Kept are 1, 3, 5, …; of them those of user 3: 3, 7, 11, 15, 19; every second: 3, 11, 19; the first two: 3, 11.
    let trace = try #require(
      scenario(", where: {user: [3]}, every: 2, first: 2, speed: 4x", "log.swf", text).trace)
    #expect((0..<trace.count).map { trace.names[$0] } == ["3", "11"])
    #expect(trace.submitted.map(\.seconds) == [0, 20])
    #expect(trace.service.map(\.seconds) == [1, 1])
    #expect(
      trace.leftOut.map { "\($0.count) \($0.reason)" }
        == ["10 run time of 0", "5 filtered out", "2 skipped by every", "1 beyond first"])
  }

  @Test func commaSeparatedRowsMayBeQuotedAndEndInCarriageReturns() throws {
    let text =
      "\u{feff}when,what,secs\r\n2023-11-16 18:17:04.0319601,\"a, \"\"b\"\"\",1.5\r\n2023-11-16T18:17:03.9799600Z,c,2"
    let trace = try #require(
      scenario(", columns: {submitted: when, service: secs, job_type: what}", "log.csv", text).trace)
    // Ordered by submission, and exact to the last of seven digits.
    #expect(trace.types == ["a___b_", "c"])
    #expect(trace.type == [1, 0])
    #expect(trace.submitted.map(\.rawValue) == [0, 52_000_100])
    #expect(trace.service.map(\.seconds) == [2, 1.5])
    #expect(trace.names[0] == "2")
  }

  @Test func offsetsFromUTCCount() throws {
    let text = "t\n2024-03-01T00:30:00+01:00\n2024-02-29 23:30:01\n"
    let trace = try #require(
      scenario(", columns: {submitted: t}", "log.csv", text, rest: "jobs: {job: {service: 1s}}\n").trace)
    #expect(trace.submitted.map(\.seconds) == [0, 1])
  }

  @Test func linesOfJSONNameTheirColumns() throws {
    let text = """
      {"at": 1700000000123, "ms": 250, "class": "gold", "id": "x-1"}
      {"at": 1700000001123, "ms": 50.5, "class": "silver", "id": "x-2"}
      {"at": 1700000002123, "class": "silver", "id": "x-3"}
      """
    let trace = try #require(
      scenario(
        ", columns: {submitted: {column: at, unit: ms}, service: {column: ms, unit: ms}, priority: class, id: id}, "
          + "priorities: {gold: critical, silver: low}", "log.jsonl", text
      ).trace)
    #expect(trace.submitted.map(\.seconds) == [0, 1])
    #expect(trace.service.map(\.rawValue) == [250_000_000, 50_500_000])
    #expect(trace.priority == [.critical, .low])
    #expect(trace.names[1] == "x-2")
    #expect(trace.leftOut.map(\.reason) == ["run time unknown"])
  }

  /// What gzip makes of two rows.
  private static let gzip =
    "H4sIAAAAAAACA7NWCEstKs7Mz7NSMNIz4jJUMFDQNVQwNFAwBNHICAJ1DZFkuIwUTEEsI3zKjRDKAVkEFSJtAAAA"
    + ""

  @Test func gzippedFilesAreUnpackedAndCutOnesAreNamed() throws {
    let data = try #require(Data(base64Encoded: Self.gzip))
    #expect(try #require(scenario("", "log.swf.gz", data).trace).service.map(\.seconds) == [10, 20])
    let cut = problems("", "log.swf.gz", data.prefix(data.count - 12))
    #expect(cut.count == 1)
    #expect(cut[0].contains("log.swf.gz:") && cut[0].contains("cut off"))
    var damaged = data
    damaged[30] ^= 0xff
    #expect(problems("", "log.swf.gz", damaged).count == 1)
  }

  @Test func aBrokenRowIsNamedWithItsLine() {
    let good = "1 0 -1 10 1 -1 -1 -1 -1 -1 1 1 1 -1 1 -1 -1 -1\n"
    for (row, line, words) in [
      ("1 2 3\n", 2, "3 columns; a row of the Standard Workload Format has 18"),
      (good.replacingOccurrences(of: " 10 ", with: " ten "), 2, "field 4 (run_time) is 'ten', which is not a number"),
      (good.replacingOccurrences(of: "1 0 -1", with: "1 -9 -1"), 2, "submit_time is -9, which is negative"),
      (good.replacingOccurrences(of: " 10 ", with: " 1e400 "), 2, "run_time is '1e400'; write a number of s"),
    ] {
      let found = problems("", "log.swf", good + row)
      #expect(found.count == 1 && found.first?.contains("log.swf:\(line): ") == true, "\(found)")
      #expect(found.first?.contains(words) == true, "\(found)")
    }
    let csv = "t,s\n1,2\n3\n4,x\n-5,1\n\"6,1\n"
    let found = problems(", columns: {submitted: t, service: s}", "log.csv", csv)
    #expect(found.map { $0.prefix { $0 != ";" } }.count == 4)
    for (line, problem) in zip([3, 4, 5, 6], found) { #expect(problem.contains("log.csv:\(line): "), "\(problem)") }
    #expect(problems(", columns: {submitted: u}", "log.csv", csv)[0].contains("there is no column 'u'; columns: t, s"))
    #expect(problems("", "log.swf", "; nothing\n")[0].contains("all 0 rows were excluded"))
    #expect(problems(", columns: {submitted: t}", "log.jsonl", "[1]\n")[0].contains("log.jsonl:1: not a JSON object"))
    #expect(problems("", "log.txt", "1")[0].contains("has no known extension"))
  }
}
