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
        scheduler: {workers: 1}
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
      "0,slow,low,1,async-0,0,1,2,3,4,10,failed", "0,slow,low,2,thread-7,0,1,2,15,16,20,succeeded",
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

  @Test func aJobDoneTwiceSettlesTwice() throws {
    let row = "1,quick,normal,1,async-0,0,1,2,3,4,10,succeeded"
    #expect(try read(row, row).map(\.settles) == [true, true])
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
