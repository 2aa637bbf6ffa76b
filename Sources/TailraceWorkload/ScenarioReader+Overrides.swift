extension ScenarioReader {
  /// Changes the tree as one `--set KEY=VALUE` asks, and blames it for what is wrong with the new value.
  ///
  /// A missing key is added, also several levels of them; a list's item must exist. In `load`, the name of an arrival
  /// process replaces whichever one was there.
  mutating func apply(key: String, value: String, to root: inout YAMLNode) {
    let origin = Place.override("\(key)=\(value)")
    let path = Self.split(key, jobs: Self.jobNames(of: root))
    guard !path.isEmpty, path.allSatisfy({ !$0.isEmpty }) else {
      report(origin, "'\(key)' is not a path; write keys joined by dots, such as scheduler.workers")
      return
    }
    guard ScenarioParser.keys.contains(path[0]) else {
      report(
        origin, "unknown key '\(path[0])'; \(suggestion(path[0], among: ScenarioParser.keys, kind: "known keys"))")
      return
    }
    guard !value.allSatisfy(\.isWhitespace) else {
      report(origin, "the value is empty; write a value")
      return
    }
    switch YAMLTree.read(value) {
    case .failure(let problems):
      for problem in problems.problems { report(origin, problem.message) }
    case .success(var node):
      Self.relocate(&node, to: origin)
      if case .scalar("") = node.content {
        report(origin, "the value is empty; write a value")
      } else if let problem = Self.set(path[...], to: node, in: &root, origin: origin) {
        report(origin, problem)
      }
    }
  }

  /// Splits a path at its dots; a job's name may itself hold some.
  private static func split(_ key: String, jobs: [String]) -> [String] {
    for job in jobs where job.contains(".") && key.hasPrefix("jobs.\(job).") {
      let rest = key.dropFirst("jobs.\(job).".count)
      return ["jobs", job] + rest.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }
    return key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  }

  private static func jobNames(of root: YAMLNode) -> [String] {
    guard case .mapping(let top) = root.content, let jobs = top.first(where: { $0.key == "jobs" }),
      case .mapping(let entries) = jobs.value.content
    else { return [] }
    return entries.map(\.key)
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

  /// Sets a value at a path; returns what is wrong with the path, if anything.
  private static func set(
    _ path: ArraySlice<String>, to value: YAMLNode, in node: inout YAMLNode, origin: Place, isLoad: Bool = false
  ) -> String? {
    guard let key = path.first else {
      node = value
      return nil
    }
    let rest = path.dropFirst()
    switch node.content {
    case .mapping(var entries):
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
        return "'\(key)' is not an item of the list; write a number from 0 to \(items.count - 1)"
      }
      if let problem = set(rest, to: value, in: &items[index], origin: origin, isLoad: isLoad) { return problem }
      node.content = .sequence(items)
      return nil
    case .scalar(let text):
      // `retries: 3` may become `retries: {limit: …}`; what does not fit is found when the tree is read.
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
