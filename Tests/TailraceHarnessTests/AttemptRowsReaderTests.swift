// Goal: rows of jobs.csv become the records that they were written from; what is wrong is named by line.

import TailraceCore
import TailraceReport
import TailraceWorkload
import Testing

@testable import TailraceHarness

@Suite struct AttemptRowsReaderTests {
  private let expected: ExpectedJobs

  init() throws {
    let scenario = try ScenarioParser.parse(
      yaml: """
        name: two-types
        jobs: {slow: {service: 10ms, priority: low}, quick: {service: 1ms}}
        load: [{batch: 1, of: slow}, {batch: 1, of: quick}, {batch: 1, of: slow}, {batch: 1, of: quick}]
        scheduler: {workers: 2}
        """, file: "test"
    ).get()
    expected = ExpectedJobs(Tape(scenario: scenario, seed: 1))
  }

  private func read(_ rows: String...) throws -> [TimelineRecord] {
    try AttemptRowsReader.records(
      of: Array((AttemptRows.header + rows.map { $0 + "\n" }.joined()).utf8), for: expected)
  }

  private func problems(_ rows: String...) -> [String] {
    do {
      _ = try AttemptRowsReader.records(
        of: Array((AttemptRows.header + rows.map { $0 + "\n" }.joined()).utf8), for: expected)
      return []
    } catch { return (error as? AttemptRowsReader.Problems)?.lines ?? ["\(error)"] }
  }

  @Test func rowsComeOutAsTheyWent() throws {
    let rows = [
      "0,slow,low,1,async-0,0,1,2,3,4,10,failed", "0,slow,low,2,async-1,0,1,2,15,16,20,succeeded",
      "1,quick,normal,1,,0,5,,,,6,rejected", "2,slow,low,1,,0,,,,,0,dropped",
      "3,quick,normal,1,,0,5,6,7,,9,cancelled",
    ]
    // In another order, quoted, with the ends of lines of another system.
    let records = try read(rows[4] + "\r", rows[1], rows[0].replacing("slow", with: "\"slow\""), rows[2], rows[3])
    var text: [UInt8] = []
    for record in records { AttemptRows.append(record, types: expected.types, origin: .zero, to: &text) }
    #expect(String(decoding: text, as: UTF8.self) == rows.map { $0 + "\n" }.joined())
    #expect(records.map(\.settles) == [false, true, true, true, true])
    #expect(records.map(\.cause).dropFirst() == [.succeeded, .rejected, .dropped, .cancelled])
    #expect(records[1].previousFinished == Instant(nanoseconds: 10))
  }

  /// What the rows claim that cannot have been; the line at fault and what is said of it.
  @Test(arguments: [
    (
      ["1,quick,normal,1,async-0,0,1,2,3,4,10,succeeded", "1,quick,normal,1,async-1,0,1,2,3,14,20,succeeded"], 3,
      "attempt 1 of job 1 is in line 2 too (none_duplicated)"
    ),
    (
      ["1,quick,normal,1,async-0,0,1,2,3,4,10,succeeded", "1,quick,normal,2,async-0,0,1,2,10,14,20,failed"], 3,
      "follows attempt 1 (line 2), which settled the job"
    ),
    (
      ["1,quick,normal,1,,0,1,,,,10,rejected", "1,quick,normal,2,async-0,0,1,,10,14,20,failed"], 3,
      "accepted_ns"
    ),
    (["1,quick,normal,1,async-60021,0,1,2,3,4,10,succeeded"], 2, "'async-60021' does not exist: there are 2 workers"),
    (["1,quick,normal,1,async-2,0,1,2,3,4,10,succeeded"], 2, "async-0 to async-1"),
    (["1,quick,normal,1,thread-2,0,1,2,3,4,10,succeeded"], 2, "thread-0 to thread-1"),
    (
      ["1,quick,normal,1,async-0,0,1,2,3,4,10,succeeded", "3,quick,normal,1,thread-0,0,1,2,3,4,10,succeeded"], 3,
      "no job type uses the pool thread"
    ),
    (
      ["1,quick,normal,1,async-1,0,1,2,3,4,10,succeeded", "3,quick,normal,1,async-1,0,1,2,3,9,12,succeeded"], 3,
      "async-1 starts job 3 at 9, while it runs job 1 (line 2) until 10"
    ),
    (
      [
        "0,slow,low,1,,0,1,2,3,4,10,succeeded", "1,quick,normal,1,,0,1,2,3,5,11,succeeded",
        "2,slow,low,1,async-0,0,1,2,3,9,12,succeeded",
      ], 4, "job 2 starts at 9, while 2 others run; there are 2 workers"
    ),
    (["1,quick,normal,1,async-0,0,1,,,,10,rejected"], 2, "names a worker, async-0"),
    (["1,quick,normal,1,,0,1,2,3,4,9000000000000000,succeeded"], 2, "is after the end of any run"),
    (["1,quick,normal,1,,0,nan,2,3,4,5,succeeded"], 2, "submitted_ns 'nan' is no instant"),
    (["1,quick,normal,1,,0,1,2,3,4,1e9,succeeded"], 2, "finished_ns '1e9' is no instant"),
  ])
  func whatCannotBeTrueIsRefused(_ rows: [String], _ line: Int, _ words: String) {
    let text = AttemptRows.header + rows.map { $0 + "\n" }.joined()
    do {
      _ = try AttemptRowsReader.records(of: Array(text.utf8), for: expected)
      Issue.record("accepted: \(rows)")
    } catch {
      let lines = (error as? AttemptRowsReader.Problems)?.lines ?? []
      #expect(lines.count == 1 && lines[0].hasPrefix("JOBS.csv:\(line): ") && lines[0].contains(words), "\(lines)")
      #expect(lines.first?.contains("; ") == true, "no way out: \(lines)")
    }
  }

