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
      unseen.append((id, JobLuggage.payload(of: state.entry(of: id).payload)))
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

/// Types without a handler, by name.
struct ParkedTypes {
  /// Maximum types with waiting jobs.
  static let most = 1_000
  /// How many freed numbers to keep unused: records of their last jobs may still be undelivered.
  private static let quarantine = 1_000

  var ids: [String: JobTypeID] = [:]
  /// Freed numbers, oldest first.
  private var free: ContiguousArray<JobTypeID> = []
  private var freeHead = 0
  /// The number of types at which types without jobs are swept.
  private var sweepAt = 256

  /// Whether to sweep, which happens each time the number of types has doubled.
  var needsSweep: Bool { ids.count >= sweepAt }

  /// Removes the types without any known job. Returns their names.
  mutating func sweep(_ core: borrowing SchedulerCore, but kept: [String: JobTypeID]) -> [String] {
    var forgotten: [String] = []
    for (name, id) in ids where core.isForgotten(parked: id) && kept[name] == nil {
      forgotten.append(name)
      free.append(id)
    }
    for name in forgotten { ids[name] = nil }
    sweepAt = max(256, ids.count * 2)
    return forgotten
  }

  /// A freed number that may be reused.
  mutating func takeAged() -> JobTypeID? { free.count - freeHead > Self.quarantine ? takeFree() : nil }

  /// A freed number, for use when no fresh one is left.
  mutating func takeFree() -> JobTypeID? {
    guard freeHead < free.count else { return nil }
    defer {
      freeHead += 1
      if freeHead * 2 > free.count, freeHead > 64 {
        free.removeFirst(freeHead)
        freeHead = 0
      }
    }
    return free[freeHead]
  }

  /// The names of types with waiting jobs, sorted.
  func withJobs(in core: borrowing SchedulerCore) -> [String] {
    var names: [String] = []
    for (name, id) in ids where core.waitingJobs(ofParked: id) > 0 { names.append(name) }
    return names.sorted()
  }
}

extension DriverState {
  mutating func reject(_ inputs: ParkedInputs, at now: Instant, into outbox: inout Outbox) {
    for (id, error) in inputs.faults where core.isParked(id) {
      note(.error(error), in: watch(id))
      core.inputFoundInvalid(id, at: now, into: &outbox)
    }
  }

  /// Parks a type and returns its number.
  fileprivate mutating func park(_ name: String) throws {
    if parkedTypes.needsSweep {
      // A type that is being announced has no jobs yet.
      for forgotten in parkedTypes.sweep(core, but: unannounced) { typeIDs[forgotten] = nil }
    }
    let id: JobTypeID
    if let used = parkedTypes.takeAged() {
      id = used
      reuse(id, for: name)
    } else {
      do {
        id = try core.registerParked(name)
        note(name, id, RegisteredHandler(handler: .unregistered))
      } catch let limit as LimitReached {
        guard let used = parkedTypes.takeFree() else { throw limit }
        id = used
        reuse(id, for: name)
      }
    }
    parkedTypes.ids[name] = id
  }
}

extension Scheduler {
  /// Parks a type without a handler, or rejects it.
  func park(_ name: String) throws {
    guard configuration.unknownTypes == .park else {
      throw SchedulerError.unknownJobType(name, known: registeredTypes)
    }
    enum Found {
      /// Another thread has parked or registered it meanwhile.
      case known
      case full
      case fresh
    }
    let found = try withState { state throws -> Found in
      if state.typeIDs[name] != nil || state.unannounced[name] != nil { return .known }
      guard state.core.waitingParkedTypes < ParkedTypes.most else { return .full }
      try state.park(name)
      return .fresh
    }
    switch found {
    case .known: announceType(name)
    case .full: throw SchedulerError.tooManyUnknownJobTypes(name, most: ParkedTypes.most)
    case .fresh:
      announceType(name)
      log(UnknownType(name: name, close: closestTypes(to: name)))
    }
  }

  /// Announces a type to the observer and then allows jobs of it. Has no effect if it was announced.
  ///
  /// Calls the observer outside the lock. A thread that needs a type that another thread is announcing does not wait
  /// for that thread, which may be slow or be the caller itself; it announces the type too.
  func announceType(_ name: String) {
    let (id, observer) = withState { state in (state.unannounced[name], state.observer) }
    guard let id else { return }
    observer?.typeRegistered(name, as: id)
    withState { state in
      guard state.unannounced.removeValue(forKey: name) != nil else { return }
      state.typeIDs[name] = id
    }
  }

  /// The names of registered types.
  private var registeredTypes: [String] {
    // Compared outside the lock, because there may be many types.
    let (names, parked) = withState { state in (state.typeIDs, state.parkedTypes.ids) }
    return names.keys.filter { parked[$0] == nil }
  }

  /// The cost is the product of the two lengths, so very long names are skipped.
  private func closestTypes(to name: String) -> [String] {
    let longest = 100
    guard name.utf8.count <= longest else { return [] }
    return closestNames(to: name, among: registeredTypes.filter { $0.utf8.count <= longest })
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
      let names = name.map { [$0] } ?? state.parkedTypes.withJobs(in: state.core)
      for name in names {
        guard let type = state.parkedTypes.ids[name] else { continue }
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
