import TailraceCore
import TailraceSpelling

extension ScenarioReader {
  /// A node as written, with the names of its dependencies.
  private struct NamedNode {
    var name: String
    var place: Place
    var type: Int?
    var after: [(name: String, place: Place)]
  }

  /// Parses `graphs:`.
  mutating func readGraphs(_ node: YAMLNode?) {
    guard let node else { return }
    let allowed = "write a mapping from graph names to their jobs"
    for entry in entries(node, "graphs", allowed: allowed) ?? [] {
      let what = "graphs.\(entry.key)"
      if jobNames.contains(entry.key) {
        report(entry.keyPlace, "\(what): a job has the same name; rename the graph")
      }
      if !Self.isIdentifier(entry.key) {
        report(
          entry.keyPlace,
          "the graph name '\(entry.key)' may contain only letters, digits, '_', '-' and '.'; rename it")
      }
      var graph = JobGraph(name: entry.key, nodes: [])
      let form = "write a mapping from jobs to {after: […]}, or phases: [[a, b], [c]]"
      if let nodes = entries(entry.value, what, allowed: form) {
        if nodes.isEmpty { report(entry.value.place, "\(what) is empty; name at least one job") }
        if nodes.count > 1_000 {
          report(entry.value.place, "\(what) has \(nodes.count) jobs; at most 1000 are allowed")
          continue
        }
        graph.nodes =
          nodes.count == 1 && nodes[0].key == "phases" && !jobNames.contains("phases")
          ? readPhases(nodes[0].value, "\(what).phases") : sort(nodes.map { readNode($0, what) }, what)
      }
      graphs.append(graph)
    }
  }

  private mutating func readPhases(_ node: YAMLNode, _ what: String) -> [GraphNode] {
    var nodes: [GraphNode] = []
    var previous: [Int] = []
    let phases = items(node, what) ?? []
    if case .sequence = node.content, phases.isEmpty { report(node.place, "\(what) is empty; write a list of phases") }
    for phase in phases {
      var current: [Int] = []
      let members = items(phase, what, orOne: true) ?? []
      if case .sequence = phase.content, members.isEmpty {
        report(phase.place, "\(what) has an empty phase; name at least one job in it")
      }
      for member in members {
        guard let type = jobType(member, what) else { continue }
        current.append(nodes.count)
        nodes.append(GraphNode(type: type, after: previous))
      }
      if !current.isEmpty { previous = current }
    }
    return nodes
  }

  private mutating func readNode(_ entry: YAMLEntry, _ graph: String) -> NamedNode {
    let what = "\(graph).\(entry.key)"
    var node = NamedNode(name: entry.key, place: entry.keyPlace, type: nil, after: [])
    if case .scalar("") = entry.value.content {
      node.type = jobType(named: entry.key, entry.keyPlace, what)
      return node
    }
    guard let fields = fields(entry.value, what, keys: ["job", "after"]) else { return node }
    if let job = fields["job"] {
      node.type = jobType(job, "\(what).job")
    } else {
      node.type = jobType(named: entry.key, entry.keyPlace, what)
    }
    for item in fields["after"].flatMap({ items($0, "\(what).after", orOne: true) }) ?? [] {
      if let name = text(item, "\(what).after", allowed: "write the name of a job of this graph") {
        node.after.append((name, item.place))
      }
    }
    return node
  }

  /// Sorts the nodes topologically, otherwise in order of declaration. Reports unknown names and cycles.
  private mutating func sort(_ named: [NamedNode], _ what: String) -> [GraphNode] {
    let names = named.map(\.name)
    var after: [[Int]] = []
    for node in named {
      var indices: [Int] = []
      for (name, place) in node.after {
        if let index = names.firstIndex(of: name) {
          if !indices.contains(index) { indices.append(index) }
        } else {
          let hint = suggestion(name, among: names, kind: "jobs of this graph")
          report(place, "\(what).\(node.name).after: '\(name)' is not in the graph; \(hint)")
        }
      }
      after.append(indices)
    }
    var position = [Int?](repeating: nil, count: named.count)
    var sorted: [GraphNode] = []
    while let next = named.indices.first(where: { index in
      position[index] == nil && after[index].allSatisfy { position[$0] != nil }
    }) {
      position[next] = sorted.count
      sorted.append(GraphNode(type: named[next].type ?? 0, after: after[next].compactMap { position[$0] }))
    }
    if sorted.count < named.count { reportCycle(named, after, position, what) }
    return sorted
  }

  /// Reports one cycle among the nodes that could not be sorted, at its first declared node.
  private mutating func reportCycle(_ named: [NamedNode], _ after: [[Int]], _ position: [Int?], _ what: String) {
    guard var current = position.firstIndex(where: { $0 == nil }) else { return }
    var path: [Int] = []
    while !path.contains(current) {
      path.append(current)
      // Each unsorted node depends on another unsorted one, so this walk ends in a cycle.
      guard let next = after[current].first(where: { position[$0] == nil }) else { return }
      current = next
    }
    let cycle = Array(path[(path.firstIndex(of: current) ?? 0)...])
    guard let first = cycle.min(), let start = cycle.firstIndex(of: first) else { return }
    let ordered = cycle[start...] + cycle[..<start] + [first]
    let names = ordered.map { named[$0].name }.joined(separator: " after ")
    report(named[first].place, "\(what) has a cycle: \(names); remove one of these dependencies")
  }
}
