import TailraceCore
import TailraceWorkload

/// The clients of a tape's closed streams in virtual time: each submits, awaits the job's end, thinks, and submits
/// again.
///
/// A client's turn takes a microsecond at least: one whose jobs and thoughts take no time would keep the clock from
/// ever moving on.
struct VirtualClients {
  private static let shortestTurn = Nanoseconds.microseconds(1)

  private struct Turn {
    var at: Instant
    var client: Int
  }

  private let tape: Tape
  private let clients: [ClosedClient]
  /// The next job of each client, from 0.
  private var sequences: [Int]
  /// How long each client thinks once its job is over.
  private var thoughts: [Nanoseconds]
  private var submitted: [Instant]
  /// The job whose end each client awaits; 0: none.
  private var awaited: [UInt64]
  /// A binary heap by instant, then client.
  private var turns: [Turn] = []
  /// Clients that await a job.
  private var waiting = 0

  init(_ tape: Tape) {
    self.tape = tape
    clients = tape.clients
    sequences = Array(repeating: 0, count: clients.count)
    thoughts = Array(repeating: .zero, count: clients.count)
    submitted = Array(repeating: .zero, count: clients.count)
    awaited = Array(repeating: 0, count: clients.count)
    for client in clients { plan(client.id, at: Instant.zero + client.start) }
  }

  /// Whether the tape has no closed streams.
  var isEmpty: Bool { clients.isEmpty }
  /// Whether no client will ever submit again.
  var isOver: Bool { turns.isEmpty && waiting == 0 }
  /// When the next client is ready; `distantFuture`: none is, for now.
  var next: Instant { turns.first?.at ?? .distantFuture }

  /// The job of the client that is ready first.
  mutating func takeReady() -> TapeJob {
    let turn = removeFirst()
    var (job, think) = tape.closedJob(client: clients[turn.client], sequence: sequences[turn.client])
    sequences[turn.client] += 1
    thoughts[turn.client] = think
    submitted[turn.client] = turn.at
    awaited[turn.client] = job.index
    job.intended = turn.at
    waiting += 1
    return job
  }

  /// A job is settled; if it is a client's, the client goes on.
  mutating func jobSettled(_ job: UInt64, at instant: Instant) {
    guard job >= Tape.firstClosedNumber else { return }
    let client = Int((job ^ Tape.firstClosedNumber) >> 32)
    // A job that was doubled settles twice; its client has gone on.
    guard job == awaited[client] else { return }
    awaited[client] = 0
    waiting -= 1
    plan(client, at: max(instant + thoughts[client], submitted[client] + Self.shortestTurn))
  }

  private mutating func plan(_ client: Int, at instant: Instant) {
    let description = clients[client]
    if let limit = description.limit, sequences[client] >= limit { return }
    if let end = description.end, instant >= Instant.zero + end { return }
    insert(Turn(at: instant, client: client))
  }

  private static func precedes(_ a: Turn, _ b: Turn) -> Bool { a.at != b.at ? a.at < b.at : a.client < b.client }

  private mutating func insert(_ turn: Turn) {
    turns.append(turn)
    var position = turns.count - 1
    while position > 0, Self.precedes(turn, turns[(position - 1) / 2]) {
      turns[position] = turns[(position - 1) / 2]
      position = (position - 1) / 2
    }
    turns[position] = turn
  }

  private mutating func removeFirst() -> Turn {
    let first = turns[0]
    let last = turns.removeLast()
    guard !turns.isEmpty else { return first }
    var position = 0
    while true {
      var child = position * 2 + 1
      guard child < turns.count else { break }
      if child + 1 < turns.count, Self.precedes(turns[child + 1], turns[child]) { child += 1 }
      guard Self.precedes(turns[child], last) else { break }
      turns[position] = turns[child]
      position = child
    }
    turns[position] = last
    return first
  }
}
