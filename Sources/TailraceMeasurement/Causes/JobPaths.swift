import TailraceCore

/// The ways of a run's jobs, put together from their attempts.
struct JobPaths {
  /// One job: its attempts are next to each other.
  struct Path {
    var attempts: Range<Int>
    var type: Int
    var priority: Priority
    var intended: Int64
    /// What its parts took, by ``Quantity``.
    var parts: (lag: Int64, submission: Int64, dependency: Int64, waiting: Int64, service: Int64, backoff: Int64)
    /// From the end of its first attempt to the end of its last.
    var afterFirst: Int64

    /// What a part took.
    subscript(part: Quantity) -> Int64 {
      switch part {
      case .submissionLag: parts.lag
      case .submission: parts.submission
      case .dependencyWait: parts.dependency
      case .waiting: parts.waiting
      case .service: parts.service
      case .backoff: parts.backoff
      case .response, .responseUncorrected: 0
      }
    }
  }

  /// By job, then in the order in which they became eligible.
  let attempts: [AttemptList.Attempt]
  let paths: [Path]

  init(_ list: AttemptList) {
    let sorted = list.attempts.sorted { ($0.job, $0.eligible, $0.finished) < ($1.job, $1.eligible, $1.finished) }
    var paths: [Path] = []
    var first = 0
    while first < sorted.count {
      var last = first
      // A job that was submitted twice settles twice.
      while sorted[last].end == nil, last + 1 < sorted.count, sorted[last + 1].job == sorted[first].job { last += 1 }
      if let path = Path(sorted, first...last) { paths.append(path) }
      first = last + 1
    }
    attempts = sorted
    self.paths = paths
  }

  /// How long a quantity took of a job, the longest of its attempts where each has its own; nil: it gives no sample.
  func length(of quantity: Quantity, _ path: Path) -> Int64? {
    let own = attempts[path.attempts]
    guard let first = own.first, let last = own.last else { return nil }
    switch quantity {
    case .response: return last.end?.ranToItsEnd == true ? last.finished - path.intended : nil
    case .responseUncorrected: return last.end?.ranToItsEnd == true ? last.finished - first.submitted : nil
    case .submissionLag, .submission, .dependencyWait: return path[quantity]
    case .waiting: return own.map { $0.waiting }.max()
    case .service: return own.compactMap { $0.started == .max ? nil : $0.finished - $0.started }.max()
    case .backoff: return zip(own, own.dropFirst()).map { $1.eligible - $0.finished }.max()
    }
  }
}

extension JobPaths.Path {
  /// nil: the job was never submitted, as far as its records say.
  init?(_ attempts: [AttemptList.Attempt], _ range: ClosedRange<Int>) {
    let (first, last) = (attempts[range.lowerBound], attempts[range.upperBound])
    guard first.submitted >= first.intended, first.accepted >= first.submitted else { return nil }
    self.attempts = range.lowerBound..<range.upperBound + 1
    (type, priority, intended) = (Int(first.type.rawValue), first.priority, first.intended)
    afterFirst = last.finished - first.finished
    parts = (
      first.submitted - first.intended, first.accepted - first.submitted, first.eligible - first.accepted, 0, 0, 0
    )
    for index in range {
      let attempt = attempts[index]
      parts.waiting += attempt.waiting
      if attempt.started != .max { parts.service += attempt.finished - attempt.started }
      if index > range.lowerBound { parts.backoff += attempt.eligible - attempts[index - 1].finished }
    }
  }
}

extension AttemptList.Attempt {
  /// When it no longer waited: it started, or settled without.
  var left: Int64 { min(started, finished) }
  var waiting: Int64 { left - eligible }
}
