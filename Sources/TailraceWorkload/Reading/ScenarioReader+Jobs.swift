import TailraceCore
import TailraceSpelling

extension ScenarioReader {
  static let jobKeys = [
    "priority", "service", "simulated_service", "work", "pool", "hints", "timeout", "retries", "concurrency", "rate",
    "memory", "deadline", "expected_service", "weight", "unique_keys", "tenants", "delay", "failures", "cancel",
    "stall",
  ]
  /// Keys that `none` resets to their default, after a merge key or for one run.
  private static let optionalJobKeys = [
    "concurrency", "rate", "memory", "deadline", "expected_service", "unique_keys", "tenants", "delay", "failures",
    "cancel",
    "stall", "simulated_service", "hints",
  ]
  static let priorities = Priority.allCases.map { ($0.name, $0) }
  static let workKinds = ["sleep", "spin", "memory", "sqlite", "subprocess", "events", "cycles"]

  /// Parses `jobs:`. Afterward every declared name is known, including those of jobs with problems.
  ///
  /// - Parameter timesFromTrace: whether service times may come from the trace.
  mutating func readJobs(_ node: YAMLNode, timesFromTrace: Bool) -> [JobSpec] {
    let allowed = "write a mapping from job names to their settings"
    guard let entries = entries(node, "jobs", allowed: allowed) else { return [] }
    jobNames = entries.map(\.key)
    if entries.isEmpty { report(node.place, "jobs is empty; declare at least one job") }
    if entries.count > 1_000 { report(node.place, "jobs has \(entries.count) entries; at most 1000 are allowed") }
    var jobs: [JobSpec] = []
    for entry in entries {
      if !Self.isIdentifier(entry.key) {
        report(
          entry.keyPlace,
          "the job name '\(entry.key)' may contain only letters, digits, '_', '-' and '.'; rename the job")
      }
      jobs.append(readJob(entry, timesFromTrace: timesFromTrace))
    }
    return jobs
  }

