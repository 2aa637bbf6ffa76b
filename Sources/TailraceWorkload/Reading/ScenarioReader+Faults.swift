import TailraceCore
import TailraceSpelling

extension ScenarioReader {
  /// The kinds of faults; each fault has exactly one.
  static let faultKinds = ["fail", "hang", "lose", "double", "crash", "stall", "step_clock"]
  private static let sharedKinds: Set = ["fail", "hang", "lose", "double"]

  /// Parses `faults:`, a list.
  mutating func readFaults(_ node: YAMLNode) -> [Fault] {
    (items(node, "faults") ?? []).enumerated().compactMap { number, item in readFault(item, "faults.\(number)") }
  }

  private mutating func readFault(_ node: YAMLNode, _ what: String) -> Fault? {
    let keys = Self.faultKinds + ["of", "pool", "restart", "at", "every", "from", "until"]
    guard let fields = fields(node, what, keys: keys) else { return nil }
    let kinds = Self.faultKinds.filter { fields[$0] != nil }
    guard kinds.count == 1, let kind = kinds.first, let value = fields[kind] else {
      let found = kinds.isEmpty ? "has no kind" : "has the kinds \(kinds.joined(separator: " and "))"
      report(node.place, "\(what) \(found); name exactly one of \(Self.faultKinds.joined(separator: ", "))")
      return nil
    }
    for (key, owner) in [("pool", "crash"), ("restart", "crash")] where fields[key] != nil && kind != owner {
      report(fields[key]!.place, "\(what).\(key) belongs to '\(owner)' only; remove it")
    }
    if let jobs = fields["of"], !Self.sharedKinds.contains(kind) {
      report(jobs.place, "\(what).of belongs to \(Self.sharedKinds.sorted().joined(separator: ", ")) only; remove it")
    }
    let jobs = fields["of"].map { node in
      (items(node, "\(what).of", orOne: true) ?? []).compactMap { jobType($0, "\(what).of") }
    }
    let timing = readTiming(fields, node, isShare: Self.sharedKinds.contains(kind), what)
    guard let read = readFaultKind(kind, value, fields, node, what), let timing else { return nil }
    return Fault(kind: read, timing: timing, jobs: jobs ?? [])
  }

  private mutating func readFaultKind(
    _ kind: String, _ value: YAMLNode, _ fields: [String: YAMLNode], _ node: YAMLNode, _ what: String
  ) -> Fault.Kind? {
    let name = "\(what).\(kind)"
    switch kind {
    case "fail": return share(value, name).map { .fail(share: $0) }
    case "hang": return share(value, name).map { .hang(share: $0) }
    case "lose": return share(value, name).map { .lose(share: $0) }
    case "double": return share(value, name).map { .double(share: $0) }
    case "stall": return serviceTime(value, name).map { .stall($0) }
    case "step_clock":
      return quantity(value, name) { text throws(QuantityProblem) in
        let isBack = text.hasPrefix("-")
        let step = try QuantityText.duration(isBack || text.hasPrefix("+") ? text.dropFirst() : Substring(text))
        guard step > .zero else {
          throw QuantityProblem("'\(text)' is zero", allowed: "write a step such as +5s or -5s")
        }
        return .stepClock(isBack ? .zero - step : step)
      }
    default:
      let pool = word(fields["pool"], "\(what).pool", PoolID.allCases.map { ($0.name, $0) })
      if fields["restart"] == nil {
        report(
          node.place, "\(what) has no restart; add restart: with the time until a worker is replaced, such as 500ms")
      }
      let restart = serviceTime(fields["restart"], "\(what).restart")
      guard let workers = count(value, name, in: 1...65_534), let restart else { return nil }
      return .crash(workers: workers, pool: pool, restart: restart)
    }
  }

  private mutating func readTiming(
    _ fields: [String: YAMLNode], _ node: YAMLNode, isShare: Bool, _ what: String
  ) -> Fault.Timing? {
    let from = duration(fields["from"], "\(what).from") ?? .zero
    let until = span(fields["until"], "\(what).until")
    if let until, until <= from, let node = fields["until"] {
      report(node.place, "\(what).until is not after from; write a later instant")
    }
    if isShare {
      for key in ["at", "every"] {
        guard let extra = fields[key] else { continue }
        report(extra.place, "\(what).\(key): faults with a share are continuous; limit them with from and until")
      }
      return .window(from: from, until: until)
    }
    switch (fields["at"], fields["every"]) {
    case (let at?, nil):
      for key in ["from", "until"] {
        guard let extra = fields[key] else { continue }
        report(extra.place, "\(what).\(key) goes with every, not with at; remove it")
      }
      let instants = (items(at, "\(what).at", orOne: true) ?? []).compactMap { duration($0, "\(what).at") }
      if case .sequence(let items) = at.content, items.isEmpty { report(at.place, "\(what).at is empty; write 2s") }
      return instants.isEmpty ? nil : .at(instants.sorted())
    case (nil, let every?):
      return span(every, "\(what).every").map { .every($0, from: from, until: until) }
    case (let at?, .some):
      report(at.place, "\(what) has at and every; write one of them")
      return nil
    case (nil, nil):
      report(node.place, "\(what) has no time; add at: with an instant such as 2s, or every: with a mean such as 10s")
      return nil
    }
  }
}
