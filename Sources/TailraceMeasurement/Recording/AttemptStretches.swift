import TailraceCore

/// The attempts of evenly spaced stretches of a run that is too large to keep all of them.
///
/// Stretch n starts at n × the period and has the stretches' width. An attempt is kept if it starts in a stretch or
/// runs when one starts. At first the stretches adjoin, so that every attempt is kept. Above the limit, stretches are
/// merged, shortened or dropped. Period and width are powers of two: what remains is part of what was kept, and the
/// stretches of all shards coincide.
struct AttemptStretches: Sendable {
  /// The maximum number of attempts kept; each uses 64 bytes.
  static let limit = 8_192
  /// Stretches with fewer attempts are merged before anything is dropped.
  private static let fewAttempts = 256
  /// With more stretches, every second is dropped; with fewer, all are shortened.
  private static let manyStretches = 12
  /// The maximum number of attempts kept only because they run when a stretch starts.
  private static let carriedLimit = limit / 8

  /// When the stretches start and how long they are.
  private struct Grid: Equatable {
    /// Binary logarithms of nanoseconds.
    var periodBits: Int64 = 10
    var widthBits: Int64 = 10
    var isWhole: Bool { periodBits == widthBits }

    @inline(__always)
    func startsInside(_ attempt: AttemptList.Attempt) -> Bool {
      attempt.started & (1 << periodBits - 1) < 1 << widthBits
    }

    /// Whether the attempt starts in a stretch, or runs when one starts.
    @inline(__always)
    func covers(_ attempt: AttemptList.Attempt) -> Bool {
      attempt.isDrawable
        && (startsInside(attempt) || attempt.started >> periodBits != attempt.finished >> periodBits)
    }
  }

  private(set) var attempts: [AttemptList.Attempt] = []
  private var grid = Grid()

  /// Whether the stretches adjoin, so that all attempts are kept.
  var isWhole: Bool { grid.isWhole }

  /// The number of the stretch in which an attempt starts; nil: it starts between stretches.
  func stretch(of attempt: AttemptList.Attempt) -> Int64? {
    grid.startsInside(attempt) ? attempt.started >> grid.periodBits : nil
  }

  @inline(__always)
  mutating func append(_ attempt: AttemptList.Attempt) {
    guard grid.covers(attempt) else { return }
    attempts.append(attempt)
    if attempts.count > Self.limit { thin() }
  }

  mutating func merge(_ other: AttemptStretches) {
    // Whole lists can take any period and width.
    switch (isWhole, other.isWhole) {
    case (true, true):
      grid.periodBits = max(grid.periodBits, other.grid.periodBits)
      grid.widthBits = grid.periodBits
    case (false, false):
      grid.periodBits = max(grid.periodBits, other.grid.periodBits)
      grid.widthBits = min(grid.widthBits, other.grid.widthBits)
    case (true, false): grid = other.grid
    case (false, true): break
    }
    let grid = grid
    attempts.removeAll { !grid.covers($0) }
    attempts.append(contentsOf: other.attempts.lazy.filter(grid.covers))
    if attempts.count > Self.limit { thin() }
  }

  /// Halves the list, so that this happens rarely.
  private mutating func thin() {
    var grid = grid
    while attempts.count > Self.limit / 2 {
      var carried = 0
      attempts.removeAll { attempt in
        if !grid.startsInside(attempt) { carried += 1 }
        return carried > Self.carriedLimit && !grid.startsInside(attempt)
      }
      let occupied = Set(attempts.map { $0.started >> grid.periodBits }).count
      if grid.isWhole, attempts.count < Self.fewAttempts * occupied {
        grid.periodBits += 1
        grid.widthBits += 1
        continue
      }
      var next = grid
      if occupied > Self.manyStretches { next.periodBits += 1 } else { next.widthBits = max(0, grid.widthBits - 1) }
      if next != grid, attempts.count(where: next.startsInside) >= Self.limit / 16 {
        attempts.removeAll { !next.covers($0) }
        grid = next
      } else {
        // Thousands start together, so that no shorter stretch has some of them.
        attempts.removeLast(attempts.count - min(attempts.count, Self.limit / 2))
      }
    }
    self.grid = grid
  }
}

extension AttemptList.Attempt {
  /// Whether the attempt started on a worker that charts show.
  var isDrawable: Bool {
    started != .max && (worker == TimelineRecord.noWorker || Int(worker) < WorkerTimeline.workerLimit)
  }
}
