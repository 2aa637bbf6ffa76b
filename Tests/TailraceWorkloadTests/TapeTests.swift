// A tape is a function of scenario and seed: reproducible, and no draw moves another.

import Foundation
import TailraceCore
import TailraceWorkload
import Testing

@Suite struct TapeTests {
  /// A service time is no part of the arrivals, and a rate no part of what the jobs do.
  @Test func thePartsOfATapeHaveFingerprintsOfTheirOwn() throws {
    func identity(_ service: String, _ load: String) throws -> TapeIdentity {
      let text =
        "name: n\njobs: {a: {service: 5ms}, b: {service: \(service), delay: 1ms}}\n"
        + "load: {poisson: \(load), of: [a, b]}\nduration: 5s\n"
      return Tape(scenario: try ScenarioParser.parse(yaml: text, file: "n").get(), seed: 1).identity()
    }
    let one = try identity("10ms", "20/s")
    let slower = try identity("11ms", "20/s")
    let faster = try identity("10ms", "30/s")
    #expect(one.whole != slower.whole && one.arrivals == slower.arrivals)
    #expect(one.types[0].print == slower.types[0].print && one.types[1].print != slower.types[1].print)
    #expect(one.arrivals != faster.arrivals)
    #expect(try identity("10ms", "20/s") == one)
  }

  private func scenario(_ yaml: String) throws -> Scenario {
    try ScenarioParser.parse(yaml: yaml, file: "t.yaml").get()
  }

  private static func mixed(serviceOfA: String) -> String {
    """
    name: mixed
    jobs:
      a: {service: \(serviceOfA), failures: 10%}
      b:
        service: exponential(mean: 5ms)
        delay: uniform(min: 0ms, max: 9ms)
        cancel: {share: 30%, after: exponential(mean: 3ms)}
        failures: {attempts: 10%, hangs: 10%, permanent: 5%, always: 20%}
    load: [{poisson: 100/s}, {closed: {clients: 3, think: exponential(mean: 2ms)}, of: {a: 1, b: 3}, count: 7}]
    duration: 20s
    """
  }

  private func jobs(_ tape: Tape) -> [TapeJob] {
    var cursor = tape.makeCursor()
    var jobs: [TapeJob] = []
    while let job = cursor.next() { jobs.append(job) }
    return jobs
  }

  @Test func theSameSeedDrawsTheSameTape() throws {
    let scenario = try scenario(Self.mixed(serviceOfA: "exponential(mean: 5ms)"))
    let (one, two) = (Tape(scenario: scenario, seed: 8), Tape(scenario: scenario, seed: 8))
    #expect(jobs(one) == jobs(two))
    #expect(jobs(one) != jobs(Tape(scenario: scenario, seed: 9)))
    #expect(one.fingerprint() == two.fingerprint())
  }

  @Test func anotherServiceTimeMovesNothingElse() throws {
    let one = Tape(scenario: try scenario(Self.mixed(serviceOfA: "exponential(mean: 5ms)")), seed: 8)
    let two = Tape(scenario: try scenario(Self.mixed(serviceOfA: "uniform(min: 1s, max: 2s)")), seed: 8)
    let (left, right) = (jobs(one), jobs(two))
    #expect(left == right)
    for job in left {
      for attempt in 1...3 {
        let (x, y) = (
          one.attempt(job: job.number, type: job.type, attempt: attempt),
          two.attempt(job: job.number, type: job.type, attempt: attempt)
        )
        #expect(x.ending == y.ending)
        #expect((x.service == y.service) == (job.type == 1))
      }
    }
    #expect(one.clients == two.clients)
    #expect(one.closedJob(client: one.clients[0], sequence: 4) == two.closedJob(client: two.clients[0], sequence: 4))
    #expect(one.fingerprint() != two.fingerprint())
  }

  @Test func sharesComeOut() throws {
    let tape = Tape(scenario: try scenario(Self.mixed(serviceOfA: "1ms")), seed: 8)
    let drawn = jobs(tape).filter { $0.type == 1 }
    let first = drawn.map { tape.attempt(job: $0.number, type: 1, attempt: 1).ending }
    func share(_ count: Int) -> Double { Double(count) / Double(drawn.count) }
    // Some 1,000 jobs: three standard deviations of a share are at most 0.05.
    #expect(abs(share(drawn.count { $0.cancelAfter != nil }) - 0.3) < 0.05)
    #expect(abs(share(first.count { $0 == .failsPermanently }) - 0.05) < 0.03)
    #expect(abs(share(first.count { $0 == .hangs }) - 0.1 * 0.8) < 0.03)
    #expect(abs(share(first.count { $0 == .fails }) - (0.2 * 0.95 + 0.1 * 0.8)) < 0.05)
    let always = drawn.count { job in
      (1...8).allSatisfy { tape.attempt(job: job.number, type: 1, attempt: $0).ending != .succeeds }
    }
    #expect(abs(share(always) - 0.2) < 0.05)
  }

