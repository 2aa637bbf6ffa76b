import TailraceCore
import TailraceSpelling

extension ScenarioReader {
  static let arrivalKeys = ["constant", "poisson", "bursty", "stages", "batch", "closed", "trace", "interval", "cron"]
  static let streamKeys = arrivalKeys + ["of", "start", "duration", "count", "on_failure", "time_zone"] + traceKeys

  /// Parses `load:`: one stream, or a list of them.
  mutating func readLoad(_ node: YAMLNode, duration: Nanoseconds?, hasDuration: Bool) -> [LoadStream] {
    switch node.content {
    case .sequence(let items):
      if items.isEmpty { report(node.place, "load is empty; describe at least one stream of arrivals") }
      if items.count > 1, let place = items.lazy.compactMap(Self.tracePlace).first {
        report(place, "a trace is replayed alone; remove the other streams of load")
      }
      if items.count > 100 { report(node.place, "load has \(items.count) streams; at most 100 are allowed") }
      var streams: [LoadStream] = []
      for (index, item) in items.enumerated() {
        if let stream = readStream(item, "load.\(index)", hasDuration: hasDuration) { streams.append(stream) }
      }
      return streams
    case .mapping, .scalar:
      return readStream(node, "load", hasDuration: hasDuration).map { [$0] } ?? []
    }
  }

  /// The position of a stream's trace; nil: it has none.
  static func tracePlace(_ node: YAMLNode) -> Place? {
    guard case .mapping(let entries) = node.content else { return nil }
    return entries.first { $0.key == "trace" }?.keyPlace
  }

  private mutating func readStream(_ node: YAMLNode, _ what: String, hasDuration: Bool) -> LoadStream? {
    guard let fields = fields(node, what, keys: Self.streamKeys) else { return nil }
    let kinds = Self.arrivalKeys.filter { fields[$0] != nil }
    let allowed = "give one of \(Self.arrivalKeys.joined(separator: ", "))"
    guard kinds.count == 1, let kind = kinds.first, let value = fields[kind] else {
      let wrong = kinds.isEmpty ? "\(what) has no arrivals" : "\(what) has \(kinds.count) kinds of arrivals"
      report(node.place, "\(wrong); \(allowed)")
      return nil
    }
    if kind != "cron", let node = fields["time_zone"] {
      report(node.place, "\(what).time_zone is for cron only; remove it or use cron:")
    }
    if kind == "trace" { return readTraceStream(value, fields, what) }
    for key in Self.traceKeys {
      if let node = fields[key] { report(node.place, "\(what).\(key) is for traces only; remove it or use trace:") }
    }
    let start = duration(fields["start"], "\(what).start") ?? .zero
    let length = span(fields["duration"], "\(what).duration")
    let limit = count(fields["count"], "\(what).count", in: 1...1_000_000_000)
    var stream = LoadStream(
      arrivals: .batch(failFast: false), mix: .weighted([]), start: start, duration: length, count: limit)
    if kind == "batch" {
      readBatch(value, fields, "\(what).batch", &stream)
      return stream
    }
    stream.mix = fields["of"].map { readMix($0, "\(what).of") } ?? .weighted(evenly())
    if let failure = fields["on_failure"] {
      report(failure.place, "\(what).on_failure is for batches only; remove it or use batch:")
    }
    let isRecurring = ["interval", "cron"].contains(kind)
    let arrivals =
      isRecurring ? readRecurring(kind, value, fields["time_zone"], what) : readArrivals(kind, value, "\(what).\(kind)")
    guard let arrivals else { return nil }
    stream.arrivals = arrivals
    if case .closed = arrivals, case .graph = stream.mix {
      report(
        fields["of"]?.place ?? value.place, "\(what).of: closed clients submit single jobs; name jobs, not a graph")
    }
    if case .stages = arrivals { return stream }
    let isBounded = hasDuration || fields["duration"] != nil || fields["count"] != nil
    if !isBounded { report(node.place, "\(what) never ends; give duration: (here or for the scenario) or count:") }
    return stream
  }

  private mutating func readTraceStream(
    _ value: YAMLNode, _ fields: [String: YAMLNode], _ what: String
  ) -> LoadStream? {
    for key in ["of", "duration", "count", "on_failure", "start"] {
      if let node = fields[key] {
        report(node.place, "\(what).\(key) is not allowed with trace:, which sets it itself; remove it")
      }
    }
    guard let trace = readTrace(value, fields, what) else { return nil }
    return LoadStream(arrivals: .trace(trace), mix: .weighted([]), start: .zero, duration: nil, count: trace.count)
  }

  private mutating func readArrivals(_ kind: String, _ value: YAMLNode, _ what: String) -> Arrivals? {
    switch kind {
    case "constant": return rate(value, what).map { .constant($0) }
    case "poisson": return rate(value, what).map { .poisson($0) }
    case "bursty":
      guard let fields = required(value, what, ["rate", "on", "off"]) else { return nil }
      guard let rate = rate(fields["rate"], "\(what).rate"), let on = span(fields["on"], "\(what).on"),
        let off = span(fields["off"], "\(what).off")
      else { return nil }
      if min(on, off) < .milliseconds(1) {
        report(value.place, "\(what): on or off is below 1ms; write mean lengths of at least 1ms")
      }
      return .bursty(rate: rate, on: on, off: off)
    case "stages": return readStages(value, what)
    default:
      guard let fields = fields(value, what, keys: ["clients", "think"]) else { return nil }
      if fields["clients"] == nil { report(value.place, "\(what) has no clients; add clients: with their number") }
      let think = serviceTime(fields["think"], "\(what).think") ?? .constant(.zero)
      return count(fields["clients"], "\(what).clients", in: 1...10_000).map { .closed(clients: $0, think: think) }
    }
  }