  @Test func whatFollowsWithoutOverlapIsTaken() throws {
    // One attempt ends as the next begins, on the same worker and on all of them; an attempt may take no time.
    let records = try read(
      "0,slow,low,1,async-0,0,1,2,3,4,10,succeeded", "1,quick,normal,1,async-0,0,1,2,3,10,12,succeeded",
      "2,slow,low,1,,0,1,2,3,10,10,succeeded", "3,quick,normal,1,async-1,0,1,2,3,4,10,succeeded")
    #expect(records.count == 4)
    // A program with one pool calls its workers as it likes.
    #expect(try read("0,slow,low,1,thread-1,0,1,2,3,4,10,succeeded").count == 1)
  }

  @Test func everyImpossibleRowIsCounted() {
    let row = "0,slow,low,1,async-9,0,1,2,3,4,10,succeeded\n"
    let text = AttemptRows.header + String(repeating: row, count: 31)
    do {
      _ = try AttemptRowsReader.records(of: Array(text.utf8), for: expected)
      Issue.record("accepted")
    } catch {
      // Thirty repeat the first, and all are on a worker that does not exist; each of those runs while the first does.
      #expect((error as? AttemptRowsReader.Problems)?.lines.last == "and 71 more")
    }
  }

  @Test func theLastAttemptSettlesWhateverItsEnd() throws {
    let records = try read("1,quick,normal,1,async-0,0,1,2,3,4,10,timed_out")
    #expect(records[0].settles && records[0].cause == .timedOut)
  }

  @Test(arguments: [
    ("4,slow,low,1,,0,1,2,3,4,5,succeeded", "job '4' is not on the tape"),
    ("x,slow,low,1,,0,1,2,3,4,5,succeeded", "job 'x' is not on the tape"),
    ("0,quick,low,1,,0,1,2,3,4,5,succeeded", "on the tape it is a 'slow'"),
    ("0,fast,low,1,,0,1,2,3,4,5,succeeded", "unknown job type 'fast'; the tape's are slow, quick"),
    ("0,slow,high,1,,0,1,2,3,4,5,succeeded", "on the tape it is 'low'"),
    ("0,slow,low,0,,0,1,2,3,4,5,succeeded", "attempt '0'"),
    ("0,slow,low,2,,0,1,2,3,4,5,succeeded", "attempt 2 of job 0 has none before it"),
    ("0,slow,low,1,w1,0,1,2,3,4,5,succeeded", "worker 'w1'"),
    ("0,slow,low,1,async-65535,0,1,2,3,4,5,succeeded", "worker 'async-65535'"),
    ("0,slow,low,1,,7,8,8,8,8,9,succeeded", "write what the tape says, 0"),
    ("0,slow,low,1,,0,1,2,3,4,,succeeded", "finished_ns is empty"),
    ("0,slow,low,1,,0,1,2,3,9,8,succeeded", "finished_ns 8 is before started_ns 9"),
    ("0,slow,low,1,,0,-1,2,3,4,5,succeeded", "submitted_ns '-1' is no instant"),
    ("0,slow,low,1,,0,1,,3,4,5,succeeded", "eligible_ns follows an empty accepted_ns"),
    ("0,slow,low,1,,0,,,,,5,cancelled", "only a job that was 'dropped'"),
    ("0,slow,low,1,,0,1,2,3,,5,succeeded", "no outcome of a job that did not start"),
    ("0,slow,low,1,,0,1,2,3,4,5,rejected", "no outcome of an attempt"),
    ("0,slow,low,1,,0,1,2,3,4,5", "11 fields"),
  ])
  func aWrongRowIsNamedWithItsLine(_ row: String, _ words: String) {
    let found = problems("1,quick,normal,1,,0,1,2,3,4,5,succeeded", row)
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("JOBS.csv:3: ") == true && found.first?.contains(words) == true, "\(found)")
    #expect(found.first?.contains("; ") == true, "no way out: \(found)")
  }

  @Test func attemptsFollowEachOther() {
    let first = "0,slow,low,1,,0,1,2,3,4,10,failed"
    #expect(problems(first, "0,slow,low,2,,0,1,2,9,11,12,succeeded").first?.contains("is eligible before") == true)
    #expect(problems(first, "0,slow,low,3,,0,1,2,10,11,12,succeeded").first?.contains("write all between") == true)
    #expect(problems(first, "0,slow,low,2,,0,1,3,10,11,12,succeeded").first?.contains("another") == true)
  }

  @Test func ofManyProblemsTwentyAreSaidAndTheRestIsCounted() {
    let text = AttemptRows.header + String(repeating: "nonsense\n", count: 50)
    #expect(throws: AttemptRowsReader.Problems.self) {
      try AttemptRowsReader.records(of: Array(text.utf8), for: expected)
    }
    do {
      _ = try AttemptRowsReader.records(of: Array(text.utf8), for: expected)
    } catch {
      let lines = (error as? AttemptRowsReader.Problems)?.lines ?? []
      #expect(lines.count == 21 && lines.last == "and 30 more")
    }
  }
}
