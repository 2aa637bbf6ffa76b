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
  mutating func findMore(of type: JobTypeID, in state: borrowing DriverState) -> Bool {
    for id in state.core.unsettledJobs(of: type) where !seen.contains(id) {
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

extension DriverState {
  /// At most so many types wait for somebody to register them.
  static let mostParkedTypes = 1_000

  mutating func reject(_ inputs: ParkedInputs, at now: Instant, into outbox: inout Outbox) {
    for (id, error) in inputs.faults where core.isParked(id) {
      note(.error(error), in: watch(id))
      core.inputFoundInvalid(id, at: now, into: &outbox)
    }
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
      case fresh(JobTypeID)
    }
    let found = withState { state -> Found in
      if state.typeIDs[name] != nil || state.unannounced[name] != nil { return .known }
      guard state.parkedTypes.count < DriverState.mostParkedTypes else { return .full }
      let id = state.core.registerParked(name)
      state.note(name, id, RegisteredHandler(handler: .unregistered))
      state.parkedTypes[name] = id
      return .fresh(id)
    }
    switch found {
    case .known: announceType(name)
    case .full: throw SchedulerError.tooManyUnknownJobTypes(name, most: DriverState.mostParkedTypes)
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
    guard let id = withState({ state in state.unannounced[name] }) else { return }
    observer?.typeRegistered(name, as: id)
    withState { state in
      guard state.unannounced.removeValue(forKey: name) != nil else { return }
      state.typeIDs[name] = id
    }
  }

  /// The names of the types that somebody has registered.
  private var registeredTypes: [String] {
    // The tables are compared outside the lock, however many types there are.
    let (names, parked) = withState { state in (state.typeNames, state.parkedTypes) }
    return names.filter { parked[$0] == nil }
  }

  /// The search takes time by the product of two names' lengths: nobody misspells names as long as these.
  private func closestTypes(to name: String) -> [String] {
    let longest = 100
    guard name.utf8.count <= longest else { return [] }
    return closestNames(to: name, among: registeredTypes.filter { $0.utf8.count <= longest })
  }

  /// Once for each type.
  private func log(_ unknown: UnknownType) {
    logger.warning(
      "jobs of an unknown type wait for it to be registered",
      metadata: ["tailrace-job-type": "\(unknown.name)", "close-to": "\(unknown.close.joined(separator: ", "))"])
  }
}
