import TailraceCore

/// A time series: a value per slot of equal width, from the run's start.
package struct Series: Sendable, Hashable, Codable {
  /// The slots' width in nanoseconds.
  package var width: Nanoseconds
  /// Per second for `throughput`; the mean over the slot for `queue_depth` and `running`.
  package var values: [Double]

  private enum CodingKeys: String, CodingKey {
    case values
    case width = "widthNs"
  }

  /// Rounded to three decimals, which is precise enough and saves two thirds of the bytes.
  init(_ grid: borrowing TimeGrid, perSecond: Bool, until end: Int64) {
    let width = grid.width
    self.width = width
    let slots = grid.slots
    let count = min(slots.count, Int(max(0, end) / width.rawValue) + 1)
    values = slots.prefix(count).enumerated().map { index, sum in
      // The last slot extends past the run's end; its rate covers only the part before it.
      let covered = min(width.rawValue, max(1, end - Int64(index) * width.rawValue))
      let value = perSecond ? Double(sum) / Nanoseconds(covered).seconds : Double(sum) / Double(covered)
      return (value * 1_000).rounded() / 1_000
    }
  }
}

/// The utilization of a worker.
package struct WorkerUse: Sendable, Hashable, Codable {
  package var pool: PoolID
  package var worker: Int
  /// Busy time within the measurement window, in nanoseconds.
  package var busy: Nanoseconds
  /// Busy share of the window, 0…1.
  package var utilization: Double
  /// The name in files: `async-0`.
  package var name: String { "\(pool.name)-\(worker)" }

  private enum CodingKeys: String, CodingKey {
    case pool, worker, utilization
    case busy = "busyNs"
  }
}

/// Facts about a run that only the harness knows.
package struct RunFacts {
  /// Jobs that the load generator took from the tape, including dropped ones.
  package var intended: Int
  /// Jobs intended within the window, if known from another source than the records; nil: derived from the records.
  package var intendedInWindow: Int? = nil
  /// The number of workers per pool; utilization covers the pools that ran any job.
  package var workers: [(pool: PoolID, count: Int)]
  /// Jobs that had not settled at the end of the run, according to the system.
  package var unsettled: Int
  /// Workers still occupied at the end of the run: their handlers had not returned, whether or not their job was
  /// settled by a timeout or by stopping.
  package var leftRunning: Int
  /// The dependencies of a job, as tape numbers.
  package var dependencies: (UInt64) -> [UInt64]
  /// The width of the window of `starts_per_second_max`: one second × the time scale.
  package var startsWindow: Nanoseconds
  package init(
    intended: Int, workers: [(pool: PoolID, count: Int)] = [], unsettled: Int = 0, leftRunning: Int = 0,
    startsWindow: Nanoseconds = .seconds(1), dependencies: @escaping (UInt64) -> [UInt64] = { _ in [] }
  ) {
    self.intended = intended
    self.workers = workers
    self.unsettled = unsettled
    self.leftRunning = leftRunning
    self.startsWindow = startsWindow
    self.dependencies = dependencies
  }
}

/// The measurements of a run.
package struct RunMeasurement: Sendable, Hashable, Codable {
  /// The measurement window, with its actual end.
  package var windowStart: Nanoseconds
  package var windowEnd: Nanoseconds
  /// All jobs first, then each type in order of declaration, then each priority, then types with several priorities by
  /// priority. Only classes with jobs.
  package var classes: [ClassMeasurement]
  /// Settlements of jobs intended outside the window.
  package var unmeasured: CauseCounts
  package var figures: [Figure]
  package var throughput: Series
  package var queueDepth: Series
  package var running: Series
  /// nil in results of earlier versions.
  package var responseOverTime: ResponseSeries?
  /// nil: more attempts than ``WorkerTimeline/limit``, or a result of an earlier version.
  package var timeline: WorkerTimeline?
  package var workers: [WorkerUse]
  package var intendedInWindow: Int
  package var submittedInWindow: Int
  /// The number of settled jobs that were accepted, including warm-up.
  package var acceptedJobs: Int
  /// Their mean time from acceptance to settlement, in nanoseconds.
  package var meanTimeInSystem: Double

  /// The measurements of a class; nil if it has no jobs.
  package subscript(key: ClassKey) -> ClassMeasurement? {
    if let exact = classes.first(where: { $0.key == key }) { return exact }
    // A type with a single priority has no separate class for the pair.
    guard let type = key.type, key.priority != nil else { return nil }
    let ofType = classes.filter { $0.key.type == type }
    guard ofType.count == 1, priorities[type] == key.priority else { return nil }
    return ofType[0]
  }
  private enum CodingKeys: String, CodingKey {
    case classes, unmeasured, figures, throughput, queueDepth, running, responseOverTime, timeline, workers
    case intendedInWindow, submittedInWindow, acceptedJobs, priorities
    case windowStart = "windowStartNs"
    case windowEnd = "windowEndNs"
    case meanTimeInSystem = "meanTimeInSystemNs"
  }

  /// Drops the time series.
  mutating func dropSeries() {
    (throughput.values, queueDepth.values, running.values) = ([], [], [])
  }

  /// The priority of each type that has only one.
  package var priorities: [String: Priority]
  /// All measured jobs.
  package var all: ClassMeasurement { classes.first ?? ClassMeasurement(key: .all) }
  /// A figure's value; nil when it is unavailable.
  package subscript(figure: FigureName) -> Double? { figures.first { $0.name == figure }?.reading.value }
}

