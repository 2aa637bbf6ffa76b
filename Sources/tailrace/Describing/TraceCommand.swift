import ArgumentParser
import Foundation
import TailraceHost
import TailraceReport
import TailraceStudies
import TailraceText
import TailraceWorkload

/// `tailrace trace`
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Describe a real log: what is in it, and how bursty it is.",
    discussion: """
      Reads a log in the Standard Workload Format, CSV or JSON lines, plain or gzipped, by the same rules as a \
      scenario that replays it (docs/scenarios.md). Prints the number of rows, read and skipped, and the span, arrival \
      rate, burstiness, service times, offered load, job types, tenants and busiest hour. FILE may also be a scenario \
      that replays a trace.

      EXAMPLES
        tailrace trace jobs.swf.gz --column job_type=queue --column tenant=user
        tailrace trace requests.csv --column submitted=when --column service=took:ms
        tailrace trace mine.yaml
        tailrace trace jobs.swf.gz --fit > fitted.yaml

      EXIT STATUS
        0; 64 if the file cannot be read or is malformed
      """)

  @Argument(help: "A trace file, or a scenario file that replays one.", completion: Completions.traces)
  var file: String

  @Option(
    help: """
      Assign a column to a key, as KEY=COLUMN. Keys: submitted, started, ended, waiting, service, job_type, priority, \
      tenant, outcome, id. Times may have a unit, as KEY=COLUMN:UNIT (s, ms, us, ns, min, h, datetime). COLUMN is a \
      name, or a number from 1. Repeatable.
      """)
  var column: [String] = []

  @Option(help: "swf, csv or jsonl (default: by the file's name).", completion: .list(["swf", "csv", "jsonl"]))
  var format: String?

  @Flag(
    help: """
      Print a synthetic scenario with the same load, job types and burstiness instead, and how well it matches the \
      log. Both are sized in simulation; if the results differ by more than 10 %, a warning lists what the scenario \
      does not reproduce.
      """)
  var fit = false

  @Flag(help: "Print JSON; times in nanoseconds.")
  var json = false

  func run() throws {
    let trace = try read()
    if fit { return try writeFit(of: trace) }
    let description = TraceDescription(trace)
    guard json else { return Terminal.output.write(text(description) + notes(trace)) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    Terminal.output.write(json: try encoder.encode(description))
  }

  private func read() throws -> Trace {
    // Check this before anything that depends on the file's contents.
    if let problem = InputFile.obstacle(toReading: file) { throw Refusal.usage("\(problem)") }
    if file.hasSuffix(".yaml") || file.hasSuffix(".yml") {
      let scenario: Scenario
      do { scenario = try ScenarioParser.load(file: file) } catch { throw Refusal.usage(["\(error.description)"]) }
      guard let trace = scenario.trace else {
        throw Refusal.usage(["\(file): its load is not a trace; name a trace file, or a scenario with load.trace"])
      }
      return trace
    }
    // Parse a scenario in memory, so that errors are worded as in scenario files.
    var columns: [String: String] = [:]
    for pair in column {
      let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, columns[parts[0]] == nil else {
        throw Refusal.usage(["--column \(pair): write KEY=COLUMN or KEY=COLUMN:UNIT, each key once"])
      }
      let (name, unit) = split(parts[1])
      columns[parts[0]] = unit.map { "{column: \(quoted(name)), unit: \($0)}" } ?? quoted(name)
    }
    var yaml = "name: described\njobs: {job: {service: 1ns}}\nload:\n  trace: \(quoted(file))\n"
    if let format { yaml += "  format: \(quoted(format))\n" }
    if !columns.isEmpty {
      yaml +=
        "  columns: {\(columns.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}\n"
    }
    let kind = format.map { TraceRequest.Format(rawValue: $0) } ?? TraceRequest.Format(fileName: file)
    if columns.isEmpty, let kind, kind != .swf {
      throw Refusal.usage(try questions(about: kind))
    }
    // The scenario has no folder, so file names are relative to the working directory.
    switch ScenarioParser.parse(yaml: yaml, file: "described.yaml", filesNamedBy: .user) {
    case .success(let scenario):
      return scenario.trace!
    case .failure(let found):
      throw Refusal.usage(
        found.problems.map {
          $0.message.replacing("load.trace: \(file)", with: file).replacing("load.columns", with: "--column")
            .replacing("load.trace: '\(file)'", with: "'\(file)'").replacing("load.format", with: "--format")
            .replacing("add format:", with: "add --format")
        })
    }
  }

  /// The error for a file without assigned columns; it lists the columns.
  private func questions(about format: TraceRequest.Format) throws -> [String] {
    let columns: [String]
    do { columns = try Trace.columns(of: file, format) } catch {
      throw Refusal.usage("\(file)\(error.line > 0 ? ":\(error.line)" : ""): \(error.message)")
    }
    let list = columns.prefix(40).joined(separator: ", ") + (columns.count > 40 ? ", …" : "")
    return [
      "\(file): which column has the submission times? add --column submitted=COLUMN, or --format swf for a log in the "
        + "Standard Workload Format; columns: \(list)"
    ]
  }

  private func split(_ text: String) -> (String, String?) {
    guard let colon = text.lastIndex(of: ":") else { return (text, nil) }
    let unit = String(text[text.index(after: colon)...])
    return TraceUnit(rawValue: unit) == nil ? (text, nil) : (String(text[..<colon]), unit)
  }

  private func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }

  // MARK: - Fit

  /// Writes the scenario, with comments on how well it matches the log. If standard output is not a terminal, also
  /// writes them to standard error.
  private func writeFit(of trace: Trace) throws {
    let fitting: TraceFitting
    do { fitting = try TraceFitting(trace) } catch {
      throw Refusal.usage("\(file): the fitted scenario is not valid: \(error.description)")
    }
    var lines =
      table(fitting).split(separator: "\n").map(String.init) + notes(trace).split(separator: "\n").map(String.init)
    var warnings: [String] = []
    if let sizing = fitting.sizing {
      func workers(_ count: Int?) -> String { count.map { HumanUnits.counted($0, "worker") } ?? "no number of workers" }
      lines.append(
        "For \(sizing.target), in simulation: the log needs \(workers(sizing.log)), its fit \(workers(sizing.fit)).")
      if sizing.differs {
        warnings.append(
          "Warning: the two results differ by more than 10 %. The fit does not reproduce "
            + fitting.losses.joined(separator: ", ") + ". Size by replaying the log.")
      } else {
        lines.append("The fit does not reproduce \(fitting.losses.joined(separator: ", ")).")
      }
    } else {
      lines.append("The log has no service times. The scenario uses 100 ms for each job and is not sized.")
    }
    lines += warnings
    let remarks = lines.map { "# \($0)\n" }.joined()
    Terminal.output.write(fitting.scenario + "#\n" + remarks)
    if !Terminal.output.isTerminal { Terminal.error.write(lines.map { $0 + "\n" }.joined()) }
  }

  /// The log compared with its fit.
  private func table(_ fitting: TraceFitting) -> String {
    var table = Columns(["", ">log", ">fit"])
    let (log, drawn) = (fitting.log, fitting.drawn)
    func add(_ name: String, _ value: (TraceDescription) -> Double?, _ words: (Double) -> String) {
      let cells = [log, drawn].map { value($0).map(words) ?? "–" }
      if cells != ["–", "–"] { table.add([name] + cells) }
    }
    add("jobs", { Double($0.kept) }, HumanUnits.count)
    add("arrival rate", { $0.arrivalRatePerS }, rate)
    add("offered load, erlangs", { $0.offeredLoad }, HumanUnits.digits)
    add("service time, mean", { $0.service?.meanNs }, HumanUnits.time)
    add("service time, p50", { $0.service?.p50Ns }, HumanUnits.time)
    add("service time, p99", { $0.service?.p99Ns }, HumanUnits.time)
    for index in log.dispersion.indices {
      add("dispersion per \(unit(log.dispersion[index].windowNs))", { $0.dispersion[index].index }, HumanUnits.digits)
    }
    for kind in fitting.classes.prefix(20) {
      table.add(["\(kind.name), mean", HumanUnits.time(kind.log.meanNs), HumanUnits.time(kind.mean)])
      table.add(["\(kind.name), p99", HumanUnits.time(kind.log.p99Ns), HumanUnits.time(kind.p99)])
    }
    return table.text
  }

  /// Notes about the log.
  private func notes(_ trace: Trace) -> String {
    var lines = trace.remarks
    for (value, name) in trace.renamed { lines.append("job type \(TraceFit.quoted(value)) is called \(name)") }
    return lines.map { $0 + "\n" }.joined()
  }

  // MARK: - Words

  private func text(_ trace: TraceDescription) -> String {
    func time(_ value: Double) -> String { HumanUnits.time(value) }
    func count(_ value: Int) -> String { HumanUnits.count(Double(value)) }
    var facts = Columns(["", ""])
    facts.add(["rows", count(trace.rows)])
    facts.add(["kept", count(trace.kept)])
    for (reason, number) in trace.leftOut.sorted(by: { $0.key < $1.key }) {
      facts.add(["  skipped, \(reason)", count(number)])
    }
    facts.add(["span", days(trace.spanNs)])
    facts.add(["arrival rate", rate(trace.arrivalRatePerS)])
    facts.add(["time between arrivals, variation", HumanUnits.digits(trace.interarrivalVariation) + " (Poisson: 1)"])
    for entry in trace.dispersion {
      let words = entry.index.map { HumanUnits.digits($0) + " (Poisson: 1)" } ?? "too short"
      facts.add(["index of dispersion per \(unit(entry.windowNs))", words])
    }
    if let service = trace.service {
      facts.add([
        "service time", "mean \(time(service.meanNs)), variation \(HumanUnits.digits(service.variation))",
      ])
      facts.add([
        "",
        "p50 \(time(service.p50Ns)), p90 \(time(service.p90Ns)), p99 \(time(service.p99Ns)), max \(time(service.maxNs))",
      ])
      facts.add(["offered load", "\(HumanUnits.digits(trace.offeredLoad ?? 0)) erlangs"])
    } else {
      facts.add(["service time", "not in the trace"])
    }
    facts.add([
      "busiest hour", "\(count(trace.busiestHourJobs)) jobs, \(days(trace.busiestHourStartNs)) after the first",
    ])
    if trace.tenants > 0 {
      let largest = trace.largestTenants.map { "\($0.name.isEmpty ? "(no name)" : $0.name) \(count($0.jobs))" }.joined(
        separator: ", ")
      facts.add(["tenants", "\(count(trace.tenants)); most jobs: \(largest)"])
    }
    var classes = Columns(["job type", ">jobs", ">share", ">mean", ">p50", ">p99", ">max"])
    for kind in trace.classes.prefix(40) {
      let times = kind.service.map { [time($0.meanNs), time($0.p50Ns), time($0.p99Ns), time($0.maxNs)] }
      classes.add([kind.name, count(kind.jobs), HumanUnits.share(kind.share)] + (times ?? ["–", "–", "–", "–"]))
    }
    let more = trace.classes.count > 40 ? "… and \(trace.classes.count - 40) more\n" : ""
    return "\(trace.file)\n" + facts.text + "\n" + classes.text + more
  }

  private func unit(_ window: Double) -> String { window == 1e9 ? "second" : window == 60e9 ? "minute" : "hour" }

  private func rate(_ perSecond: Double) -> String {
    if perSecond >= 1 { return "\(HumanUnits.digits(perSecond)) a second" }
    if perSecond >= 1 / 60.0 { return "\(HumanUnits.digits(perSecond * 60)) a minute" }
    return "\(HumanUnits.digits(perSecond * 3_600)) an hour"
  }

  private func days(_ nanoseconds: Double) -> String {
    nanoseconds >= 172_800e9 ? "\(HumanUnits.digits(nanoseconds / 86_400e9)) days" : HumanUnits.time(nanoseconds)
  }
}
