import Dispatch
import Foundation
import GRDB
import Synchronization
import TailraceCore
import TailraceHost
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// An SQLite database in a temporary directory, in write-ahead-log mode, with GRDB's pool: several readers and one
/// writer. Its directory is deleted by ``close()``, or when the object is deallocated.
package final class SQLiteDatabaseWork: DatabaseWork {
  private let directory: URL
  private let pool: DatabasePool
  private let rows: UInt64
  private let readers: Int
  private let state: Locked<State>
  private let acquisitions = Atomic<Int>(0)
  private let acquisitionTime = Atomic<Int64>(0)
  private let acquisitionTimeMax = Atomic<Int64>(0)

  private struct State {
    var statistics = DatabaseStatistics()
    /// Operations under way that need a connection for reading.
    var reading = 0
    /// Operations under way that need the connection for writing.
    var writing = 0
    var isClosed = false
  }

  /// Creates the database with a table of `rows` rows, and opens it.
  ///
  /// - Parameters:
  ///   - readers: Connections for reading; clamped to 1 to ``readerLimit``.
  ///   - rows: Number of rows, at least 1.
  ///   - directory: The parent of the database's directory; nil: the system's temporary directory.
  /// - Throws: ``CannotOpen`` if the directory cannot be written, SQLite reports an error, or a connection cannot be
  ///   opened; everything created is removed then.
  package init(readers: Int = 5, rows: Int = 1_000, in directory: URL? = nil) throws {
    let parent = directory ?? URL(fileURLWithPath: TemporaryPlace.directory, isDirectory: true)
    let own = URL(fileURLWithPath: TemporaryPlace.folder("sqlite", in: parent.path), isDirectory: true)
    let readers = min(max(1, readers), Self.readerLimit)
    do {
      try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
      pool = try Self.makePool(
        path: own.appendingPathComponent("jobs.sqlite").path, readers: readers, rows: max(1, rows))
    } catch {
      try? FileManager.default.removeItem(at: own)
      throw CannotOpen(directory: parent.path, readers: readers, reason: Self.words(error))
    }
    self.directory = own
    self.rows = UInt64(max(1, rows))
    self.readers = readers
    var statistics = DatabaseStatistics()
    statistics.connections = readers + 1
    state = Locked(State(statistics: statistics))
  }

  deinit { close() }

  private static func makePool(path: String, readers: Int, rows: Int) throws -> DatabasePool {
    var configuration = GRDB.Configuration()
    configuration.maximumReaderCount = readers
    configuration.label = "tailrace.sqlite"
    // In WAL mode `normal` keeps the database consistent after a crash and saves a disk flush per transaction.
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
    let pool = try DatabasePool(path: path, configuration: configuration)
    try pool.write { database in
      try database.execute(
        sql: "CREATE TABLE item (id INTEGER PRIMARY KEY, body TEXT NOT NULL, version INTEGER NOT NULL)")
      let insert = try database.makeStatement(sql: "INSERT INTO item (id, body, version) VALUES (?, ?, 0)")
      let body = String(repeating: "x", count: 200)
      for id in 0..<rows { try insert.execute(arguments: [id, body]) }
    }
    try openReaders(of: pool, count: readers)
    try pool.write { try update($0, id: 0) }
    return pool
  }

  /// The message of an SQLite error.
  private static func words(_ error: any Error) -> String {
    guard let error = error as? DatabaseError else { return ErrorWords.of(error) }
    return "\(error.message ?? "it gave no reason") (SQLite error \(error.resultCode.rawValue))"
  }

  /// Adds the reason to an operation's error.
  private static func worded(_ error: any Error) -> any Error {
    error is DatabaseError ? OperationFailed(reason: words(error)) : error
  }

  /// Maximum number of reading connections.
  package static let readerLimit = DatabaseConnections.readerLimit

  /// How long each connection waits for the others to be opened.
  private static let patience = DispatchTimeInterval.seconds(2)

  /// Opens every reading connection, which the pool otherwise does on demand, and prepares its statement, as a service
  /// does before it accepts jobs. Each waits until all are open, so that none is used twice. If there are too few
  /// threads, the remaining ones are opened on demand.
  ///
  /// - Throws: The error that prevented a connection from opening.
  private static func openReaders(of pool: DatabasePool, count: Int) throws {
    let opened = DispatchSemaphore(value: 0)
    let allOpen = DispatchSemaphore(value: 0)
    let failure = Locked<(any Error)?>(nil)
    let deadline = DispatchTime.now() + patience
    for _ in 0..<count {
      pool.asyncRead { database in
        do {
          try read(database.get(), id: 0)
        } catch {
          failure.withLock { $0 = $0 ?? error }
        }
        opened.signal()
        _ = allOpen.wait(timeout: deadline)
      }
    }
    for _ in 0..<count where opened.wait(timeout: deadline) == .timedOut { break }
    for _ in 0..<count { allOpen.signal() }
    if let failure = failure.withLock({ $0 }) { throw failure }
  }

  package var statistics: DatabaseStatistics {
    var statistics = state.withLock { $0.statistics }
    statistics.acquisitions = acquisitions.load(ordering: .relaxed)
    statistics.acquisitionTime = acquisitionTime.load(ordering: .relaxed)
    statistics.acquisitionTimeMax = acquisitionTimeMax.load(ordering: .relaxed)
    return statistics
  }

  /// The directory of the database, until ``close()``.
  package var location: URL { directory }

  // A single statement is already a transaction; only `mixed` needs an explicit one.

  package func perform(_ operation: SQLiteOperation, key: UInt64) async throws {
    let begun = begin(operation)
    let id = id(for: key)
    do {
      switch operation {
      case .read:
        try await pool.unsafeRead { database in
          self.noteAcquisition(after: begun)
          try Self.read(database, id: id)
        }
      case .write:
        try await pool.writeWithoutTransaction { database in
          self.noteAcquisition(after: begun)
          try Self.update(database, id: id)
        }
      case .mixed:
        try await pool.write { database in
          self.noteAcquisition(after: begun)
          try Self.readAndUpdate(database, id: id)
        }
      }
    } catch {
      end(operation, failed: true)
      throw Self.worded(error)
    }
    end(operation, failed: false)
  }

  package func performBlocking(_ operation: SQLiteOperation, key: UInt64) throws {
    let begun = begin(operation)
    let id = id(for: key)
    do {
      switch operation {
      case .read:
        try pool.unsafeRead { database in
          noteAcquisition(after: begun)
          try Self.read(database, id: id)
        }
      case .write:
        try pool.writeWithoutTransaction { database in
          noteAcquisition(after: begun)
          try Self.update(database, id: id)
        }
      case .mixed:
        try pool.write { database in
          noteAcquisition(after: begun)
          try Self.readAndUpdate(database, id: id)
        }
      }
    } catch {
      end(operation, failed: true)
      throw Self.worded(error)
    }
    end(operation, failed: false)
  }

  package func close() {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    guard isFirst else { return }
    try? pool.close()
    try? FileManager.default.removeItem(at: directory)
  }

  private static func read(_ database: Database, id: Int64) throws {
    let statement = try database.cachedStatement(sql: "SELECT body, version FROM item WHERE id = ?")
    guard try Row.fetchOne(statement, arguments: [id]) != nil else { throw MissingRow(id: id) }
  }

  private static func update(_ database: Database, id: Int64) throws {
    try database.cachedStatement(sql: "UPDATE item SET version = version + 1 WHERE id = ?").execute(arguments: [id])
    guard database.changesCount == 1 else { throw MissingRow(id: id) }
  }

  private static func readAndUpdate(_ database: Database, id: Int64) throws {
    try read(database, id: id)
    try update(database, id: id)
  }

  private func id(for key: UInt64) -> Int64 { Int64(key % rows) }

  /// Counts an operation that asks for a connection now.
  private func begin(_ operation: SQLiteOperation) -> Instant {
    state.withLock { state in
      switch operation {
      case .read:
        if state.reading >= readers { state.statistics.queued += 1 }
        state.reading += 1
      case .write, .mixed:
        if state.writing >= 1 { state.statistics.queued += 1 }
        state.writing += 1
      }
      let inUse = min(state.reading, readers) + min(state.writing, 1)
      state.statistics.connectionsInUseMax = max(state.statistics.connectionsInUseMax, inUse)
      state.statistics.operationsMax = max(state.statistics.operationsMax, state.reading + state.writing)
    }
    return MonotonicClock.now()
  }

  /// Called on the connection, before the operation's first statement.
  private func noteAcquisition(after begun: Instant) {
    let time = (MonotonicClock.now() - begun).rawValue
    acquisitions.add(1, ordering: .relaxed)
    acquisitionTime.add(time, ordering: .relaxed)
    acquisitionTimeMax.max(time, ordering: .relaxed)
  }

  private func end(_ operation: SQLiteOperation, failed: Bool) {
    state.withLock { state in
      switch operation {
      case .read: state.reading -= 1
      case .write, .mixed: state.writing -= 1
      }
      if failed {
        state.statistics.failures += 1
        return
      }
      switch operation {
      case .read: state.statistics.reads += 1
      case .write: state.statistics.writes += 1
      case .mixed: state.statistics.mixed += 1
      }
    }
  }

  /// An operation failed with an SQLite error.
  package struct OperationFailed: Error, Hashable, CustomStringConvertible {
    package let reason: String
    package var description: String { "an operation of the job database failed: \(reason)" }
  }

  /// An expected row is missing: another process wrote to the database.
  package struct MissingRow: Error, CustomStringConvertible {
    package let id: Int64
    package var description: String {
      "row \(id) of the job database is missing, because another process changed it; run again"
    }
  }

  /// The database could not be created or opened.
  package struct CannotOpen: Error, CustomStringConvertible {
    /// The intended location.
    package let directory: String
    /// The requested number of connections.
    package let readers: Int
    package let reason: String
    package var description: String {
      "cannot open the database of 'sqlite' jobs in '\(directory)' with \(readers) connections: \(reason); "
        + "run with fewer workers, raise the limit of open files (ulimit -n), or set TMPDIR to a folder with free space"
    }
  }
}
