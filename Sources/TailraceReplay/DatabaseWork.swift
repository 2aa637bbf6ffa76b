import TailraceWorkload

/// A real database that `sqlite` jobs work on, through a pool of real connections.
package protocol DatabaseWork: Sendable {
  /// Performs one operation on the row that `key` chooses; suspends while every connection is taken.
  ///
  /// - Throws: The database's error, or `CancellationError`.
  func perform(_ operation: SQLiteOperation, key: UInt64) async throws
  /// The same for a worker thread: blocks it.
  func performBlocking(_ operation: SQLiteOperation, key: UInt64) throws
  /// What the pool has done so far.
  var statistics: DatabaseStatistics { get }
  /// Closes every connection and deletes the database's files. Later calls do nothing; later operations throw.
  func close()
}

/// What a pool of database connections has done.
package struct DatabaseStatistics: Hashable, Sendable {
  /// Operations that succeeded, by kind.
  package var reads = 0
  package var writes = 0
  package var mixed = 0
  /// Operations that threw.
  package var failures = 0
  /// The most operations ever under way at once, waiting for a connection included.
  package var operationsMax = 0
  /// Connections of the pool, the one for writing included.
  package var connections = 0
  /// The most connections ever in use at once. An operation under way uses one, unless it is queued.
  package var connectionsInUseMax = 0
  /// How often an operation got a connection.
  package var acquisitions = 0
  /// Operations that began while all connections of their kind were in use by earlier ones.
  package var queued = 0
  /// From an operation's begin until it has a connection: the sum and the maximum, in nanoseconds.
  package var acquisitionTime: Int64 = 0
  package var acquisitionTimeMax: Int64 = 0
  package init() {}
}

/// How many connections a pool opens.
package enum DatabaseConnections {
  /// The most for reading. Operations beyond wait for one, as they do at any service with a pool: a connection costs
  /// two file descriptors, and one for each of hundreds of workers only makes SQLite slower.
  package static let readerLimit = 64

  /// The connections of a run with this many workers, including the one for writing.
  package static func count(forWorkers workers: Int) -> Int { min(max(1, workers), readerLimit) + 1 }
}
