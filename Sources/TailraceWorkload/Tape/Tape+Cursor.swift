import TailraceCore

extension Tape {
  /// Reads the tape's open-loop jobs from the beginning. An interrupted tape ends within some thousand jobs.
  package func makeCursor() -> Cursor { Cursor(self) }

  /// A position on the tape. Returns jobs in order of intended arrival; jobs of the same instant in order of their
  /// streams.
  ///
  /// Jobs without dependencies are generated without allocations. Copies are independent.
  package struct Cursor: Sendable {
    private let tape: Tape
    private var streams: [Source]
    private var nextIndex: UInt64 = 0
    /// Whether the jobs of ``graph`` are partly returned.
    private var inGraph = false
    private var graph: (nodes: [GraphNode], next: Int, base: UInt64, instant: Int64, batch: UInt32?) =
      ([], 0, 0, 0, nil)

    /// An open stream with its next arrival.
    private struct Source: Sendable {
      var process: ArrivalProcess
      var pending: (instant: Int64, number: UInt64)?
      let choice: Choice
      let batch: UInt32?
      let random: KeyedRandom
    }

    /// How a job's type is chosen. The candidates are stored separately, so that switching on the kind copies nothing.
    private struct Choice: Sendable {
      enum Kind: UInt8 { case only, sequence, weighted, graph, recorded }
      var kind: Kind
      /// The only type; types in order; types to draw from; or types by number.
      var types: ContiguousArray<UInt16> = []
      /// Cumulative shares of the types.
      var shares: ContiguousArray<Double> = []
      var nodes: [GraphNode] = []
      /// By number, if the trace has priorities.
      var priorities: ContiguousArray<Priority> = []
    }

    fileprivate init(_ tape: Tape) {
      self.tape = tape
      streams = []
      for (number, stream) in tape.scenario.streams.enumerated() {
        let recorded: Choice? =
          if case .trace(let trace) = stream.arrivals {
            Choice(kind: .recorded, types: tape.recordedTypes(trace), priorities: trace.priority)
          } else {
            nil
          }
        guard let choice = recorded ?? Self.choice(stream.mix) else { continue }
        let random = tape.streamRandom.key(UInt64(number))
        var total = stream.count
        var batch: UInt32?
        switch stream.arrivals {
        case .closed: continue
        case .batch:
          if choice.kind == .sequence { total = min(total ?? .max, choice.types.count) }
          total = total ?? 1
          batch = UInt32(number)
        case .constant, .poisson, .bursty, .stages, .trace, .recurring: break
        }
        var process = ArrivalProcess(
          stream, total: total, scenarioEnd: tape.scenario.duration, random: random,
          isInterrupted: tape.interruption)
        let first = process.next()
        streams.append(Source(process: process, pending: first, choice: choice, batch: batch, random: random))
      }
    }

    private static func choice(_ mix: Mix) -> Choice? {
      switch mix {
      case .sequence(let types):
        return types.isEmpty ? nil : Choice(kind: .sequence, types: ContiguousArray(types.map(UInt16.init)))
      case .graph(let graph): return graph.nodes.isEmpty ? nil : Choice(kind: .graph, nodes: graph.nodes)
      case .weighted(let weights):
        let kept = weights.filter { $0.weight > 0 }
        guard !kept.isEmpty else { return nil }
        return Choice(
          kind: kept.count == 1 ? .only : .weighted, types: ContiguousArray(kept.map { UInt16($0.type) }),
          shares: cumulated(kept))
      }
    }

    /// The next job; nil at the end of the tape.
    package mutating func next() -> TapeJob? {
      var job = TapeJob.blank
      return next(into: &job) ? job : nil
    }

    /// Writes the next job to `job`. Returns false at the end of the tape, and leaves `job` unchanged.
    package mutating func next(into job: inout TapeJob) -> Bool {
      if inGraph { return nextOfGraph(into: &job) }
      let chosen: Int
      if streams.count == 1 {
        chosen = 0
      } else {
        guard let earliest = earliestStream() else { return false }
        chosen = earliest
      }
      guard let (instant, number) = streams[chosen].pending else { return false }
      if number & 0x3ff == 0x3ff, tape.interruption?() == true { return false }
      streams[chosen].pending = streams[chosen].process.next()
      let batch = streams[chosen].batch
      let type: UInt16
      switch streams[chosen].choice.kind {
      case .only: type = streams[chosen].choice.types[0]
      case .sequence:
        type = streams[chosen].choice.types[Int(number % UInt64(streams[chosen].choice.types.count))]
      case .weighted:
        let draw = streams[chosen].random.key(.type).key(number).uniform
        type = streams[chosen].choice.types[pick(draw, streams[chosen].choice.shares)]
      case .recorded:
        type = streams[chosen].choice.types[Int(number)]
        tape.write(nextIndex, type: Int(type), at: instant, batch: nil, into: &job)
        if !streams[chosen].choice.priorities.isEmpty { job.priority = streams[chosen].choice.priorities[Int(number)] }
        nextIndex += 1
        return true
      case .graph:
        graph = (streams[chosen].choice.nodes, 0, nextIndex, instant, batch)
        inGraph = true
        return nextOfGraph(into: &job)
      }
      if !job.dependencies.isEmpty { job.dependencies = [] }
      tape.write(nextIndex, type: Int(type), at: instant, batch: batch, into: &job)
      nextIndex += 1
      return true
    }

    private func earliestStream() -> Int? {
      var earliest: Int?
      var instant = Int64.max
      for index in streams.indices {
        guard let pending = streams[index].pending else { continue }
        if earliest == nil || pending.instant < instant { (earliest, instant) = (index, pending.instant) }
      }
      return earliest
    }

    private mutating func nextOfGraph(into job: inout TapeJob) -> Bool {
      let node = graph.nodes[graph.next]
      job.dependencies = node.after.map { graph.base + UInt64($0) }
      tape.write(nextIndex, type: node.type, at: graph.instant, batch: graph.batch, into: &job)
      graph.next += 1
      if graph.next == graph.nodes.count { inGraph = false }
      nextIndex += 1
      return true
    }
  }

  /// Cumulative shares of weights that are not all zero.
  static func cumulated(_ weights: [WeightedType]) -> ContiguousArray<Double> {
    let total = weights.reduce(0) { $0 + $1.weight }
    var sum = 0.0
    return ContiguousArray(
      weights.map { weight in
        sum += weight.weight
        return sum / total
      })
  }
}

/// The index of the first cumulative share above a uniform number.
@inline(__always)
func pick(_ uniform: Double, _ shares: ContiguousArray<Double>) -> Int {
  for index in shares.indices where uniform < shares[index] { return index }
  return shares.count - 1
}
