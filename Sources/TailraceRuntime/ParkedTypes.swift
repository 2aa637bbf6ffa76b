import Logging
import TailraceCore
import TailraceSpelling

/// A job type that was met for the first time and nothing is registered for.
struct UnknownType {
  var name: String
  /// What it may have been meant to be.
  var close: [String]
}

/// The payloads of jobs that wait for their type, as its validation looks at them.
struct ParkedInputs {
  private var unseen: [(id: JobID, payload: (any Sendable)?)] = []
  private var seen: Set<JobID> = []
  fileprivate var faults: [(id: JobID, error: any Error)] = []

  /// Notes the jobs that have not been looked at. Returns whether there are any.
  mutating func findMore(of type: JobTypeID, in state: inout DriverState) -> Bool {
    for id in state.core.unsettledJobs(ofParked: type) where !seen.contains(id) {
      unseen.append((id, JobLuggage.payload(of: state.entry(of: id).payload)))
    }
    return !unseen.isEmpty
  }

  /// Looks at them, outside the lock.
  mutating func look(_ validate: JobValidation?) {
    for (id, payload) in unseen {
      seen.insert(id)
      do { try validate?(payload) } catch { faults.append((id, error)) }
    }
    unseen = []
  }
}

/// The types that nothing is registered for, by name.
struct ParkedTypes {
  /// At most so many have jobs that wait.
  static let most = 1_000
  /// Numbers that so many others have left are not used at once: records of their last jobs may be on their way.
  private static let quarantine = 1_000

  var ids: [String: JobTypeID] = [:]
  /// Numbers whose types are forgotten, the one that was first comes first.
  private var free: ContiguousArray<JobTypeID> = []
  private var freeHead = 0
  /// Types at which those without jobs are looked for.
  private var sweepAt = 256

  /// Whether it is time to look for types without jobs: as often as their number has doubled.
  var needsSweep: Bool { ids.count >= sweepAt }

  /// Takes the types out none of whose jobs is remembered. Returns their names.
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

  /// A number that may be used again.
  mutating func takeAged() -> JobTypeID? { free.count - freeHead > Self.quarantine ? takeFree() : nil }

  /// The same where there is no fresh one.
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

  /// The names of those that have jobs that wait, in order.
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

  /// The number of a type that is parked from now on.
  fileprivate mutating func park(_ name: String) throws {
    if parkedTypes.needsSweep {
      // One that is being told of has no jobs yet.
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
  /// Takes note of a type that nothing is registered for, or refuses it.
  func park(_ name: String) throws {
    guard configuration.unknownTypes == .park else {
      throw SchedulerError.unknownJobType(name, known: registeredTypes)
    }
    enum Found {
      /// Somebody else was faster.
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

  /// Tells the observer of a type, and lets jobs of it come from then on; nothing, if that was done.
  ///
  /// The observer is told outside the lock. Whoever meets a type that another thread is telling of does not wait for
  /// that thread, which may be in the observer for long, or be this one: it tells the observer too.
  func announceType(_ name: String) {
    let (id, observer) = withState { state in (state.unannounced[name], state.observer) }
    guard let id else { return }
    observer?.typeRegistered(name, as: id)
    withState { state in
      guard state.unannounced.removeValue(forKey: name) != nil else { return }
      state.typeIDs[name] = id
    }
  }

  /// The names of the types that somebody has registered.
  private var registeredTypes: [String] {
    // The tables are compared outside the lock, however many types there are.
    let (names, parked) = withState { state in (state.typeIDs, state.parkedTypes.ids) }
    return names.keys.filter { parked[$0] == nil }
  }

  /// The search takes time by the product of two names' lengths: nobody misspells names as long as these.
  private func closestTypes(to name: String) -> [String] {
    let longest = 100
    guard name.utf8.count <= longest else { return [] }
    return closestNames(to: name, among: registeredTypes.filter { $0.utf8.count <= longest })
  }

  /// Cancels the jobs that wait for types that nothing is registered for, with the jobs that depend on them: their
  /// places are free again, and ``health(_:)`` no longer names the types.
  ///
  /// - Parameter name: the name of one such type; nil: all of them.
  /// - Returns: how many jobs were cancelled, those that depended on them not counted.
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

  /// Once for each type.
  private func log(_ unknown: UnknownType) {
    logger.warning(
      "jobs of an unknown type wait for it to be registered",
      metadata: ["tailrace-job-type": "\(unknown.name)", "close-to": "\(unknown.close.joined(separator: ", "))"])
  }
}
