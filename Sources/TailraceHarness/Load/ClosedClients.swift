import TailraceCore
import TailracePlatform
import TailraceWorkload

/// The clients of a tape's closed streams. Each submits a job, awaits its end, thinks, and submits again.
///
/// The generator's thread asks which clients are ready; settled jobs report from any thread.
final class ClosedClients: @unchecked Sendable {
  /// A client's next job.
  struct Ready {
    var at: Instant
    var job: TapeJob
    var onSettled: @Sendable () -> Void
  }

  private let tape: Tape
  private let origin: Instant
  private let clients: [ClosedClient]
  private let parker = Parker()
  private let lock = Lock()
  /// Sorted by readiness, then client.
  private var turns = DueQueue<(client: Int, sequence: Int)>()
  /// Clients that await a job's end or are ready.
  private var active: Int

  init(_ tape: Tape, origin: Instant) {
    self.tape = tape
    self.origin = origin
    clients = tape.clients
    active = 0
    for client in clients { plan(client: client.id, sequence: 0, at: origin + client.start) }
  }

  /// Whether the tape has no closed streams.
  var isEmpty: Bool { clients.isEmpty }

  /// When the next client is ready; nil: none is at present.
  var nextReady: Instant? { lock.withLock { turns.next } }

  /// Sleeps until an instant, or until a client becomes ready earlier.
  func wait(until instant: Instant) { parker.park(untilNanoseconds: instant.nanoseconds) }

  /// Sleeps until a client is ready. Returns false when none ever will be.
  func waitForClient(interruption: StopFlag) -> Bool {
    while !interruption.isSet {
      let (isReady, isOver) = lock.withLock { (!turns.isEmpty, active == 0) }
      if isReady { return true }
      if isOver { return false }
      parker.park(untilNanoseconds: (MonotonicClock.now() + .milliseconds(50)).nanoseconds)
    }
    return false
  }

  /// The job of a client that is ready, if any.
  func takeReady(at now: Instant) -> Ready? {
    guard let (at, turn) = lock.withLock({ turns.take(by: now) }) else { return nil }
    let (job, think) = tape.closedJob(client: clients[turn.client], sequence: turn.sequence)
    return Ready(at: at, job: job) { [self] in
      finish(client: turn.client, sequence: turn.sequence, think: think)
    }
  }

  private func finish(client: Int, sequence: Int, think: Nanoseconds) {
    lock.withLock { active -= 1 }
    plan(client: client, sequence: sequence + 1, at: MonotonicClock.now() + think)
    parker.unpark()
  }

  private func plan(client: Int, sequence: Int, at: Instant) {
    let description = clients[client]
    if let limit = description.limit, sequence >= limit { return }
    if let end = description.end, at >= origin + end { return }
    lock.withLock {
      active += 1
      turns.add((client, sequence), at: at, order: UInt64(client))
    }
  }
}