  /// The fields of a mapping in which all keys are required.
  private mutating func required(_ node: YAMLNode, _ what: String, _ keys: [String]) -> [String: YAMLNode]? {
    guard let fields = fields(node, what, keys: keys) else { return nil }
    for key in keys where fields[key] == nil {
      report(node.place, "\(what) has no '\(key)'; it needs \(keys.joined(separator: ", "))")
    }
    return fields
  }

  private mutating func readStages(_ node: YAMLNode, _ what: String) -> Arrivals? {
    guard let items = items(node, what) else { return nil }
    if items.isEmpty { report(node.place, "\(what) is empty; write stages such as [{to: 50/s, for: 10s}]") }
    var stages: [Stage] = []
    for (index, item) in items.enumerated() {
      guard let fields = required(item, "\(what).\(index)", ["to", "for"]) else { continue }
      let target = quantity(fields["to"], "\(what).\(index).to") { text throws(QuantityProblem) in
        // Unlike other rates, a stage may ramp down to zero.
        if text.hasPrefix("0/") || text == "0" { return Rate(perSecond: 0) }
        return try QuantityText.rate(text)
      }
      // A stage of zero length is a jump.
      let length = duration(fields["for"], "\(what).\(index).for")
      if let target, let length { stages.append(Stage(rate: target, duration: length)) }
    }
    guard stages.count == items.count, !stages.isEmpty else { return .stages(stages) }
    if stages.allSatisfy({ $0.rate.perSecond == 0 }) {
      report(node.place, "\(what) never rises above 0/s; give at least one stage a rate above zero")
    } else if stages.allSatisfy({ $0.duration == .zero }) {
      report(node.place, "\(what): no stage has a length, so no job arrives; give at least one a duration with for:")
    }
    return .stages(stages)
  }

  // MARK: What arrives

  private func evenly() -> [WeightedType] { jobNames.indices.map { WeightedType(type: $0, weight: 1) } }

  /// Parses `of:`: a job, a graph, a list of jobs, or jobs with weights.
  private mutating func readMix(_ node: YAMLNode, _ what: String) -> Mix {
    switch node.content {
    case .scalar(let name):
      if let graph = graphs.first(where: { $0.name == name }) { return .graph(graph) }
      guard let name = text(node, what, allowed: "write the name of a job or a graph") else { return .weighted([]) }
      if let type = jobNames.firstIndex(of: name) { return .weighted([WeightedType(type: type, weight: 1)]) }
      let known = jobNames + graphs.map(\.name)
      let hint = suggestion(name, among: known, kind: "declared jobs and graphs")
      report(node.place, "\(what): unknown '\(name)'; \(hint)")
      return .weighted([])
    case .sequence(let items):
      if items.isEmpty { report(node.place, "\(what) is empty; name at least one job") }
      return .weighted(items.compactMap { jobType($0, what) }.map { WeightedType(type: $0, weight: 1) })
    case .mapping:
      var weights: [WeightedType] = []
      for entry in entries(node, what, allowed: "write jobs with their weights") ?? [] {
        let weight = quantity(entry.value, "\(what).\(entry.key)") { text throws(QuantityProblem) in
          try QuantityText.number(text.hasSuffix("%") ? String(text.dropLast()) : text, in: 0...1e9)
        }
        if let type = jobType(named: entry.key, entry.keyPlace, what), let weight {
          weights.append(WeightedType(type: type, weight: weight))
        }
      }
      guard case .mapping(let all) = node.content else { return .weighted([]) }
      if weights.count == all.count, weights.allSatisfy({ $0.weight == 0 }) {
        report(node.place, "\(what) gives no job a weight above zero; raise at least one")
      }
      return .weighted(weights)
    }
  }

  private mutating func readBatch(
    _ node: YAMLNode, _ fields: [String: YAMLNode], _ what: String, _ stream: inout LoadStream
  ) {
    let words = [("collect", false), ("fail-fast", true)]
    stream.arrivals = .batch(failFast: word(fields["on_failure"], "\(what).on_failure", words) ?? false)
    if case .scalar = node.content {
      // A bare number: this many of the jobs in `of`.
      stream.mix = fields["of"].map { readMix($0, "\(what).of") } ?? .weighted(evenly())
      if let limit = fields["count"] {
        report(limit.place, "\(what) already sets the number; remove count:")
      }
      stream.count = count(node, what, in: 1...100_000_000)
      return
    }
    if let mix = fields["of"] {
      report(mix.place, "\(what) already names its jobs; remove of:, or write batch: with a number")
    }
    if case .sequence(let items) = node.content {
      if items.isEmpty { report(node.place, "\(what) is empty; name at least one job") }
      stream.mix = .sequence(items.compactMap { jobType($0, what) })
      return
    }
    var counts: [(type: Int, count: Int)] = []
    for entry in entries(node, what, allowed: "write jobs with their numbers") ?? [] {
      let number = count(entry.value, "\(what).\(entry.key)", in: 1...100_000_000)
      if let type = jobType(named: entry.key, entry.keyPlace, what), let number { counts.append((type, number)) }
    }
    if case .mapping(let all) = node.content, all.isEmpty {
      report(node.place, "\(what) is empty; name at least one job")
    }
    if counts.count == 1, fields["count"] == nil {
      stream.mix = .weighted([WeightedType(type: counts[0].type, weight: 1)])
      stream.count = counts[0].count
      return
    }
    let total = counts.reduce(0) { $0 + $1.count }
    if total > 100_000 {
      report(node.place, "\(what) lists \(total) jobs of several types; write one stream for each type")
      return
    }
    stream.mix = .sequence(counts.flatMap { Array(repeating: $0.type, count: $0.count) })
  }
}
