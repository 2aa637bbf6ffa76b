import Synchronization
import TailraceCore

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A job that did not complete after its last attempt, or whose input was invalid, with all that is known of it.
///
/// Dead letters are remembered apart from other settled jobs: at most
/// ``/TailraceCore/SchedulerConfiguration/deadLetterCount`` of them, for
/// ``/TailraceCore/SchedulerConfiguration/deadLetterAge``.
public struct DeadLetter: Sendable {
  /// Where the job stands, as ``Scheduler/status(of:)`` says it.
  public var status: JobStatus
  /// Why it is here.
  public var cause: SettlementCause
  /// Its attempts, the latest ones, oldest first; empty unless the scheduler was made with `attemptsRemembered`.
  public var history: [JobAttempt]
  /// How many older attempts are not remembered.
  public var forgottenAttempts: Int
  /// When it settled.
  public var settled: Instant
  /// As submitted.
  public var payload: (any Sendable)?

  /// The job's identifier.
  public var id: JobID { status.id }
  /// The name of its type.
  public var type: String { status.type }
  /// Attempts started.
  public var attempts: Int { status.attempts }
  /// As submitted.
  public var tags: [String] { status.tags }
  /// What its last attempt threw, or what found its input invalid; nil after a time-out.
  public var failure: (any Error)? { status.failure }
  /// ``failure`` in words, made each time it is asked for.
  public var error: String? { status.error }
  /// Whether it is here since it crashed its worker until ``/TailraceCore/RetryPolicy/crashLimit`` or its last retry:
  /// look at it before it is replayed.
  public var isPoison: Bool { cause == .crashed }

  /// The payload as JSON, keys in order, where it is Encodable, as a ``Job``'s parameters are; else in Swift's words;
  /// nil: there is none. Made when it is asked for.
  public var payloadDescription: String? {
    guard let payload else { return nil }
    guard let encodable = payload as? any Encodable else { return "\(payload)" }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(encodable)).map { String(decoding: $0, as: UTF8.self) } ?? "\(payload)"
  }
}

/// What became of the dead letters of ``Scheduler/replayAll(where:)``.
public struct ReplayReport: Sendable {
  /// The new jobs.
  public var replayed: [JobID] = []
  /// Dead letters that stay where they are, and why.
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
    // However many there are, nobody else waits for more than some of them.
    var letters: [DeadLetter] = []
    letters.reserveCapacity(ids.count)
    for first in stride(from: 0, to: ids.count, by: 64) {
      let some = ids[first..<min(ids.count, first + 64)]
      letters += withState { state in some.compactMap { state.deadLetter($0) } }
    }
    return letters
  }

  /// Runs a dead letter again: a new job with its type, priority, pool, retries, memory, time-out, payload, tags and
  /// keys, without dependencies and in no batch. The dead letter is forgotten.
  ///
  /// It is admitted like any job, and may wait for room where the overflow policy is to block; this call does not wait.
  ///
  /// - Returns: the new job.
  /// - Throws: the dead letter then stays: ``SchedulerError/refused(_:)``; ``SchedulerError/invalidInput(_:)`` when its
  ///   input is still invalid; ``SchedulerError/unknownDeadLetter(_:)`` when it is none, or no longer.
  @discardableResult
  public func replay(_ id: JobID) throws -> JobID {
    if let error = try invalidity(ofDeadLetter: id) { throw SchedulerError.invalidInput(error) }
    return try report { state, now, outbox in
      let entry = state.entry(of: id)
      let number = state.nextNumber
      guard let type = state.core.description(of: id)?.type,
        let admission = state.core.deadLetterReplayed(
          id, tag: number, isFromHandler: state.core.asksForOrigin && handlerAround != nil, at: now, into: &outbox)
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
          admission, of: JobSubmission(type: type, tag: number, intended: now, submitted: now), at: now, in: outbox)
      }
      switch admission {
      case .accepted(let new), .waiting(let new): return new
      case .refused(let refusal): throw SchedulerError.refused(refusal)
      }
    }
  }

  /// Runs the dead letters again for which the condition holds, oldest first; see ``replay(_:)``.
  public func replayAll(where condition: (DeadLetter) -> Bool = { _ in true }) -> ReplayReport {
    var result = ReplayReport()
    for letter in deadLetters() where condition(letter) {
      do {
        result.replayed.append(try replay(letter.id))
      } catch SchedulerError.unknownDeadLetter {
        // Somebody else was faster.
      } catch let error as SchedulerError {
        result.refused.append((letter.id, error))
      } catch {
        invariantViolated("replay threw \(error)")
      }
    }
    return result
  }

  /// Forgets the dead letters that settled this long ago or longer; by default, and for an age below 0, all.
  ///
  /// - Returns: how many.
  @discardableResult
  public func purgeDeadLetters(olderThan age: Duration = .zero) -> Int {
    report { state, now, outbox in state.core.deadLettersPurged(olderThan: Nanoseconds(age), at: now, into: &outbox) }
  }

  /// Forgets one dead letter. Returns whether it was one.
  @discardableResult
  public func purgeDeadLetter(_ id: JobID) -> Bool {
    report { state, now, outbox in state.core.deadLetterPurged(id, at: now, into: &outbox) }
  }

  /// What is still wrong with a dead letter's input; its validation runs outside the lock.
  private func invalidity(ofDeadLetter id: JobID) throws -> (any Error)? {
    guard validates.load(ordering: .acquiring) else { return nil }
    let (validate, payload) = try withState { state in
      guard let type = state.core.description(of: id)?.type else { throw SchedulerError.unknownDeadLetter(id) }
      let carried = state.entry(of: id).payload
      return (state.validators[state.typeNames[Int(type.rawValue)]], JobLuggage.payload(of: carried))
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
      payload: JobLuggage.payload(of: entry.payload))
  }
}

extension JobWatch {
  /// Of a job that is run again.
  convenience init(again other: JobWatch) {
    self.init()
    tags = other.tags
  }
}
