import Foundation
import TailraceWorkload

extension TraceFit {
  /// The scenario file.
  ///
  /// - Parameters:
  ///   - workers: The number of workers; nil: a quarter more than the offered load needs.
  ///   - renamed: The log's values behind names of job types, for comments.
  package func scenario(
    of trace: TraceDescription, workers: Int? = nil, renamed: [(value: String, name: String)] = []
  ) -> String {
    let file = Self.quoted("A synthetic mix with the rates, job types and burstiness of \(trace.file).")
    var lines = ["name: fitted", "summary: \(file)", "notes:"]
    let pace = arrivals == .together ? ", all at one instant" : ", \(Self.digits(trace.arrivalRatePerS)) per second"
    lines.append("  - \(Self.quoted("\(Self.text(trace.kept)) jobs over \(Self.span(trace.spanNs / 1e9))\(pace)."))")
    for entry in dispersion {
      lines.append(
        "  - Index of dispersion over \(Self.span(entry.window)) - measured \(Self.digits(entry.measured)), fitted "
          + "\(Self.digits(entry.fitted)).")
    }
    if length > 1 {
      lines.append("  - \(length) times as long as the log, so that random variation of the load is small.")
    }
    let values = Dictionary(renamed.map { ($0.name, $0.value) }) { first, _ in first }
    lines.append("jobs:")
    for kind in trace.classes {
      let service = kind.service.map { ServiceFit($0, steps: kind.steps).text }
      var line = "  \(Self.key(kind.name)): {service: \(service ?? "100ms")}"
      if let value = values[kind.name] { line += "  # \(Self.quoted(value))" }
      if service == nil { line += "  # the log has no service times" }
      lines.append(line)
    }
    lines += load(trace)
    let usual = Int(min(65_534, max(1, ((trace.offeredLoad ?? 1) * 1.25).rounded(.up))))
    lines.append("drain: 3650d")
    if workers == nil { lines.append("# A quarter more workers than the offered load needs.") }
    lines.append(
      "scheduler: {workers: \(workers ?? usual), policy: fifo, queue: {capacity: 100_000_000}, retries: 0, "
        + "timeout: none}")
    return lines.joined(separator: "\n") + "\n"
  }

  private func load(_ trace: TraceDescription) -> [String] {
    let weights = trace.classes.map { "\(Self.key($0.name)): \($0.jobs)" }.joined(separator: ", ")
    let end = "duration: \(ServiceFit.time(max(1, trace.spanNs * Double(length))))"
    switch arrivals {
    case .poisson(let rate): return ["load:", "  poisson: \(Self.rate(rate))", "  of: {\(weights)}", end]
    case .bursty(let rate, let on, let off):
      let (on, off) = (ServiceFit.time(max(1e6, on * 1e9)), ServiceFit.time(max(1e6, off * 1e9)))
      let bursty = "  bursty: {rate: \(Self.rate(rate)), on: \(on), off: \(off)}"
      return ["load:", bursty, "  of: {\(weights)}", end]
    case .together:
      if trace.kept <= 100_000 || trace.classes.count == 1 { return ["load:", "  batch: {\(weights)}"] }
      guard trace.classes.count <= 100 else {
        return ["load:", "  constant: 1000000000/s", "  count: \(trace.kept)", "  of: {\(weights)}"]
      }
      return ["load:"] + trace.classes.map { "  - batch: {\(Self.key($0.name)): \($0.jobs)}" }
    }
  }

  // MARK: - Words

  /// A string in double quotes, valid in YAML and JSON.
  package static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      default:
        let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0xfeff
        let isBreak = scalar.value == 0x2028 || scalar.value == 0x2029
        quoted += isControl || isBreak ? String(format: "\\u%04x", scalar.value) : String(scalar)
      }
    }
    return quoted + "\""
  }

  /// A job type's name as a key.
  private static func key(_ name: String) -> String {
    name.first.map { $0.isASCII && $0.isLetter } ?? false ? name : quoted(name)
  }

  /// A rate with seven digits. The smallest rate in scenarios is one per billion seconds.
  private static func rate(_ perSecond: Double) -> String {
    let value = min(1e9, max(1e-9, perSecond))
    // Scenario files do not support exponents.
    let places = min(15, max(0, 7 - Int(log10(value).rounded(.up))))
    return String(format: "%.*f/s", places, value)
  }

  static func span(_ value: Double) -> String {
    for (name, size) in [("an hour", 3_600.0), ("a minute", 60), ("a second", 1)] where value == size { return name }
    for (unit, size) in [("days", 86_400.0), ("hours", 3_600), ("minutes", 60)] where value >= size * 1.5 {
      return "\(digits(value / size)) \(unit)"
    }
    return "\(digits(value)) s"
  }

  private static func text(_ count: Int) -> String {
    count.formatted(.number.locale(Locale(identifier: "en_US")))
  }

  private static func digits(_ value: Double) -> String {
    let places = max(0, 4 - Int(log10(max(value, 1e-9)).rounded(.up)))
    return value >= 1e4 ? String(format: "%.0f", value) : String(format: "%.*f", places, value)
  }
}
