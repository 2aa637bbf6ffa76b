import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// A few jobs of every kind in a suite, replayed before the first run. Their results are discarded.
///
/// In a new process, the first use of anything resolves symbols, builds type metadata and touches memory. This takes
/// one to three milliseconds for a scheduler, and more for a database. Without a rehearsal the first jobs would include
/// it; in a mix of thirty jobs, that is most of them. A service that has run for a minute no longer has this cost.
package struct Rehearsal {
  /// The kinds of work to rehearse.
  private let works: [Work]

  package init(of scenarios: [Scenario]) {
    var works: [Work] = []
    for work in scenarios.flatMap(\.jobs).map(\.work) where !works.contains(where: { $0.isLike(work) }) {
      works.append(work)
    }
    self.works = works
  }

  /// Rehearses on a system, with the suite's parts.
  ///
  /// - Throws: The error of the system's preparation.
  func run(on system: any ReplaySystem, parts: SuiteParts, interruption: StopFlag) async throws {
    guard let scenario = try scenario(for: system) else { return }
    let needsDatabase = works.contains { $0.isLike(.sqlite(.read)) }
    let database = needsDatabase ? try parts.makeDatabase(scenario.scheduler.workers) : nil
    defer { database?.close() }
    let replay = Replay(
      tape: Tape(scenario: scenario, seed: 1), grace: .milliseconds(100), database: database, meter: parts.meter,
      interruption: interruption)
    let outcome = try await system.replay(replay)
    // Compute and discard its figures, so that this code is rehearsed too.
    _ = outcome.recorder.measurement(outcome.facts)
  }

  /// The rehearsal for a system; nil: it cannot replay any.
  func scenario(for system: any ReplaySystem) throws -> Scenario? {
    let plain = try ScenarioParser.parse(yaml: file(isPlain: true), file: "rehearsal").get()
    let whole = try ScenarioParser.parse(yaml: file(isPlain: false), file: "rehearsal").get()
    return [whole, plain].first { system.lacks($0).isEmpty }
  }

  /// The rehearsal for one system, as a scenario file.
  ///
  /// - Parameter isPlain: Whether to omit dependencies, retries and a second pool.
  func file(isPlain: Bool) -> String {
    var jobs = ["at_once: {service: 0ms}", "soon: {service: 100us}"]
    for (number, text) in works.flatMap(\.rehearsalTexts).enumerated() {
      jobs.append("work\(number): \(text)")
      if !isPlain { jobs.append("blocking\(number): {pool: thread, \(text.dropFirst())") }
    }
    let names = jobs.map { $0.prefix { $0 != ":" } }
    var lines = ["name: rehearsal", "jobs:"] + jobs.map { "  " + $0 }
    if !isPlain {
      lines += ["  failing: {service: 0ms, failures: {always: 100%}, retries: {limit: 1, backoff: fixed, base: 1ms}}"]
      lines += ["graphs: {pair: {first: {job: at_once}, second: {job: soon, after: first}}}"]
    }
    lines += ["load:", "  - {batch: \(names.count * 4), of: [\(names.joined(separator: ", "))]}"]
    if !isPlain { lines += ["  - {batch: 2, of: pair}", "  - {batch: 2, of: failing}"] }
    lines += ["  - {constant: 2000/s, count: 20, of: [at_once, soon]}"]
    return (lines + ["scheduler: {workers: 4}", ""]).joined(separator: "\n")
  }
}

extension Work {
  /// Whether the other is of the same kind, regardless of its numbers.
  fileprivate func isLike(_ other: Work) -> Bool {
    switch (self, other) {
    case (.sleep, .sleep), (.spin, .spin), (.memory, .memory), (.sqlite, .sqlite), (.subprocess, .subprocess),
      (.events, .events), (.cycles, .cycles):
      true
    default: false
    }
  }

  /// Jobs of this kind in a rehearsal; every rehearsal has jobs that sleep.
  fileprivate var rehearsalTexts: [String] {
    switch self {
    case .sleep: []
    case .spin: ["{work: spin, service: 10us}"]
    case .memory: ["{work: {memory: 64KiB}, service: 10us}"]
    case .sqlite: ["{work: {sqlite: read}}", "{work: {sqlite: write}}", "{work: {sqlite: mixed}}"]
    case .subprocess: ["{work: {subprocess: [/bin/true]}}"]
    case .events: ["{work: events}"]
    case .cycles: ["{work: {cycles: {limit: 2, needed: 1..2, pause: 1ms}}, service: 10us}"]
    }
  }
}
