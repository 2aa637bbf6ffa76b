import Synchronization
import TailraceCore

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A job that failed permanently or had invalid input, with all data kept about it.
///
/// Dead letters are kept apart from other settled jobs: at most
/// ``/TailraceCore/SchedulerConfiguration/deadLetterCount``, for
/// ``/TailraceCore/SchedulerConfiguration/deadLetterAge``.
public struct DeadLetter: Sendable {
  /// The status of the job, as from ``Scheduler/status(of:)``.
  public var status: JobStatus
  /// Why the job was dead-lettered.
  public var cause: SettlementCause
  /// Its most recent attempts, oldest first; empty unless the scheduler was created with `attemptsRemembered`.
  public var history: [JobAttempt]
  /// The number of older attempts that were not kept.
  public var forgottenAttempts: Int
  /// When the job settled.
  public var settled: Instant
  /// The payload as submitted.
  public var payload: (any Sendable)?

  /// The job's identifier.
  public var id: JobID { status.id }
  /// The name of the job's type.
  public var type: String { status.type }
  /// The number of started attempts.
  public var attempts: Int { status.attempts }
  /// The labels as submitted.
  public var labels: [String] { status.labels }
  /// The error of the last attempt, or of the validation; nil after a timeout.
  public var failure: (any Error)? { status.failure }
  /// ``failure`` as text, computed on each access.
  public var error: String? { status.error }
  /// Whether the job was dead-lettered because it crashed its worker, up to ``/TailraceCore/RetryPolicy/crashLimit`` or
  /// its last retry. Investigate before replaying it.
  public var isPoison: Bool { cause == .crashed }

  /// The payload as JSON with sorted keys if it is Encodable, as the parameters of a ``Job`` are; otherwise its Swift
  /// description. nil: there is no payload. Computed on each access.
  public var payloadDescription: String? {
    guard let payload else { return nil }
    guard let encodable = payload as? any Encodable else { return "\(payload)" }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(encodable)).map { String(decoding: $0, as: UTF8.self) } ?? "\(payload)"
  }
}

/// The result of ``Scheduler/replayAll(where:)``.
public struct ReplayReport: Sendable {
  /// The new jobs.
  public var replayed: [JobID] = []
  /// Dead letters that could not be replayed, with the error.
  public var refused: [(id: JobID, error: SchedulerError)] = []
}

extension Scheduler {
  // MARK: - Dead letters

  /// The dead letters, oldest first.
  public func deadLetters() -> [DeadLetter] {
    let ids = report { state, now, outbox in
      state.core.deadLettersWanted(at: now, into: &outbox)
      return state.core.deadLetterIDs
    }
    // Copied in batches, so that no other caller waits long for the lock.
    var letters: [DeadLetter] = []
    letters.reserveCapacity(ids.count)
    for first in stride(from: 0, to: ids.count, by: 64) {
      let some = ids[first..<min(ids.count, first + 64)]
      letters += withState { state in some.compactMap { state.deadLetter($0) } }
    }
    return letters
  }

  /// Replays a dead letter as a new job with the same type, priority, pool, retries, memory, timeout, payload, labels
  /// and keys, without dependencies and outside any batch. The dead letter is then forgotten.
  ///
  /// The new job goes through admission. With the overflow policy `block` it may wait for room; this call does not
  /// wait.
  ///
  /// - Returns: the new job.
  /// - Throws: ``SchedulerError/refused(_:)``; ``SchedulerError/invalidInput(_:)`` if the input is still invalid;
  ///   ``SchedulerError/unknownDeadLetter(_:)`` if there is no such dead letter. After an error the dead letter is
  ///   kept.
  @discardableResult
  public func replay(_ id: JobID) throws -> JobID {
    if let error = try invalidity(ofDeadLetter: id) { throw SchedulerError.invalidInput(error) }
    return try report { state, now, outbox in
      let entry = state.entry(of: id)
      let number = state.nextNumber
      guard let type = state.core.description(of: id)?.type,
        let admission = state.core.deadLetterReplayed(
          id, number: number, isFromHandler: state.core.asksForOrigin && handlerAround != nil, at: now, into: &outbox)
      else { throw SchedulerError.unknownDeadLetter(id) }
      state.nextNumber += 1
      if case .accepted(let new) = admission {
        state.keep(entry.payload, entry.watch.map(JobWatch.init(again:)), for: new)
      }
      if case .waiting(let new) = admission {
        state.keep(entry.payload, entry.watch.map(JobWatch.init(again:)), for: new)
      }
      if state.observation.isActive {
        state.observe(
          admission, of: JobSubmission(type: type, number: number, intended: now, submitted: now), at: now, in: outbox)
      }
      switch admission {
      case .accepted(let new), .waiting(let new): return new
      case .refused(let refusal): throw SchedulerError.refused(refusal)
      }
    }
  }

  /// Replays all dead letters that match the condition, oldest first; see ``replay(_:)``.
  public func replayAll(where condition: (DeadLetter) -> Bool = { _ in true }) -> ReplayReport {
    var result = ReplayReport()
    for letter in deadLetters() where condition(letter) {
      do {
        result.replayed.append(try replay(letter.id))
      } catch SchedulerError.unknownDeadLetter {
        // Another caller has replayed or purged it meanwhile.
      } catch let error as SchedulerError {
        result.refused.append((letter.id, error))
      } catch {
        invariantViolated("replay threw \(error)")
      }
    }
    return result
  }

  /// Purges the dead letters that settled at least `age` ago; by default, or with a negative age, all of them.
  ///
  /// - Returns: how many were purged.
  @discardableResult
  public func purgeDeadLetters(olderThan age: Duration = .zero) -> Int {
    report { state, now, outbox in state.core.deadLettersPurged(olderThan: Nanoseconds(age), at: now, into: &outbox) }
  }

  /// Purges one dead letter. Returns whether there was one.
  @discardableResult
  public func purgeDeadLetter(_ id: JobID) -> Bool {
    report { state, now, outbox in state.core.deadLetterPurged(id, at: now, into: &outbox) }
  }

  /// The validation error of a dead letter's input, if any. The validation runs outside the lock.
  private func invalidity(ofDeadLetter id: JobID) throws -> (any Error)? {
    guard validates.load(ordering: .acquiring) else { return nil }
    let (validate, payload) = try withState { state in
      guard let type = state.core.description(of: id)?.type else { throw SchedulerError.unknownDeadLetter(id) }
      let carried = state.entry(of: id).payload
      return (state.types[type].validate, JobEnvelope.payload(of: carried))
    }
    do { try validate?(payload) } catch { return error }
    return nil
  }
}

extension DriverState {
  func entry(of id: JobID) -> JobEntry { id.slot < entries.count ? entries[id.slot] : JobEntry() }

  fileprivate mutating func deadLetter(_ id: JobID) -> DeadLetter? {
    // It may have been replayed or purged meanwhile.
    guard let status = status(of: id), status.state == .deadLettered, let cause = status.cause,
      let settled = core.settledInstant(of: id)
    else {
      return nil
    }
    let entry = entry(of: id)
    return DeadLetter(
      status: status, cause: cause, history: entry.watch?.attempts ?? [],
      forgottenAttempts: entry.watch?.forgottenAttempts ?? 0, settled: settled,
      payload: JobEnvelope.payload(of: entry.payload))
  }
}

extension JobWatch {
  /// The watch of a replayed job.
  convenience init(again other: JobWatch) {
    self.init()
    labels = other.labels
  }
}
