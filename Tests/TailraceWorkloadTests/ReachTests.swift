// Goal: times that a run cannot reach are refused when they are read, in words that say how far they go; and a loop
// over what never comes ends when its reader is interrupted.

import Foundation
import Synchronization
import TailraceCore
import Testing
@testable import TailraceText

@testable import TailraceWorkload

@Suite struct ReachTests {
  private func problems(_ yaml: String) -> [String] {
    switch ScenarioParser.parse(yaml: "name: r\njobs: {a: {service: 1ms}}\n" + yaml, file: "r.yaml") {
    case .success: []
    case .failure(let found): found.problems.map(\.description)
    }
  }

  static let beyond = [
    "load: {constant: 1e-9/s, count: 1_000_000_000}",
    "load: {poisson: 1e-6/s, count: 1_000_000_000}",
    "load: {bursty: {rate: 1/s, on: 1ms, off: 36525d}, count: 1000}",
    "load: {stages: [{to: 1/d, for: 36525d}, {to: 0/s, for: 36525d}]}",
    "load: {interval: 36525d, count: 2}",
    "load: {poisson: 1/s, start: 36525d, duration: 1s}",
    "load: {closed: {clients: 1}, start: 36525d, duration: 1d}",
    "load: [{batch: 1}, {constant: 1/d, count: 40_000}]",
  ]

  @Test(arguments: beyond) func arrivalsBeyondACenturyAreRefused(_ load: String) {
    let found = problems(load + "\n")
    #expect(found.count == 1 && found[0].hasPrefix("r.yaml:3:"), "\(found)")
    #expect(found.first?.contains("at most 100 years are replayed") == true, "\(found)")
    // The scenario's own end makes them a load that can be replayed.
    #expect(problems(load + "\nduration: 36525d\n").isEmpty)
  }

  @Test func stepsOfTheClockAreBoundedTogether() {
    let load = "load: {poisson: 10/s}\nduration: 10s\n"
    #expect(problems(load + "faults: [{step_clock: +36525d, at: 2s}]\n").isEmpty)
    for steps in [
      "{step_clock: +36525d, at: [2s, 4s]}", "{step_clock: -20000d, at: 2s}, {step_clock: +20000d, at: 4s}",
      "{step_clock: +9s, every: 10s, until: 36525d}",
    ] {
      let isLong = steps.contains("until")
      let text = isLong ? load.replacing("10s\n", with: "36525d\n") : load
      let found = problems(text + "faults: [\(steps)]\n")
      #expect(found.count == 1 && found[0].contains("the steps of the clock add up to"), "\(steps): \(found)")
    }
    for endless in ["{step_clock: +1d, every: 10s}", "{step_clock: -5s, every: 5s}", "{stall: 2s, every: 1s}"] {
      let found = problems(load + "faults: [\(endless)]\n")
      #expect(found.count == 1 && found[0].contains("time would never go on"), "\(endless): \(found)")
    }
  }

  @Test func aTimeScaleIsBoundedToo() throws {
    let scenario = try ScenarioParser.parse(
      yaml: """
        name: scaled
        jobs: {a: {service: "bimodal(fast: 1ms, slow: 900d, share: 1%)", delay: 40d}}
        load: {constant: 1/d, count: 300}
        """, file: "scaled.yaml"
    ).get()
    #expect(scenario.longestTime == .seconds(900 * 86_400))
    #expect(scenario.scaled(by: 10_000).longestTime > .longest)
    #expect(!scenario.scaled(by: 10_000).timesOutOfReach.isEmpty, "3 million days")
    #expect(scenario.scaled(by: 10).timesOutOfReach.isEmpty)
    #expect(scenario.scaled(by: 10).longestTime <= .longest)
  }

  /// Logs whose times have no room.
  @Test(arguments: [
    ("0,1h\n9000000000,1h\n", 1, "more than 100 years after its first"),
    // Slower, the difference has no room in 64 bits.
    ("0,1h\n864000,1h\n", 1e-6, "more than 100 years after its first"),
    ("0,2400000h\n", 1, "a run time of more than 100 years"), ("0,8e9\n", 1, "a run time of more than 100 years"),
    ("0,36525-2400000:00:00\n", 1, "'36525-2400000:00:00'"),
  ])
  func aLogThatReachesTooFarIsRefused(_ rows: String, _ speed: Double, _ words: String) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("reach-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let log = folder.appendingPathComponent("log.csv")
    try ("at,took\n" + rows).write(to: log, atomically: true, encoding: .utf8)
    var request = TraceRequest(
      format: .csv, submitted: .init("at", unit: .seconds), service: .init("took"))
    request.speed = speed
    let named = NamedFile(log.path, beside: "", by: .user)
    guard case .failure(let found) = Trace.read(named, called: "log.csv", request) else {
      return #expect(Bool(false), "\(rows) was read")
    }
    #expect(found.description.contains(words), "\(found)")
  }

  // MARK: - Interruption

  /// A tape whose reader loses patience after so many questions.
  private func tape(
    _ load: String, jobs: String = "jobs: {a: {service: 1ms}}\n", patience: Int
  ) throws -> (tape: Tape, asked: @Sendable () -> Int) {
    let scenario = try ScenarioParser.parse(yaml: "name: i\n" + jobs + load, file: "i.yaml").get()
    let counter = Counter()
    let tape = Tape(scenario: scenario, seed: 1) { counter.ask() > patience }
    return (tape, { counter.count.load(ordering: .relaxed) })
  }

  private final class Counter: Sendable {
    let count = Atomic<Int>(0)
    func ask() -> Int { count.add(1, ordering: .relaxed).newValue }
  }

  /// Loads of which some loop over the tape would take hours.
  @Test(arguments: [
    "load: {bursty: {rate: 1e-9/s, on: 1ms, off: 1ms}}\nduration: 36525d\n",
    "load: {interval: 1ns, start: 1s}\nduration: 2s\n", "load: {constant: 1e9/s}\nduration: 1h\n",
    "load: {batch: 100_000_000}\n",
  ])
  func everyLoopOverATapeEnds(_ load: String) throws {
    let (tape, asked) = try tape(load, patience: 3)
    var cursor = tape.makeCursor()
    var jobs = 0
    while cursor.next() != nil { jobs += 1 }
    #expect(asked() > 3 && jobs < 5_000, "\(jobs) jobs, asked \(asked()) times")
    #expect(cursor.next() == nil, "it stays at its end")
  }

  @Test func lookingForTheJobThatStallsEndsToo() throws {
    let jobs = "jobs: {a: {service: 1ms, stall: {at: 59m, for: 1s}}}\n"
    let (_, asked) = try tape("load: {constant: 1e6/s}\nduration: 1h\n", jobs: jobs, patience: 3)
    #expect(asked() == 4)
  }
}
