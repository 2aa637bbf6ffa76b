import TailraceSpelling

extension ScenarioReader {
  /// Changes the tree for one `--set KEY=VALUE`. Problems of the new value are attributed to it.
  ///
  /// Missing keys of the format are added, at any depth. Named or numbered elements, such as jobs and streams, must
  /// exist: an override changes a scenario and does not add elements. In `load`, the name of an arrival process
  /// replaces the existing one.
  mutating func apply(key: String, value: String, to root: inout YAMLNode) {
    let origin = Place.override("\(key)=\(value)")
    let jobs = Self.jobNames(of: root)
    let path = Self.split(key, jobs: jobs).enumerated().reduce(into: [String]()) { path, part in
      // Names of elements stand where no key does.
      let isName = part.offset == 0 || ["jobs", "graphs", "named", "published"].contains(path[part.offset - 1])
      guard !isName, let name = Self.formerKeys[part.element] else { return path.append(part.element) }
      noteFormerName(origin, part.element, now: name)
      path.append(name)
    }
    guard !path.isEmpty, path.allSatisfy({ !$0.isEmpty }) else {
      report(origin, "'\(key)' is not a path; write keys joined by dots, such as scheduler.workers")
      return
    }
    guard ScenarioParser.keys.contains(path[0]) else {
      let known = ScenarioParser.keys
      // The given path may be the end of another path: `queue.capacity`.
      let whole = Self.paths(jobs: jobs).filter { path.count > 1 && $0.hasSuffix(".\(key)") }
      let hint =
        whole.first.map { "did you mean '\($0)'? known keys: \(known.joined(separator: ", "))" }
        ?? suggestion(path[0], among: known, elsewhere: Self.paths(jobs: jobs), kind: "known keys")
      report(origin, "unknown key '\(path[0])'; \(hint)")
      return
    }
    if let missing = Self.missingName(path, in: root, hasTrace: Self.hasTrace(root)) {
      report(origin, missing)
      return
    }
    guard !value.allSatisfy(\.isWhitespace) else {
      report(origin, "the value is empty; write a value")
      return
    }
    switch YAMLTree.read(value) {
    case .failure(let problems):
      for problem in problems.problems { report(origin, Message(problem.message)) }
    case .success(var node):
      Self.relocate(&node, to: origin)
      if case .scalar("") = node.content {
        report(origin, "the value is empty; write a value")
      } else if let problem = Self.set(path[...], to: node, in: &root, origin: origin) {
        report(origin, problem)
      }
    }
  }

  /// Splits a path at its dots; the name of a job may itself contain dots.
  private static func split(_ key: String, jobs: [String]) -> [String] {
    for job in jobs where job.contains(".") && (key.hasPrefix("jobs.\(job).") || key == "jobs.\(job)") {
      let rest = key.dropFirst("jobs.\(job).".count)
      return ["jobs", job]
        + (rest.isEmpty ? [] : rest.split(separator: ".", omittingEmptySubsequences: false).map(String.init))
    }
    // A metric contains dots.
    if key.hasPrefix("published.") { return ["published", String(key.dropFirst("published.".count))] }
    return key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  }

  /// A message if a path leads to a named element that the scenario does not have; nil: none. Job types that only occur
  /// in a trace are checked after it is read.
  private static func missingName(_ path: [String], in root: YAMLNode, hasTrace: Bool) -> Message? {
    func missing(_ kind: String, _ name: String, _ known: [String]) -> Message? {
      if known.contains(name) { return nil }
      guard !known.isEmpty else { return "there is no \(kind) '\(name)'; the scenario has none" }
      let list = known.prefix(20).joined(separator: ", ") + (known.count > 20 ? ", …" : "")
      return "there is no \(kind) '\(name)'; \(didYouMean(name, among: known))the scenario has \(list)"
    }
    switch path[0] {
    case "jobs" where path.count > 1 && !hasTrace: return missing("job", path[1], names(at: ["jobs"], in: root))
    case "graphs" where path.count > 1:
      if let wrong = missing("graph", path[1], names(at: ["graphs"], in: root)) { return wrong }
      guard path.count > 2, path[2] != "phases" else { return nil }
      return missing("node of \(path[1])", path[2], names(at: ["graphs", path[1]], in: root))
    case "published" where path.count > 1:
      return missing("published figure", path[1], names(at: ["published"], in: root))
    default: return nil
    }
  }

