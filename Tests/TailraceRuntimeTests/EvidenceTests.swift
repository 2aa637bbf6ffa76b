// Goal: each attempt leaves one true line of valid JSON; files stay bounded; what is lost is counted and said; the disk
// never holds up a worker.

import Foundation
import Logging
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(2)))
struct EvidenceTests {
  /// A directory of its own, removed afterwards.
  private func withDirectory(_ body: (String) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("evidence-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try await body(directory.path)
  }

  private func lines(_ path: String) throws -> [[String: Any]] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }
  }

  struct Nasty: Error, CustomStringConvertible {
    var description: String { "a \"quoted\" \\ path\nand a tab\t, bell \u{7}, ünïcode 🦀" }
  }

  @Test func everyAttemptLeavesALine() async throws {
    try await withDirectory { directory in
      let path = directory + "/evidence.jsonl"
      var settings = EvidenceLog.Configuration(path: path)
      settings.measuresMemory = true
      let log = try EvidenceLog(settings)
      let scheduler = Scheduler.quiet { $0.queueCapacity = 3 }
      try scheduler.register("shaky") { context in
        if context.attempt == 1 { throw Nasty() }
        return nil
      }
      try scheduler.registerBlocking("good") { _ in nil }
      try scheduler.record(to: log)
      let shaky = try await scheduler.submit(
        JobRequest("shaky", labels: ["a \"b\"", "c"], retry: RetryPolicy(limit: 1, backoff: .none)))
      try await scheduler.submit(JobRequest("good", priority: .high))
      let cancelled = try await scheduler.submit(JobRequest("good"))
      await #expect(throws: SchedulerError.self) { try await scheduler.submit(JobRequest("good")) }
      scheduler.cancel(cancelled)
      scheduler.start()
      await scheduler.shutdown()
      let lines = try lines(path)
      #expect(log.counts == EvidenceCounts(written: 5, dropped: 0, refused: 0) && lines.count == 5)
      let first = try #require(lines.first { $0["type"] as? String == "shaky" })
      #expect(first["error"] as? String == Nasty().description)
      #expect(first["outcome"] as? String == "failed" && first["cause"] is NSNull && first["attempt"] as? Int == 1)
      #expect(first["labels"] as? [String] == ["a \"b\"", "c"] && first["job_id"] as? String == "\(shaky.rawValue)")
      #expect(first["process_resident_delta_bytes"] is Int)
      let finished = try #require(first["finished_unix_ns"] as? Int)
      #expect(finished - (first["started_unix_ns"] as? Int ?? 0) == first["service_ns"] as? Int)
      #expect(abs(Double(finished) / 1e9 - Date().timeIntervalSince1970) < 3_600)
      let last = try #require(lines.last { $0["type"] as? String == "shaky" })
      #expect(last["cause"] as? String == "succeeded" && last["error"] is NSNull)
      #expect(lines.filter { $0["kind"] as? String == "job" }.map { $0["cause"] as? String } == ["cancelled"])
      #expect((lines.first { $0["kind"] as? String == "refusal" }?["error"] as? String)?.contains("full") == true)
    }
  }

  @Test func filesAreSetAsideAndBounded() async throws {
    try await withDirectory { directory in
      let path = directory + "/e"
      var settings = EvidenceLog.Configuration(path: path)
      settings.maximumBytes = 2_000
      settings.files = 3
      let scheduler = Scheduler.quiet()
      try scheduler.register("nop") { _ in nil }
      try scheduler.record(to: try EvidenceLog(settings))
      scheduler.start()
      for _ in 0..<100 { try await scheduler.submit(JobRequest("nop")) }
      await scheduler.shutdown()
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["e", "e.1", "e.2"])
      var numbers: [Int] = []
      for name in ["e.2", "e.1", "e"] {
        let size = try #require(try FileManager.default.attributesOfItem(atPath: directory + "/" + name)[.size] as? Int)
        #expect(size <= 2_000 && size > 0)
        numbers += try lines(directory + "/" + name).compactMap { $0["job"] as? Int }
      }
      // The latest lines, each once.
      #expect(numbers.count > 6 && Set(numbers).count == numbers.count && numbers.contains(99))
    }
  }

  @Test func aWriterThatIsBehindSaysWhatItDropped() {
    let buffer = EventBuffer(capacity: 2, isEvidence: true)
    for number in 1...5 {
      _ = buffer.append(
        JobEvent(
          kind: .settled(.cancelled, .cancelled), job: JobID(rawValue: UInt64(number)), number: UInt64(number),
          type: "t", priority: .normal, pool: .async, labels: [], instant: Instant(nanoseconds: Int64(number)),
          unixNanoseconds: 1_000 + Int64(number)))
    }
    guard case .event(let gap) = buffer.take() else {
      Issue.record("nothing is there")
      return
    }
    #expect(
      String(decoding: EvidenceLine(gap).bytes, as: UTF8.self)
        == #"{"kind":"dropped","lines":3,"since_unix_ns":1001,"until_unix_ns":1003}"# + "\n")
    guard case .event(let next) = buffer.take() else {
      Issue.record("nothing is left")
      return
    }
    #expect(next.number == 4)
  }

  @Test func aFullDiskIsReportedOnceAndCounted() async throws {
    let reports = Log<String>()
    let scheduler = Scheduler(logger: Logger(label: "test") { _ in Recording(reports: reports) })
    try scheduler.register("nop") { _ in nil }
    let log = try EvidenceLog(EvidenceLog.Configuration(path: "/dev/full"))
    try scheduler.record(to: log)
    scheduler.start()
    for number in 1...5 {
      try await scheduler.submit(JobRequest("nop"))
      await eventually { log.counts.refused == number }
    }
    await scheduler.shutdown()
    #expect(log.counts == EvidenceCounts(written: 0, dropped: 0, refused: 5))
    #expect(reports.all.filter { $0.contains("evidence") }.count == 1)
  }

  /// Keeps what is logged.
  struct Recording: LogHandler {
    let reports: Log<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.error
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) { reports.append("\(event.message)") }
  }

  @Test func whatCannotBeWrittenToIsSaidAtOnce() async throws {
    #expect(throws: EvidenceLogError.self) {
      try EvidenceLog(EvidenceLog.Configuration(path: "/nowhere/at/all.jsonl"))
    }
    try await withDirectory { directory in
      let log = try EvidenceLog(EvidenceLog.Configuration(path: directory + "/e"))
      let (first, second) = (Scheduler.quiet(), Scheduler.quiet())
      try first.record(to: log)
      #expect(throws: EvidenceLogError.inUse(path: directory + "/e")) { try second.record(to: log) }
      await first.shutdown()
      first.start()
    }
  }
}