  /// Whether a name consists of at most 64 letters, digits, `_`, `-` and `.`.
  static func isIdentifier(_ name: String) -> Bool {
    !name.isEmpty && name.count <= 64
      && name.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  private mutating func readJob(_ entry: YAMLEntry, timesFromTrace: Bool) -> JobSpec {
    let what = "jobs.\(entry.key)"
    var fields = fields(entry.value, what, keys: Self.jobKeys) ?? [:]
    for key in Self.optionalJobKeys { fields[key] = unlessNone(fields[key]) }
    var job = JobSpec(
      name: entry.key, priority: .normal, service: nil, work: .sleep, pool: nil, timeout: nil, retry: nil,
      concurrency: nil, rate: nil, memory: 0, delay: nil, failures: .none, cancel: nil, stall: nil)
    job.priority = word(fields["priority"], "\(what).priority", Self.priorities) ?? .normal
    if let work = fields["work"] { job.work = readWork(work, "\(what).work") ?? .sleep }
    job.service = serviceTime(fields["service"], "\(what).service")
    job.simulatedService = serviceTime(fields["simulated_service"], "\(what).simulated_service")
    checkService(fields, job.work, what, entry, isOptional: timesFromTrace)
    job.pool = word(fields["pool"], "\(what).pool", PoolID.allCases.map { ($0.name, $0) })
    job.memory = bytes(fields["memory"], "\(what).memory") ?? 0
    job.deadline = span(fields["deadline"], "\(what).deadline")
    if case .scalar("exact")? = fields["expected_service"]?.content {
      job.expectedService = .exact
    } else if let time = duration(fields["expected_service"], "\(what).expected_service") {
      job.expectedService = .told(time)
    }
    job.uniqueKeys = count(fields["unique_keys"], "\(what).unique_keys", in: 1...1_000_000)
    if let tenants = fields["tenants"] { job.tenants = readTenantMix(tenants, "\(what).tenants") }
    job.weight =
      quantity(fields["weight"], "\(what).weight") { text throws(QuantityProblem) in
        try QuantityText.number(text, in: 0.001...1_000)
      } ?? 1
    if let hints = fields["hints"] { readHints(hints, fields, "\(what).hints", &job) }
    job.isUntimed = fields["timeout"] != nil && unlessNone(fields["timeout"]) == nil
    job.timeout = timeLimit(unlessNone(fields["timeout"]), "\(what).timeout")
    if let retries = fields["retries"] { job.retry = readRetries(retries, "\(what).retries") }
    job.concurrency = count(fields["concurrency"], "\(what).concurrency", in: 1...65_534)
    if let rate = fields["rate"] { job.rate = readRateLimit(rate, "\(what).rate") }
    job.delay = serviceTime(fields["delay"], "\(what).delay")
    if let failures = fields["failures"] { job.failures = readFailures(failures, "\(what).failures") }
    if let cancel = fields["cancel"] { job.cancel = readCancellation(cancel, "\(what).cancel") }
    if let stall = fields["stall"] { job.stall = readStall(stall, "\(what).stall") }
    return job
  }

  /// Parses tenants: their number, or their names with weights.
  private mutating func readTenantMix(_ node: YAMLNode, _ what: String) -> TenantMix? {
    if case .scalar = node.content { return count(node, what, in: 1...100_000).map { TenantMix(count: $0) } }
    let allowed = "write a number of tenants, or names with weights such as {gold: 1, free: 9}"
    guard let entries = entries(node, what, allowed: allowed) else { return nil }
    var weights: [(name: String, weight: Double)] = []
    for entry in entries {
      let weight = quantity(entry.value, "\(what).\(entry.key)") { text throws(QuantityProblem) in
        try QuantityText.number(text, in: 0...1_000_000)
      }
      if let weight { weights.append((entry.key, weight)) }
    }
    guard weights.contains(where: { $0.weight > 0 }) else {
      if weights.count == entries.count { report(node.place, "\(what): no tenant has a weight above 0; \(allowed)") }
      return nil
    }
    return TenantMix(weights)
  }

  private mutating func checkService(
    _ fields: [String: YAMLNode], _ work: Work, _ what: String, _ entry: YAMLEntry, isOptional: Bool
  ) {
    switch work {
    case .sleep, .spin, .memory, .cycles:
      if let simulated = fields["simulated_service"] {
        report(
          simulated.place,
          "\(what).simulated_service is for work that takes what it takes; '\(work.kind)' takes its service time "
            + "everywhere; remove it")
      }
      guard fields["service"] == nil, !isOptional else { return }
      // A job whose work is invalid may not need a service time.
      guard case .mapping = entry.value.content, fields["work"] == nil || work != .sleep || isSleep(fields["work"])
      else { return }
      report(entry.keyPlace, "\(what) has no service time; add service: with a duration such as 100ms")
    case .sqlite, .subprocess, .events:
      guard let service = fields["service"] else { return }
      report(
        service.place,
        "\(what).service is given for the work '\(work.kind)', which takes what it takes; remove it")
    }
  }

  private func isSleep(_ node: YAMLNode?) -> Bool {
    guard case .scalar("sleep")? = node?.content else { return false }
    return true
  }

  private mutating func readHints(
    _ node: YAMLNode, _ fields: [String: YAMLNode], _ what: String, _ job: inout JobSpec
  ) {
    let hints = [("cpu-intensive", PoolID?.some(.thread)), ("io-bound", .some(.thread)), ("memory-intensive", nil)]
    for item in items(node, what, orOne: true) ?? [] {
      guard let pool = word(item, what, hints) else { continue }
      if let pool {
        if fields["pool"] == nil { job.pool = pool }
      } else if fields["memory"] == nil {
        report(item.place, "\(what): memory-intensive needs a size; add memory: with a size such as 64MiB")
      }
    }
  }

  // MARK: Work

  private mutating func readWork(_ node: YAMLNode, _ what: String) -> Work? {
    switch node.content {
    case .scalar(let kind):
      switch kind {
      case "sleep": return .sleep
      case "spin": return .spin
      case "sqlite": return .sqlite(.mixed)
      case "events": return .events(count: 1)
      case "cycles": return .cycles(limit: 15, needed: 1...15, pause: .seconds(1), failedShare: 0)
      case "memory":
        report(node.place, "\(what): memory needs a size; write {memory: 16MiB}")
      case "subprocess":
        report(node.place, "\(what): subprocess needs a program; write {subprocess: [/bin/true]}")
      default:
        report(
          node.place, "\(what): unknown '\(kind)'; \(suggestion(kind, among: Self.workKinds, kind: "kinds of work"))")
      }
      return nil
    case .sequence:
      report(node.place, "\(what) is a list; write one of \(Self.workKinds.joined(separator: ", "))")
      return nil
    case .mapping:
      guard let fields = fields(node, what, keys: Self.workKinds) else { return nil }
      guard fields.count == 1, let kind = fields.keys.first, let value = fields[kind] else {
        if fields.count != 1, case .mapping(let entries) = node.content, fields.count == entries.count {
          report(node.place, "\(what) names \(fields.count) kinds of work; name exactly one")
        }
        return nil
      }
      return readWork(kind, value, "\(what).\(kind)")
    }
  }

  private mutating func readWork(_ kind: String, _ value: YAMLNode, _ what: String) -> Work? {
    switch kind {
    case "memory":
      guard let size = bytes(value, what) else { return nil }
      if size == 0 { report(value.place, "\(what) is zero; write a size above zero") }
      return .memory(bytes: size)
    case "sqlite":
      return word(value, what, SQLiteOperation.allCases.map { ($0.rawValue, $0) }).map { .sqlite($0) }
    case "subprocess":
      let parts = (items(value, what, orOne: true) ?? []).compactMap { text($0, what) }
      if parts.isEmpty { report(value.place, "\(what) is empty; write the program, then its arguments") }
      return .subprocess(parts)
    case "events": return count(value, what, in: 1...1_000_000).map { .events(count: $0) }
    case "cycles": return readCycles(value, what)
    default:
      report(value.place, "\(what) takes no options; write work: \(kind)")
      return nil
    }
  }

  private mutating func readCycles(_ node: YAMLNode, _ what: String) -> Work? {
    guard let fields = fields(node, what, keys: ["limit", "needed", "pause", "failed"]) else { return nil }
    let limit = count(fields["limit"], "\(what).limit", in: 1...10_000) ?? 15
    let pause = duration(fields["pause"], "\(what).pause") ?? .seconds(1)
    let failed = share(fields["failed"], "\(what).failed") ?? 0
    var needed = 1...limit
    if let node = fields["needed"] {
      let allowed = "write how many cycles a job needs, as a range such as 1..15 or one number"
      guard let text = text(node, "\(what).needed", allowed: allowed) else { return nil }
      let ends = text.replacing("..", with: " ").split(separator: " ").map { Int($0) }
      if ends.count == 1, let only = ends[0], (1...10_000).contains(only) {
        needed = only...only
      } else if ends.count == 2, let low = ends[0], let high = ends[1], 1 <= low, low <= high, high <= 10_000 {
        needed = low...high
      } else {
        report(node.place, "\(what).needed: '\(text)' is not a range from 1 upward; \(allowed)")
      }
    }
    return .cycles(limit: limit, needed: needed, pause: pause, failedShare: failed)
  }

  // MARK: Failures

  private mutating func readFailures(_ node: YAMLNode, _ what: String) -> Failures {
    if case .scalar = node.content {
      return Failures(attempts: share(node, what) ?? 0, hangs: 0, always: 0, permanent: 0)
    }
    guard let fields = fields(node, what, keys: ["attempts", "hangs", "always", "permanent"]) else { return .none }
    let failures = Failures(
      attempts: share(fields["attempts"], "\(what).attempts") ?? 0, hangs: share(fields["hangs"], "\(what).hangs") ?? 0,
      always: share(fields["always"], "\(what).always") ?? 0,
      permanent: share(fields["permanent"], "\(what).permanent") ?? 0)
    if failures.attempts + failures.hangs + failures.permanent > 1 + 1e-12 {
      report(node.place, "\(what): attempts, hangs and permanent add up to more than 100%; lower them")
    }
    return failures
  }

  private mutating func readCancellation(_ node: YAMLNode, _ what: String) -> Cancellation? {
    guard let fields = fields(node, what, keys: ["share", "after"]) else { return nil }
    if fields["share"] == nil { report(node.place, "\(what) has no share; add share: such as 5%") }
    if fields["after"] == nil { report(node.place, "\(what) has no delay; add after: with a duration such as 20ms") }
    guard let share = share(fields["share"], "\(what).share") else { return nil }
    guard let after = serviceTime(fields["after"], "\(what).after") else { return nil }
    return Cancellation(share: share, after: after)
  }

  private mutating func readStall(_ node: YAMLNode, _ what: String) -> Stall? {
    guard let fields = fields(node, what, keys: ["at", "for"]) else { return nil }
    if fields["at"] == nil { report(node.place, "\(what) has no instant; add at: with a duration such as 2s") }
    if fields["for"] == nil { report(node.place, "\(what) has no length; add for: with a duration such as 1.4s") }
    guard let at = duration(fields["at"], "\(what).at") else { return nil }
    guard let length = span(fields["for"], "\(what).for") else { return nil }
    return Stall(at: at, length: length)
  }
}
