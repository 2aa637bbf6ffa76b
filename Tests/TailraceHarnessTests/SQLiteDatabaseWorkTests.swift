// Goal: `sqlite` jobs do real transactions, through several connections, and leave no file behind.

import Foundation
import TailraceHarness
import TailraceReplay
import TailraceSQLite
import TailraceWorkload
import Testing

struct SQLiteDatabaseWorkTests {
  @Test func performsEveryOperationConcurrently() async throws {
    let database = try SQLiteDatabaseWork(readers: 4, rows: 50)
    defer { database.close() }
    try await withThrowingTaskGroup { group in
      for key in 0..<60 {
        let operation = SQLiteOperation.allCases[key % 3]
        group.addTask { try await database.perform(operation, key: UInt64(key)) }
      }
      try await group.waitForAll()
    }
    let statistics = database.statistics
    #expect(statistics.reads == 20 && statistics.writes == 20 && statistics.mixed == 20)
    #expect(statistics.failures == 0 && statistics.acquisitions == 60)
    #expect(statistics.connections == 5)
    #expect((1...60).contains(statistics.operationsMax))
    #expect((1...5).contains(statistics.connectionsInUseMax))
    #expect(statistics.acquisitionTimeMax > 0 && statistics.acquisitionTime >= statistics.acquisitionTimeMax)
  }

  @Test func performsEveryOperationOnAThread() throws {
    let database = try SQLiteDatabaseWork(readers: 1, rows: 1)
    defer { database.close() }
    for operation in SQLiteOperation.allCases { try database.performBlocking(operation, key: .max) }
    #expect(database.statistics.mixed == 1 && database.statistics.acquisitions == 3)
    #expect(database.statistics.queued == 0 && database.statistics.connectionsInUseMax == 1)
  }

  @Test func hundredsOfWorkersShareABoundedPool() async throws {
    // More than there are threads to wait on.
    let database = try SQLiteDatabaseWork(readers: 1_000, rows: 10)
    defer { database.close() }
    #expect(database.statistics.connections == SQLiteDatabaseWork.readerLimit + 1)
    try await withThrowingTaskGroup { group in
      for key in 0..<1_000 {
        group.addTask { try await database.perform(SQLiteOperation.allCases[key % 3], key: UInt64(key)) }
      }
      try await group.waitForAll()
    }
    #expect(database.statistics.failures == 0)
  }

  @Test func closingDeletesItsDirectoryAndFailsLaterOperations() async throws {
    let parent = FileManager.default.temporaryDirectory.appendingPathComponent("sqlite-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: parent) }
    let database = try SQLiteDatabaseWork(in: parent)
    let files = try FileManager.default.contentsOfDirectory(atPath: database.location.path)
    #expect(files.contains { $0.hasSuffix("-wal") }, "the database is not in write-ahead-log mode: \(files)")
    database.close()
    database.close()
    #expect(try FileManager.default.contentsOfDirectory(atPath: parent.path).isEmpty)
    await #expect(throws: (any Error).self) { try await database.perform(.read, key: 1) }
    #expect(database.statistics.failures == 1 && database.statistics.acquisitions == 0)
  }

  @Test func anUnwritablePlaceIsAnErrorThatLeavesNothing() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("plain-\(UUID().uuidString)")
    try Data("x".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let error = #expect(throws: SQLiteDatabaseWork.CannotOpen.self) { try SQLiteDatabaseWork(in: file) }
    #expect(error?.directory == file.path)
    #expect(error?.description.contains("ulimit -n") == true)
  }
}
