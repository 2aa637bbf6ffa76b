import TailraceCore
import TailraceMeasurement
import TailraceSpelling

extension AttemptRowsReader {
  /// A worker as the rows name it.
  static func worker(_ record: TimelineRecord) -> String { "\(record.pool.name)-\(record.worker)" }

  /// Compares what the rows claim of workers with those that the program was given: which there are, that each runs one
  /// attempt at a time, and that no more attempts run at once than there are workers.
  mutating func checkWorkers() {
    let before = count
    checkNames()
    checkEachWorker()
    // What is wrong with single workers would be told again.
    if count == before { checkAllWorkers() }
  }

  /// A program with one pool may give it the workers of both.
  private mutating func checkNames() {
    let pools = expected.pools
    let named = Set(rows.lazy.map(\.record).filter { $0.worker != TimelineRecord.noWorker }.map(\.pool))
    for (record, line) in rows where record.worker != TimelineRecord.noWorker {
      let own = record.pool == .async ? pools.asyncWorkers : pools.threadWorkers
      let workers = named.count == 1 ? pools.workers : own
      guard Int(record.worker) >= workers else { continue }
      let allowed =
        workers == 0
        ? "no job type uses the pool \(record.pool.name)"
        : "there \(workers == 1 ? "is 1 worker, " : "are \(workers) workers, ")\(record.pool.name)-0"
          + (workers == 1 ? "" : " to \(record.pool.name)-\(workers - 1)")
      report(
        line, "worker '\(Self.worker(record))' does not exist: \(allowed); write the worker that ran it, or nothing")
    }
  }

  private mutating func checkEachWorker() {
    let places = rows.indices.filter {
      rows[$0].record.wasStarted && rows[$0].record.worker != TimelineRecord.noWorker
    }.sorted { a, b in
      let (a, b) = (rows[a].record, rows[b].record)
      return (a.pool.rawValue, a.worker, a.started, a.finished) < (b.pool.rawValue, b.worker, b.started, b.finished)
    }
    var busiest: Int?
    for place in places {
      let (record, line) = rows[place]
      guard let last = busiest, rows[last].record.pool == record.pool, rows[last].record.worker == record.worker else {
        busiest = place
        continue
      }
      let other = rows[last].record
      if record.started < other.finished {
        report(
          line,
          "\(Self.worker(record)) starts job \(record.number) at \(record.started.nanoseconds), while it runs job "
            + "\(other.number) (line \(rows[last].line)) until \(other.finished.nanoseconds); a worker runs one "
            + "attempt at a time")
      }
      if record.finished > other.finished { busiest = place }
    }
  }

  private mutating func checkAllWorkers() {
    let places = rows.indices.filter { rows[$0].record.wasStarted }
      .sorted { rows[$0].record.started < rows[$1].record.started }
    let ends = places.map { rows[$0].record.finished }.sorted()
    let workers = expected.pools.workers
    var ended = 0
    for (started, place) in places.enumerated() {
      let (record, line) = rows[place]
      while ended < ends.count, ends[ended] <= record.started { ended += 1 }
      let running = started + 1 - ended
      guard running > workers else { continue }
      report(
        line,
        "job \(record.number) starts at \(record.started.nanoseconds), while \(running - 1) others run; "
          + "there \(workers == 1 ? "is 1 worker" : "are \(workers) workers") (TAILRACE_WORKERS); run no more at once")
    }
  }
}
