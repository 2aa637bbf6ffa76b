import TailraceCore

extension Tape {
  /// Reads the tape's open-loop jobs from the beginning.
  package func makeCursor() -> Cursor { Cursor(self) }

  /// A place on the tape: hands out jobs in order of intended arrival, those of one instant in order of their streams.
  ///
  /// Drawing a job without dependencies allocates nothing. Copies go on independently.
  package struct Cursor: Sendable {
    private let tape: Tape
    private var streams: [Source]
    private var nextIndex: UInt64 = 0
    /// Whether some jobs of ``graph`` have been handed out and some not.
    private var inGraph = false
    private var graph: (nodes: [GraphNode], next: Int, base: UInt64, instant: Int64, batch: UInt32?) =
      ([], 0, 0, 0, nil)

    /// An open stream, its next arrival drawn ahead.
    private struct Source: Sendable {
      var process: ArrivalProcess
      var pending: (instant: Int64, number: UInt64)?
      let choice: Choice
      let batch: UInt32?
      let random: KeyedRandom
    }

    private enum Choice: Sendable {
      case only(Int)
      case sequence([Int])
      /// Types, and for each the share of draws at or below it.
      case weighted([Int], [Double])
      case graph([GraphNode])
      /// Types by number, and priorities where the trace has some.
      case recorded(ContiguousArray<UInt16>, ContiguousArray<Priority>)
    }

    fileprivate init(_ tape: Tape) {
      self.tape = tape
      streams = []
      for (number, stream) in tape.scenario.streams.enumerated() {
        let recorded: Choice? =
          if case .trace(let trace) = stream.arrivals { .recorded(tape.recordedTypes(trace), trace.priority) } else {
            nil
          }
        guard let choice = recorded ?? Self.choice(stream.mix) else { continue }
        let random = tape.streamRandom.key(UInt64(number))
        var total = stream.count
        var batch: UInt32?
        switch stream.arrivals {
        case .closed: continue
        case .batch:
          if case .sequence(let types) = choice { total = min(total ?? .max, types.count) }
          total = total ?? 1
          batch = UInt32(number)
        case .constant, .poisson, .bursty, .stages, .trace: break
        }
        var process = ArrivalProcess(stream, total: total, scenarioEnd: tape.scenario.duration, random: random)
        let first = process.next()
        streams.append(Source(process: process, pending: first, choice: choice, batch: batch, random: random))
      }
    }

    private static func choice(_ mix: Mix) -> Choice? {
      switch mix {
      case .sequence(let types): return types.isEmpty ? nil : .sequence(types)
      case .graph(let graph): return graph.nodes.isEmpty ? nil : .graph(graph.nodes)
      case .weighted(let weights):
        let kept = weights.filter { $0.weight > 0 }
        guard let first = kept.first else { return nil }
        if kept.count == 1 { return .only(first.type) }
        return .weighted(kept.map(\.type), cumulated(kept))
      }
    }

    /// The next job; nil: the tape has ended.
    package mutating func next() -> TapeJob? {
      var job = TapeJob.blank
      return next(into: &job) ? job : nil
    }

    /// Writes the next job in place. Returns whether there was one; at the tape's end `job` is left as it is.
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
      streams[chosen].pending = streams[chosen].process.next()
      let batch = streams[chosen].batch
      let type: Int
      switch streams[chosen].choice {
      case .only(let only): type = only
      case .sequence(let types): type = types[Int(number % UInt64(types.count))]
      case .weighted(let types, let shares):
        type = types[pick(streams[chosen].random.key(.type).key(number).uniform, shares)]
      case .recorded(let types, let priorities):
        tape.write(nextIndex, type: Int(types[Int(number)]), at: instant, batch: nil, into: &job)
        if !priorities.isEmpty { job.priority = priorities[Int(number)] }
        nextIndex += 1
        return true
      case .graph(let nodes):
        graph = (nodes, 0, nextIndex, instant, batch)
        inGraph = true
        return nextOfGraph(into: &job)
      }
      if !job.dependencies.isEmpty { job.dependencies = [] }
      tape.write(nextIndex, type: type, at: instant, batch: batch, into: &job)
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

  /// Cumulated shares of weights that are not all zero.
  static func cumulated(_ weights: [WeightedType]) -> [Double] {
    let total = weights.reduce(0) { $0 + $1.weight }
    var sum = 0.0
    return weights.map { weight in
      sum += weight.weight
      return sum / total
    }
  }
}

/// The index of the first cumulated share above a uniform.
func pick(_ uniform: Double, _ shares: [Double]) -> Int {
  for index in shares.indices where uniform < shares[index] { return index }
  return shares.count - 1
}
