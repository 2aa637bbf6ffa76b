import TailraceCore
import TailraceSpelling

/// Tenants, adaptive limits, autoscaling and CoDel.
extension ScenarioReader {
  /// Parses `scheduler.tenants`.
  mutating func readTenants(_ node: YAMLNode) -> TenantConfiguration {
    let what = "scheduler.tenants"
    let keys = ["concurrency", "rate", "weight", "named"]
    guard let fields = fields(node, what, keys: keys) else { return TenantConfiguration() }
    var tenants = TenantConfiguration(each: readTenant(fields, what))
    guard let named = fields["named"] else { return tenants }
    let allowed = "write a mapping from keys to their settings"
    for entry in entries(named, "\(what).named", allowed: allowed) ?? [] {
      namedTenants.append((entry.key, entry.keyPlace))
      let what = "\(what).named.\(entry.key)"
      guard let fields = self.fields(entry.value, what, keys: ["concurrency", "rate", "weight"]) else { continue }
      tenants.named[entry.key] = readTenant(fields, what)
    }
    return tenants
  }

  /// Reports settings of tenants that no job has.
  mutating func checkTenants(_ jobs: [JobSpec], _ streams: [LoadStream]) {
    var known: [String] = []
    for job in jobs { known += (job.tenants?.names ?? []).filter { !known.contains($0) }.prefix(1_000) }
    for case .trace(let trace) in streams.map(\.arrivals) { known += trace.tenants }
    let all = Set(known)
    for (name, place) in namedTenants where !all.contains(name) {
      let hint = suggestion(name, among: known, kind: "tenants")
      report(place, "scheduler.tenants.named.\(name): no job has the tenant '\(name)'; \(hint)")
    }
  }

  private mutating func readTenant(_ fields: [String: YAMLNode], _ what: String) -> TenantSettings {
    TenantSettings(
      concurrency: count(fields["concurrency"], "\(what).concurrency", in: 1...65_534),
      rate: fields["rate"].flatMap { readRateLimit($0, "\(what).rate") },
      weight: number(fields["weight"], "\(what).weight", in: 0.001...1_000) ?? 1)
  }

  /// Parses `scheduler.adaptive`.
  mutating func readAdaptive(_ node: YAMLNode) -> AdaptiveConcurrency? {
    let what = "scheduler.adaptive"
    guard let fields = fields(node, what, keys: ["aimd", "gradient", "initial", "least"]) else { return nil }
    let rule: AdaptiveConcurrency.Rule
    switch (fields["aimd"], fields["gradient"]) {
    case (let aimd?, nil):
      guard let options = self.fields(aimd, "\(what).aimd", keys: ["target", "backoff"]) else { return nil }
      if options["target"] == nil { report(aimd.place, "\(what).aimd has no target; add target: such as 200ms") }
      let backoff = number(options["backoff"], "\(what).aimd.backoff", in: 0.5...0.999) ?? 0.9
      guard let target = span(options["target"], "\(what).aimd.target") else { return nil }
      rule = .aimd(target: target.duration, backoff: backoff)
    case (nil, let gradient?):
      guard let options = self.fields(gradient, "\(what).gradient", keys: ["tolerance"]) else { return nil }
      rule = .gradient(tolerance: number(options["tolerance"], "\(what).gradient.tolerance", in: 1...100) ?? 1.5)
    case (.some, .some), (nil, nil):
      report(node.place, "\(what) needs one rule; write aimd: {target: 200ms} or gradient: {}")
      return nil
    }
    return AdaptiveConcurrency(
      rule, initial: count(fields["initial"], "\(what).initial", in: 1...65_534) ?? 20,
      least: count(fields["least"], "\(what).least", in: 1...65_534) ?? 1)
  }

  /// Parses `scheduler.autoscaling`.
  mutating func readAutoscaling(_ node: YAMLNode) -> Autoscaling? {
    let what = "scheduler.autoscaling"
    let keys = ["least", "queue_age", "interval", "cooldown", "step"]
    guard let fields = fields(node, what, keys: keys) else { return nil }
    if fields["queue_age"] == nil { report(node.place, "\(what) has no queue_age; add queue_age: such as 1s") }
    let interval = span(fields["interval"], "\(what).interval")
    let cooldown = duration(fields["cooldown"], "\(what).cooldown")
    let step = count(fields["step"], "\(what).step", in: 1...65_534) ?? 1
    let least = count(fields["least"], "\(what).least", in: 1...65_534) ?? 1
    guard let age = span(fields["queue_age"], "\(what).queue_age") else { return nil }
    return Autoscaling(
      least: least, queueAge: age.duration, interval: interval?.duration, cooldown: cooldown?.duration, step: step)
  }

  /// Parses `scheduler.codel`.
  mutating func readCoDel(_ node: YAMLNode) -> CoDelConfiguration? {
    let what = "scheduler.codel"
    guard let fields = fields(node, what, keys: ["target", "interval"]) else { return nil }
    for (key, example) in [("target", "50ms"), ("interval", "500ms")] where fields[key] == nil {
      report(node.place, "\(what) has no \(key); add \(key): such as \(example)")
    }
    let interval = span(fields["interval"], "\(what).interval")
    guard let target = span(fields["target"], "\(what).target"), let interval else { return nil }
    return CoDelConfiguration(target: target.duration, interval: interval.duration)
  }

  private mutating func number(_ node: YAMLNode?, _ what: String, in range: ClosedRange<Double>) -> Double? {
    quantity(node, what) { text throws(QuantityProblem) in try QuantityText.number(text, in: range) }
  }
}