  /// The keys of a mapping below the root; empty: there is none.
  private static func names(at path: [String], in root: YAMLNode) -> [String] {
    var node = root
    for key in path {
      guard case .mapping(let entries) = node.content, let next = entries.first(where: { $0.key == key }) else {
        return []
      }
      node = next.value
    }
    guard case .mapping(let entries) = node.content else { return [] }
    return entries.map(\.key)
  }

  static func jobNames(of root: YAMLNode) -> [String] { names(at: ["jobs"], in: root) }

  private static func hasTrace(_ root: YAMLNode) -> Bool {
    guard case .mapping(let top) = root.content, let load = top.first(where: { $0.key == "load" }) else { return false }
    return namesTrace(load.value)
  }

  private static func relocate(_ node: inout YAMLNode, to place: Place) {
    node.place = place
    switch node.content {
    case .scalar: break
    case .sequence(var items):
      for index in items.indices { relocate(&items[index], to: place) }
      node.content = .sequence(items)
    case .mapping(var entries):
      for index in entries.indices {
        entries[index].keyPlace = place
        relocate(&entries[index].value, to: place)
      }
      node.content = .mapping(entries)
    }
  }

  /// Sets a value at a path; returns a message if the path is invalid.
  private static func set(
    _ path: ArraySlice<String>, to value: YAMLNode, in node: inout YAMLNode, origin: Place, isLoad: Bool = false
  ) -> Message? {
    guard let key = path.first else {
      node = value
      return nil
    }
    let rest = path.dropFirst()
    switch node.content {
    case .mapping(var entries):
      // A load of one stream can be addressed as a list.
      if isLoad, let number = Int(key) {
        guard number == 0 else {
          return
            "load has one stream, number 0, and no stream \(number); write \((["load"] + rest).joined(separator: "."))"
        }
        return set(rest, to: value, in: &node, origin: origin, isLoad: true)
      }
      if Int(key) != nil, entries.isEmpty {
        return "this is not a list, so it has no item \(key); write the whole list, such as '[…]'"
      }
      let isArrival = isLoad && ScenarioReader.arrivalKeys.contains(key)
      if isArrival { entries.removeAll { $0.key != key && ScenarioReader.arrivalKeys.contains($0.key) } }
      let index = entries.firstIndex { $0.key == key }
      var child = index.map { entries[$0].value } ?? YAMLNode(content: .mapping([]), place: origin)
      if let problem = set(rest, to: value, in: &child, origin: origin, isLoad: !isLoad && key == "load") {
        return problem
      }
      if let index {
        entries[index].value = child
      } else {
        entries.append(YAMLEntry(key: key, keyPlace: origin, value: child))
      }
      node.content = .mapping(entries)
      return nil
    case .sequence(var items):
      guard let index = Int(key), items.indices.contains(index) else {
        return items.isEmpty
          ? "'\(key)' is not an item of the list, which is empty"
          : "'\(key)' is not an item of the list; write a number from 0 to \(items.count - 1)"
      }
      if let problem = set(rest, to: value, in: &items[index], origin: origin, isLoad: isLoad) { return problem }
      node.content = .sequence(items)
      return nil
    case .scalar(let text):
      // `retries: 3` may become `retries: {limit: …}`; other mismatches are found when the tree is read.
      var fresh = YAMLNode(content: .mapping([]), place: origin)
      if let problem = set(path, to: value, in: &fresh, origin: origin) { return problem }
      if key == "burst" {
        let rate = YAMLNode(content: .scalar(text), place: node.place)
        if case .mapping(let entries) = fresh.content {
          fresh.content = .mapping([YAMLEntry(key: "rate", keyPlace: node.place, value: rate)] + entries)
        }
      }
      node = fresh
      return nil
    }
  }
}
