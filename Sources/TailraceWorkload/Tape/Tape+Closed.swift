import TailraceCore

/// A client of a closed stream: it submits, awaits the job's end, thinks, and submits again.
package struct ClosedClient: Sendable, Hashable {
  /// Index into ``Scenario/streams``.
  package let stream: Int
  /// Its number within its stream, from 0.
  package let number: Int
  /// Its number over all streams, from 0.
  package let id: Int
  /// The earliest first submission, from the start of the run.
  package let start: Nanoseconds
  /// It submits nothing at or after this instant; nil: no limit.
  package let end: Nanoseconds?
  /// Maximum number of jobs; nil: no limit. A stream's `count` is divided evenly; the first clients take the remainder.
  package let limit: Int?
}

extension Tape {
  /// Above every number of an open-loop job, and below 2⁵³, so that readers of JSON with binary64 numbers represent it
  /// exactly.
  package static let firstClosedNumber: UInt64 = 1 << 52

  /// The clients of all closed streams.
  package var clients: [ClosedClient] {
    var clients: [ClosedClient] = []
    for (index, stream) in scenario.streams.enumerated() {
      guard case .closed(let count, _) = stream.arrivals, case .weighted = stream.mix else { continue }
      let end = [stream.duration.map { stream.start + $0 }, scenario.duration].compactMap { $0 }.min()
      for number in 0..<count {
        let limit = stream.count.map { $0 / count + (number < $0 % count ? 1 : 0) }
        clients.append(
          ClosedClient(
            stream: index, number: number, id: clients.count, start: stream.start, end: end, limit: limit))
      }
    }
    return clients
  }

  /// The next job of a client, and its think time after the job's end.
  ///
  /// The job's number is unique on the tape: 2⁵² + client · 2³² + sequence. Its `intended` is zero; the harness sets it
  /// to the instant at which the client was ready.
  ///
  /// - Parameter sequence: The index of the job among this client's, from 0.
  package func closedJob(client: ClosedClient, sequence: Int) -> (job: TapeJob, think: Nanoseconds) {
    let stream = scenario.streams[client.stream]
    guard case .closed(_, let think) = stream.arrivals, case .weighted(let weights) = stream.mix else {
      preconditionFailure("closedJob: stream \(client.stream) is not a closed stream of single jobs")
    }
    let random = clientRandom.key(UInt64(client.id)).key(UInt64(sequence))
    let index = Self.firstClosedNumber | UInt64(client.id) << 32 | UInt64(sequence) & 0xffff_ffff
    let type = weights[pick(random.key(.closedType).uniform, Self.cumulated(weights))].type
    let pause = think.quantile(random.key(.think).uniform)
    var job = TapeJob.blank
    write(index, type: type, at: 0, batch: nil, into: &job)
    return (job, pause)
  }
}
