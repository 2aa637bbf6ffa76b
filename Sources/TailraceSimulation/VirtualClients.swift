import TailraceCore
import TailraceWorkload

/// The clients of a tape's closed streams in virtual time: each submits, awaits the job's end, thinks, and submits
/// again.
///
/// A turn takes exactly as long as its job and the thinking after it. Turns that take no time at all would keep the
/// clock from ever moving on: a client pauses for a microsecond where its job was refused at once, or where
/// ``emptyTurns`` turns in a row took no time.
struct VirtualClients {
  private static let pause = Nanoseconds.microseconds(1)
  /// Turns without any length that a client makes in one instant. Draws that are rounded to 0 do not come so often in a
  /// row, so that a service time of a few nanoseconds keeps its mean.
  private static let emptyTurns: UInt8 = 64

  private let tape: Tape
  private let clients: [ClosedClient]
  /// The next job of each client, from 0.
  private var sequences: [Int]
  /// How long each client thinks once its job is over.
  private var thoughts: [Nanoseconds]
  private var submitted: [Instant]
  /// How many turns of each client have taken no time, up to the last.
  private var empty: [UInt8]
  /// The job whose end each client awaits; 0: none.
  private var awaited: [UInt64]
  /// The clients that are ready, in order of readiness, then client.
  private var turns = DueQueue<Int>()
  /// Clients that await a job.
  private var waiting = 0

  init(_ tape: Tape) {
    self.tape = tape
    clients = tape.clients
    sequences = Array(repeating: 0, count: clients.count)
    thoughts = Array(repeating: .zero, count: clients.count)
    submitted = Array(repeating: .zero, count: clients.count)
    empty = Array(repeating: 0, count: clients.count)
    awaited = Array(repeating: 0, count: clients.count)
    for client in clients { plan(client.id, at: Instant.zero + client.start) }
  }

  /// Whether the tape has no closed streams.
  var isEmpty: Bool { clients.isEmpty }
  /// Whether no client will ever submit again.
  var isOver: Bool { turns.isEmpty && waiting == 0 }
  /// When the next client is ready; `distantFuture`: none is, for now.
  var next: Instant { turns.next ?? .distantFuture }

  /// The job of the client that is ready first; nil: none is by then.
  mutating func takeReady(by instant: Instant) -> TapeJob? {
    guard let (at, client) = turns.take(by: instant) else { return nil }
    var (job, think) = tape.closedJob(client: clients[client], sequence: sequences[client])
    sequences[client] += 1
    thoughts[client] = think
    submitted[client] = at
    awaited[client] = job.number
    job.intended = at
    waiting += 1
    return job
  }

  /// A job is settled; if it is a client's, the client goes on.
  ///
  /// - Parameter wasRefused: whether it never got into the scheduler.
  mutating func jobSettled(_ job: UInt64, at instant: Instant, wasRefused: Bool) {
    guard job >= Tape.firstClosedNumber else { return }
    let client = Int((job ^ Tape.firstClosedNumber) >> 32)
    // A job that was doubled settles twice; its client has gone on.
    guard job == awaited[client] else { return }
    awaited[client] = 0
    waiting -= 1
    let next = instant + thoughts[client]
    guard next <= submitted[client] else {
      empty[client] = 0
      return plan(client, at: next)
    }
    empty[client] += 1
    guard wasRefused || empty[client] >= Self.emptyTurns else { return plan(client, at: next) }
    empty[client] = 0
    plan(client, at: next + Self.pause)
  }

  private mutating func plan(_ client: Int, at instant: Instant) {
    let description = clients[client]
    if let limit = description.limit, sequences[client] >= limit { return }
    if let end = description.end, instant >= Instant.zero + end { return }
    turns.add(client, at: instant, order: UInt64(client))
  }
}