extension Recorder {
  /// Computes the measurements, at the end of a run or during it.
  ///
  /// - Parameter present: the current time from the run's start, at which the window ends if the run is not over; nil:
  ///   the run is over.
  package func measurement(_ facts: RunFacts, at present: Nanoseconds? = nil) -> RunMeasurement {
    let whole = settings.window.end?.rawValue ?? max(lastSettled, settings.window.start.rawValue + 1)
    let end = present.map { min(whole, max($0.rawValue, settings.window.start.rawValue + 1)) } ?? whole
    let window = Nanoseconds(max(1, end - settings.window.start.rawValue))
    let (classes, priorities) = makeClasses()
    let runEnd = max(lastSettled, 1)
    var result = RunMeasurement(
      windowStart: settings.window.start, windowEnd: Nanoseconds(end), classes: classes, unmeasured: unmeasured,
      figures: [], throughput: Series(throughput, perSecond: true, until: runEnd),
      queueDepth: Series(waiting, perSecond: false, until: runEnd),
      running: Series(running, perSecond: false, until: runEnd), responseOverTime: responses.series,
      timeline: WorkerTimeline(attempts, types: settings.types), workers: makeWorkers(facts, window: window),
      intendedInWindow: facts.intendedInWindow ?? intendedInWindow, submittedInWindow: submittedInWindow,
      acceptedJobs: acceptedCount,
      meanTimeInSystem: acceptedCount > 0 ? Double(timeInSystem) / Double(acceptedCount) : 0, priorities: priorities)
    result.figures = makeFigures(facts, window: window, all: result.all, workers: result.workers)
    return result
  }

  private func makeClasses() -> ([ClassMeasurement], [String: Priority]) {
    func select(_ matches: (_ type: Int, _ priority: Int) -> Bool) -> [Cell] {
      cells.indices.compactMap { matches($0 / Self.priorities, $0 % Self.priorities) ? cells[$0] : nil }
    }
    var classes = [ClassMeasurement(key: .all, cells: select { _, _ in true })]
    var pairs: [ClassMeasurement] = []
    var single: [String: Priority] = [:]
    for type in 0...settings.types.count {
      let ofType = select { t, _ in t == type }
      guard !ofType.isEmpty else { continue }
      let name = type < settings.types.count ? settings.types[type] : ClassKey.unknownType
      classes.append(ClassMeasurement(key: ClassKey(type: name), cells: ofType))
      let present = Priority.allCases.filter { cells[type * Self.priorities + Int($0.rawValue)] != nil }
      if present.count == 1 { single[name] = present[0] }
      guard present.count > 1 else { continue }
      for priority in present {
        let own = select { t, p in t == type && p == Int(priority.rawValue) }
        pairs.append(ClassMeasurement(key: ClassKey(type: name, priority: priority), cells: own))
      }
    }
    for priority in Priority.allCases {
      let own = select { _, p in p == Int(priority.rawValue) }
      if !own.isEmpty { classes.append(ClassMeasurement(key: ClassKey(priority: priority), cells: own)) }
    }
    return (classes + pairs, single)
  }

  private func makeWorkers(_ facts: RunFacts, window: Nanoseconds) -> [WorkerUse] {
    PoolID.allCases.flatMap { pool -> [WorkerUse] in
      let times = busy[Int(pool.rawValue)]
      guard !times.isEmpty else { return [] }
      let count = max(times.count, facts.workers.first { $0.pool == pool }?.count ?? 0)
      return (0..<count).map { worker in
        let time = worker < times.count ? times[worker] : 0
        return WorkerUse(
          pool: pool, worker: worker, busy: Nanoseconds(time), utilization: Double(time) / Double(window.rawValue))
      }
    }
  }

