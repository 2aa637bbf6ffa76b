import Logging
import TailraceCore
import TailraceSpelling

/// A job type without a handler, on its first submission.
struct UnknownType {
  var name: String
  /// Registered names that are similar.
  var close: [String]
}

/// The payloads of jobs that wait for their type, to be validated.
struct ParkedInputs {
  private var unseen: [(id: JobID, payload: (any Sendable)?)] = []
  private var seen: Set<JobID> = []
  fileprivate var faults: [(id: JobID, error: any Error)] = []

  /// Collects jobs that were not validated yet. Returns whether there are any.
  mutating func findMore(of type: JobTypeID, in state: inout DriverState) -> Bool {
    for id in state.core.unsettledJobs(ofParked: type) where !seen.contains(id) {
      unseen.append((id, JobEnvelope.payload(of: state.entry(of: id).payload)))
    }
    return !unseen.isEmpty
  }

  /// Validates them. Call outside the lock.
  mutating func look(_ validate: JobValidation?) {
    for (id, payload) in unseen {
      seen.insert(id)
      do { try validate?(payload) } catch { faults.append((id, error)) }
    }
    unseen = []
  }
}

/// Numbers of job types that had no handler and have no known job any more, for reuse.
struct FreedTypes {
  /// How many freed numbers to keep unused: records of their last jobs may still be undelivered.
  private static let quarantine = 1_000

  /// Oldest first, from ``head`` on.
  private var numbers: ContiguousArray<JobTypeID> = []
  private var head = 0
  /// The number of parked types at which those without jobs are swept: each time their number has doubled.
  fileprivate private(set) var sweepAt = 256

  fileprivate mutating func append(_ type: JobTypeID) { numbers.append(type) }

  fileprivate mutating func swept(leaving count: Int) { sweepAt = max(256, count * 2) }

  /// A freed number that may be reused.
  mutating func takeAged() -> JobTypeID? { numbers.count - head > Self.quarantine ? take() : nil }

  /// A freed number, for use when no fresh one is left.
  mutating func take() -> JobTypeID? {
    guard head < numbers.count else { return nil }
    defer {
      head += 1
      if head * 2 > numbers.count, head > 64 {
        numbers.removeFirst(head)
        head = 0
      }
    }
    return numbers[head]
  }
}

extension DriverState {
  mutating func reject(_ inputs: ParkedInputs, at now: Instant, into outbox: inout Outbox) {
    for (id, error) in inputs.faults where core.isParked(id) {
      store(.error(error), in: watch(id))
      core.inputFoundInvalid(id, at: now, into: &outbox)
    }
  }

  /// Parks a type: its jobs wait until it has a handler.
  fileprivate mutating func park(_ name: String) throws {
    if types.parked.count >= freedTypes.sweepAt { sweepParkedTypes() }
    if let used = freedTypes.takeAged() { return types.reuse(used, for: name) }
    do {
      types.add(name, try core.registerParked(name), nil)
    } catch let limit as LimitReached {
      guard let used = freedTypes.take() else { throw limit }
      types.reuse(used, for: name)
    }
  }

  /// Frees the parked types without any known job.
  private mutating func sweepParkedTypes() {
    // A type that is being announced has no jobs yet.
    for type in types.parked where types[type].isAnnounced && core.isForgotten(parked: type) {
      types.free(type)
      freedTypes.append(type)
    }
    freedTypes.swept(leaving: types.parked.count)
  }

  /// The names of parked types with waiting jobs, sorted.
  func parkedTypesWithJobs() -> [String] {
    types.parked.filter { core.waitingJobs(ofParked: $0) > 0 }.map { types[$0].name }.sorted()
  }
}

extension Scheduler {
  /// Maximum types without a handler that have waiting jobs.
  static var mostParkedTypes: Int { 1_000 }

  /// Parks a type without a handler, or rejects it.
  func park(_ name: String) throws {
    guard configuration.unknownTypes == .park else {
      throw unknownType(name)
    }
    enum Found {
      /// Another thread has parked or registered it meanwhile.
      case known
      case full
      case fresh
    }
    let found = try withState { state throws -> Found in
      if state.types.numbers[name] != nil { return .known }
      guard state.core.waitingParkedTypes < Self.mostParkedTypes else { return .full }
      try state.park(name)
      return .fresh
    }
    switch found {
    case .known: announceType(name)
    case .full: throw SchedulerError.tooManyUnknownJobTypes(name, most: Self.mostParkedTypes)
    case .fresh:
      announceType(name)
      log(UnknownType(name: name, close: closest(to: name, among: registeredTypes)))
    }
  }

  /// Announces a type to the observer and then allows jobs of it. Has no effect if it was announced.
  ///
  /// Calls the observer outside the lock. A thread that needs a type that another thread is announcing does not wait
  /// for that thread, which may be slow or be the caller itself; it announces the type too.
  func announceType(_ name: String) {
    let (id, observer) = withState { state in (state.types.unannounced(named: name), state.observer) }
    guard let id else { return }
    observer?.typeRegistered(name, as: id)
    withState { state in if state.types.unannounced(named: name) == id { state.types[id].isAnnounced = true } }
  }

  /// The names of registered types.
  private var registeredTypes: [String] {
    // Compared outside the lock, because there may be many types.
    let (numbers, parked) = withState { state in (state.types.numbers, state.types.parked) }
    return numbers.filter { !parked.contains($0.value) }.map(\.key)
  }

  /// The error for a job of a type without a handler.
  func unknownType(_ name: String) -> SchedulerError {
    // Every such submission computes it, so it must not take long.
    let known = registeredTypes
    return .unknownJobType(name, close: known.count <= 1_000 ? closest(to: name, among: known) : [])
  }

  /// The cost is the product of the two lengths, so very long names are skipped.
  private func closest(to name: String, among known: [String]) -> [String] {
    let longest = 100
    guard name.utf8.count <= longest else { return [] }
    return closestNames(to: name, among: known.filter { $0.utf8.count <= longest })
  }

  /// Cancels jobs that wait for types without a handler, and the jobs that depend on them. ``health(_:)`` then no
  /// longer reports the types.
  ///
  /// - Parameter name: the name of one such type; nil: all of them.
  /// - Returns: how many jobs were cancelled, without their dependents.
  @discardableResult
  public func cancelJobs(ofUnregistered name: String? = nil) -> Int {
    report { state, now, outbox in
      var count = 0
      let names = name.map { [$0] } ?? state.parkedTypesWithJobs()
      for name in names {
        guard let type = state.types.parked(named: name) else { continue }
        for job in state.core.unsettledJobs(ofParked: type) {
          if state.core.cancelRequested(job, at: now, into: &outbox) { count += 1 }
        }
      }
      return count
    }
  }

  /// Logged once per type.
  private func log(_ unknown: UnknownType) {
    logger.warning(
      "jobs wait for a job type without a handler",
      metadata: ["tailrace-job-type": "\(unknown.name)", "close-to": "\(unknown.close.joined(separator: ", "))"])
  }
}