  @Test func closedClientsDrawUniqueNumbersAndShareTheCount() throws {
    let tape = Tape(scenario: try scenario(Self.mixed(serviceOfA: "1ms")), seed: 8)
    #expect(tape.clients.map(\.limit) == [3, 2, 2])
    #expect(tape.clients.map(\.end) == [.seconds(20), .seconds(20), .seconds(20)])
    var numbers: Set<UInt64> = Set(jobs(tape).map(\.number))
    let open = numbers.count
    for client in tape.clients {
      for sequence in 0..<100 { numbers.insert(tape.closedJob(client: client, sequence: sequence).job.number) }
    }
    #expect(numbers.count == open + 300)
    #expect(numbers.allSatisfy { $0 < 1 << 53 })
  }

  @Test func aStallHitsOneAttemptOnly() throws {
    let tape = Tape(scenario: try BuiltInTests.scenario("coordinated-omission"), seed: 1)
    let stalled = jobs(tape).filter { tape.attempt(job: $0.number, type: 0, attempt: 1).service > .seconds(1) }
    #expect(stalled.map(\.number) == [2_000])
    #expect(tape.attempt(job: 2_000, type: 0, attempt: 1).service == Nanoseconds(1_400_100_000))
    #expect(tape.attempt(job: 2_000, type: 0, attempt: 2).service == .microseconds(100))
  }

  @Test func graphsArriveWhole() throws {
    let tape = Tape(scenario: try BuiltInTests.scenario("companion-interactions"), seed: 4)
    let interactions = jobs(tape).filter { $0.type <= 2 }
    for start in stride(from: 0, to: interactions.count, by: 3) {
      let members = interactions[start..<start + 3]
      #expect(members.map(\.type) == [0, 1, 2])
      #expect(Set(members.map(\.intended)).count == 1)
      let base = members[start].number
      #expect(members.map(\.dependencies) == [[], [], [base, base + 1]])
    }
  }

  @Test func cyclesLieInTheirRangeAndFailAtTheirShare() throws {
    let tape = Tape(scenario: try BuiltInTests.scenario("audit-approvals"), seed: 2)
    let workflows = jobs(tape).filter { $0.type == 0 }
    let needed = workflows.map { tape.attempt(job: $0.number, type: 0, attempt: 1).cycles }
    #expect(Set(needed) == Set(1...15))
    let failed = workflows.reduce(0) { sum, job in
      sum + (1...15).count { tape.cycleFails(job: job.number, type: 0, attempt: 1, cycle: $0) }
    }
    #expect(abs(Double(failed) / Double(workflows.count * 15) - 0.05) < 0.006)
    #expect(!tape.cycleFails(job: 0, type: 1, attempt: 1, cycle: 1))
  }

  @Test func schedulerSettingsDoNotEnterTheFingerprint() throws {
    let one = try #require(BuiltIn.scenario(named: "quick-start")).get()
    let two = try #require(BuiltIn.scenario(named: "quick-start", overrides: [("scheduler.workers", "9")])).get()
    #expect(Tape(scenario: one, seed: 1).fingerprint() == Tape(scenario: two, seed: 1).fingerprint())
  }

  /// A changed line means that results of earlier versions can no longer be compared on one tape. RECORD_GOLDEN=1
  /// rewrites the file and fails.
  @Test func fingerprintsAreStable() throws {
    let lines = try BuiltIn.all.map { name in
      "\(name) \(Tape(scenario: try BuiltInTests.scenario(name), seed: 42).fingerprint())\n"
    }
    let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Golden/fingerprints.txt")
    if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] == "1" {
      try lines.joined().write(to: golden, atomically: true, encoding: .utf8)
      Issue.record("recorded \(golden.lastPathComponent)")
      return
    }
    #expect(lines.joined() == (try String(contentsOf: golden, encoding: .utf8)))
  }

  @Test func csvHasARowForEachJob() throws {
    let tape = Tape(scenario: try BuiltInTests.scenario("governance-five"), seed: 1)
    #expect(
      tape.csv(limit: 2) == [
        "job,job_type,priority,intended_ns,delay_ns,cancel_after_ns,batch,dependencies,service_ns,ending",
        "0,constitutional_compliance_check,high,0,0,,0,,100000000,succeeds",
        "1,policy_synthesis,normal,0,0,,0,,301000000,succeeds",
      ])
    #expect(tape.csv(limit: 100).count == 6)
  }
}
