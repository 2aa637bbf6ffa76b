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
      watch(id).ending = .error(error)
      core.inputFoundInvalid(id, at: now, into: &outbox)
    }
  }
}

extension Scheduler {
  /// Takes note of a type that nothing is registered for, or refuses it. Under the lock.
  func parkType(_ name: String, in state: inout DriverState, reporting unknown: inout UnknownType?) throws -> JobTypeID
  {
    let known = state.typeNames.filter { state.parkedTypes[$0] == nil }
    guard configuration.unknownTypes == .park else { throw SchedulerError.unknownJobType(name, known: known) }
    guard state.parkedTypes.count < DriverState.mostParkedTypes else {
      throw SchedulerError.tooManyUnknownJobTypes(name, most: DriverState.mostParkedTypes)
    }
    let id = state.core.registerParked(name)
    state.note(name, id, RegisteredHandler(handler: .unregistered))
    state.parkedTypes[name] = id
    observer?.typeRegistered(name, as: id)
    unknown = UnknownType(name: name, close: closestNames(to: name, among: known))
    return id
  }

  /// Once for each type.
  func log(_ unknown: UnknownType) {
    logger.warning(
      "jobs of an unknown type wait for it to be registered",
      metadata: ["tailrace-job-type": "\(unknown.name)", "close-to": "\(unknown.close.joined(separator: ", "))"])
  }
}
