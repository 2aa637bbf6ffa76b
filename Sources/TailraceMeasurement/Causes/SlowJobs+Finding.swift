import TailraceCore

extension SlowJobs {
  /// What is asked about: jobs of a class that took longer in a quantity than a limit.
  struct Question {
    var quantity: Quantity
    var key: ClassKey
    /// In nanoseconds; nil: each type's deadline.
    var limit: Double?
  }
}

/// Looks for what slow jobs have in common.
struct SlowSearch {
  let paths: JobPaths
  let settings: Recorder.RecorderSettings
  /// By pool; nil: not known.
  let workers: [Int?]
  /// Of all jobs.
  private let arrivals: SlowJobs.Arrivals
  /// The median service of each type.
  private let medians: [Int64?]

  init(paths: JobPaths, settings: Recorder.RecorderSettings, workers: [Int?]) {
    self.paths = paths
    self.settings = settings
    self.workers = workers
    arrivals = SlowJobs.Arrivals(paths.paths.map(\.intended))
    var services = [[Int64]](repeating: [], count: settings.types.count + 1)
    for attempt in paths.attempts where attempt.started != .max {
      services[min(Int(attempt.type.rawValue), settings.types.count)].append(attempt.finished - attempt.started)
    }
    medians = services.map { $0.isEmpty ? nil : $0.sorted()[$0.count / 2] }
  }

  private var names: [String] { settings.types + [ClassKey.unknownType] }
  private func type(_ number: Int) -> Int { min(number, settings.types.count) }

  func answer(_ question: SlowJobs.Question) -> SlowJobs? {
    var (of, slow): (Int, [JobPaths.Path]) = (0, [])
    for path in paths.paths where isMeasured(path) && isOf(question.key, path) {
      guard let length = paths.length(of: question.quantity, path) else { continue }
      of += 1
      guard let limit = question.limit ?? deadline(path), Double(length) > limit else { continue }
      slow.append(path)
    }
    guard !slow.isEmpty else { return nil }
    var answer = SlowJobs(jobs: slow.count, of: of, limit: question.limit)
    describe(slow, &answer)
    addType(slow, question.key, &answer)
    answer.cameAtOnce = arrivals.span == 0
    answer.stretches = arrivals.stretches(of: slow.map(\.intended))
    answer.burst = answer.stretches.lazy.compactMap { arrivals.burst(at: $0) }.first
    answer.wait = wait(slow)
    answer.service = service(slow)
    return answer
  }

  private func isMeasured(_ path: JobPaths.Path) -> Bool {
    path.intended >= settings.window.start.rawValue && path.intended < settings.window.end?.rawValue ?? .max
  }

  private func isOf(_ key: ClassKey, _ path: JobPaths.Path) -> Bool {
    (key.type == nil || key.type == names[type(path.type)]) && (key.priority == nil || key.priority == path.priority)
  }

  private func deadline(_ path: JobPaths.Path) -> Double? {
    guard settings.deadlines.indices.contains(path.type) else { return nil }
    return settings.deadlines[path.type].map { Double($0.rawValue) }
  }

  private func describe(_ slow: [JobPaths.Path], _ answer: inout SlowJobs) {
    let sums = Quantity.parts.map { part in slow.reduce(0.0) { $0 + Double($1[part]) } }
    let whole = max(1, sums.reduce(0, +))
    answer.parts = SlowJobs.Part.largestFirst(sums, jobs: slow.count, whole: whole)
    answer.retrying = slow.reduce(0.0) { $0 + Double($1.afterFirst) } / whole
  }

  private func addType(_ slow: [JobPaths.Path], _ key: ClassKey, _ answer: inout SlowJobs) {
    guard key.type == nil, Set(paths.paths.lazy.map(\.type)).count > 1 else { return }
    var counts: [Int: Int] = [:]
    for path in slow { counts[type(path.type), default: 0] += 1 }
    guard let most = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else { return }
    answer.type = names[most.key]
    answer.ofType = Double(most.value) / Double(slow.count)
  }

  // MARK: - Waiting