  private func makeFigures(
    _ facts: RunFacts, window: Nanoseconds, all: ClassMeasurement, workers: [WorkerUse]
  ) -> [Figure] {
    let lost = facts.intended - settled.count - facts.unsettled
    var figures = [
      Figure(.throughput, Double(endedInWindow) / window.seconds),
      Figure(.success, success(all, lost: max(0, lost) + facts.unsettled)),
      Figure(
        .utilization,
        workers.isEmpty
          ? .unavailable("no attempt ran on a numbered worker")
          : Reading(workers.reduce(0) { $0 + $1.utilization } / Double(workers.count))),
      Figure(
        .makespan,
        lastSettled < firstIntended
          ? .unavailable("no job settled") : Reading(Double(lastSettled - firstIntended))),
    ]
    figures += makeOfferedFigures(facts, window, mean: all[.service]?.mean)
    figures += [Figure(.shareError, shareError), Figure(.recovery, recovery(facts))]
    for name in FigureName.allCases where name.hasClasses && name != .success {
      figures.append(Figure(name, all.value(of: name).map { Reading($0) } ?? .notTaken))
    }
    // More settlements than intended jobs are an error too; the absolute difference is reported as lost.
    figures.append(Figure(.lost, abs(lost)))
    figures.append(Figure(.duplicated, settled.duplicates))
    figures.append(Figure(.leftRunning, facts.leftRunning))
    return figures + makeListFigures(facts)
  }

  /// The offered load from the first intended arrival to the last, or over the window if the scenario declares its end.
  /// The time in which the queue drains is not included. If all jobs are due at the same instant, the window is used.
  private func makeOfferedFigures(_ facts: RunFacts, _ window: Nanoseconds, mean: Nanoseconds?) -> [Figure] {
    let isDeclared = settings.window.end != nil || lastIntended <= max(firstIntended, settings.window.start.rawValue)
    let beginning = max(firstIntended, settings.window.start.rawValue)
    // Without a warm-up the interval begins with the first arrival, which must not be counted.
    let first = !isDeclared && beginning == firstIntended ? 1 : 0
    let length = isDeclared ? window : Nanoseconds(lastIntended - beginning)
    let offered = Double(max(0, (facts.intendedInWindow ?? intendedInWindow) - first)) / length.seconds
    return [
      Figure(.offeredRate, offered),
      Figure(.achievedRate, Double(max(0, submittedInWindow - first)) / length.seconds),
      Figure(.offeredLoad, mean.map { Reading(offered * $0.seconds) } ?? .unavailable("no attempt started")),
    ]
  }

  private func success(_ all: ClassMeasurement, lost: Int) -> Reading {
    let possible = all.causes.possible + lost
    guard possible > 0 else { return .unavailable("no job settled") }
    return Reading(Double(all.causes[.succeeded]) / Double(possible))
  }

  private var shareError: Reading {
    guard starts.count > 1 else { return .unavailable("requires several job types") }
    let (all, weights) = (starts.reduce(0, +), settings.weights.reduce(0, +))
    guard all > 0, weights > 0 else { return .unavailable("no attempt started within the window") }
    let errors = starts.indices.map { abs(Double(starts[$0]) / Double(all) - settings.weights[$0] / weights) }
    return Reading(errors.max() ?? 0)
  }

  private func recovery(_ facts: RunFacts) -> Reading {
    guard let peakEnd = settings.peakEnd?.rawValue else {
      return .unavailable("requires load stages that rise and fall")
    }
    let workers = facts.workers.reduce(0) { $0 + $1.count }
    let width = inSystem.width.rawValue
    let slots = inSystem.slots
    let first = Int((peakEnd + width - 1) / width)
    let slot =
      slots.indices.dropFirst(first).first { slots[$0] <= Int128(workers) * Int128(width) } ?? max(first, slots.count)
    return Reading(Double(max(0, Int64(slot) * width - peakEnd)))
  }

  /// Figures that require the full list of attempts.
  private func makeListFigures(_ facts: RunFacts) -> [Figure] {
    let names: [FigureName] = [.concurrencyMax, .startsPerSecondMax, .queueDepthMax, .inversions]
    guard !attempts.isTruncated else {
      let reading = Reading.unavailable("more than \(settings.attemptLimit) attempts, too many to keep each")
      return (settings.hasDependencies ? names + [.earlyStarts] : names).map { Figure($0, reading) }
        + (settings.hasDependencies ? [] : [Figure(.earlyStarts, 0)])
    }
    let early = settings.hasDependencies ? attempts.earlyStarts(dependencies: facts.dependencies) : 0
    return [
      Figure(.concurrencyMax, attempts.concurrencyMax),
      Figure(.startsPerSecondMax, attempts.startsMax(within: facts.startsWindow)),
      Figure(.queueDepthMax, attempts.queueDepthMax),
      Figure(.inversions, attempts.inversions),
      Figure(.earlyStarts, early),
    ]
  }
}