  private func wait(_ slow: [JobPaths.Path]) -> SlowJobs.Wait? {
    let waited = slow.reduce(0.0) { $0 + Double($1[.waiting]) }
    let whole = slow.reduce(0.0) { sum, path in sum + Quantity.parts.reduce(0.0) { $0 + Double(path[$1]) } }
    guard waited > 0, waited >= 0.2 * whole else { return nil }
    var isSlow = [Bool](repeating: false, count: paths.attempts.count)
    for path in slow { for attempt in path.attempts { isSlow[attempt] = true } }
    let sweep = WaitSweep(
      paths.attempts, limits: settings.limits, workers: workers, types: names.count, isSlow: isSlow)
    guard let pool = PoolID.allCases.max(by: { sweep.weight(of: $0) < sweep.weight(of: $1) }),
      case let place = Int(pool.rawValue), sweep.length[place] > 0
    else { return nil }
    let busy = sweep.busy[place]
    let all = busy.reduce(0, +)
    let most = busy.indices.max { busy[$0] < busy[$1] } ?? 0
    let service = paths.attempts.reduce(0.0) { sum, attempt in
      attempt.pool == pool && attempt.started != .max ? sum + Double(attempt.finished - attempt.started) : sum
    }
    return SlowJobs.Wait(
      pool: pool, held: sweep.held(names: names), workers: workers[place],
      running: Double(all) / Double(sweep.length[place]), queued: sweep.queued[place],
      type: settings.types.count > 1 && all > 0 ? names[most] : nil,
      ofType: all > 0 ? Double(busy[most]) / Double(all) : 0,
      retries: all > 0 ? Double(sweep.busyWithRetries[place]) / Double(all) : 0,
      load: arrivals.span > 0 ? service / Double(arrivals.span) : nil,
      stuck: stuck(in: pool, during: sweep.waits[place]))
  }

  /// An attempt that was at least eight times as long as the median of its type, and kept a worker for at least three
  /// tenths of the time in which slow jobs waited.
  private func stuck(in pool: PoolID, during waits: [Range<Int64>]) -> SlowJobs.Stuck? {
    guard let first = waits.first, let last = waits.last else { return nil }
    let all = waits.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
    var (found, count): (AttemptList.Attempt?, Int) = (nil, 0)
    for attempt in paths.attempts where attempt.pool == pool && attempt.started != .max {
      let service = attempt.finished - attempt.started
      guard let usual = medians[type(Int(attempt.type.rawValue))], service >= 8 * max(1, usual),
        service * 10 >= all * 3, attempt.started < last.upperBound, attempt.finished > first.lowerBound
      else { continue }
      let overlap = waits.reduce(Int64(0)) {
        $0 + max(0, min($1.upperBound, attempt.finished) - max($1.lowerBound, attempt.started))
      }
      guard overlap * 10 >= all * 3 else { continue }
      count += 1
      if service > found.map({ $0.finished - $0.started }) ?? 0 { found = attempt }
    }
    guard let found else { return nil }
    let type = type(Int(found.type.rawValue))
    return SlowJobs.Stuck(
      type: names[type], worker: found.workerNumber, service: Nanoseconds(found.finished - found.started),
      usual: Nanoseconds(medians[type] ?? 0), started: Nanoseconds(found.started), attempts: count)
  }

  // MARK: - Service

  private func service(_ slow: [JobPaths.Path]) -> SlowJobs.Service? {
    var (sum, usual, count): (Double, Double, Int) = (0, 0, 0)
    var byWorker: [String: Int] = [:]
    for attempt in slow.lazy.flatMap({ paths.attempts[$0.attempts] }) where attempt.started != .max {
      sum += Double(attempt.finished - attempt.started)
      usual += Double(medians[type(Int(attempt.type.rawValue))] ?? 0)
      count += 1
      if let worker = attempt.workerNumber { byWorker["\(attempt.pool.name)-\(worker)", default: 0] += 1 }
    }
    guard count > 0 else { return nil }
    let known = workers.reduce(0) { $0 + ($1 ?? 0) }
    let main = byWorker.max { ($0.value, $1.key) < ($1.value, $0.key) }
    let worker = main.flatMap { known > 1 && slow.count >= 5 && $0.value * 10 >= count * 9 ? $0.key : nil }
    return SlowJobs.Service(
      mean: Nanoseconds(Int64(sum / Double(count))), usual: Nanoseconds(Int64(usual / Double(count))), worker: worker)
  }
}

extension WaitSweep {
  /// How long slow attempts waited in a pool, all together.
  fileprivate func weight(of pool: PoolID) -> Int64 {
    tallies.indices.reduce(0) { $0 + (poolOfType[$1] == pool ? tallies[$1].total : 0) }
  }
}
