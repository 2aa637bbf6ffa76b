import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// The conformance suite for drivers: small tapes, each of which tests one ability.
package struct DriverCheck: Sendable {
  /// What came of one test.
  package struct Verdict: Sendable, Encodable {
    package enum State: String, Sendable, Encodable {
      case passed, failed
      /// The driver says that its scheduler cannot do it.
      case lacking
    }
    /// A stable name for files: `priorities`.
    package var ability: String
    package var state: State
    /// What was tested, or what went wrong.
    package var words: String
  }

  /// A test.
  private struct Test: Sendable {
    var name: String
    var ability: DriverAbility?
    /// What the scheduler must do, in one sentence.
    var demand: String
    var scenario: String
    /// What is wrong with the records; nil: nothing.
    var judge: @Sendable (Evidence) -> String?
  }

  /// What a test's run left.
  private struct Evidence {
    var tape: Tape
    var records: [TimelineRecord]
    var outcome: ReplayOutcome
    func type(_ record: TimelineRecord) -> String { tape.scenario.jobs[Int(record.type.rawValue)].name }
    /// The attempts of a type, in the order of their starts.
    func attempts(of type: String) -> [TimelineRecord] {
      records.filter { $0.wasStarted && self.type($0) == type }.sorted { $0.started < $1.started }
    }
  }

  private let system: StreamedSystem

  package init(_ system: StreamedSystem) { self.system = system }

  /// The names of the tests, in order.
  package static var names: [String] { tests.map(\.name) }

  /// Runs every test.
  ///
  /// - Parameter onVerdict: Called after each.
  package func run(interruption: StopFlag, onVerdict: (Verdict) -> Void) async -> [Verdict] {
    var verdicts: [Verdict] = []
    for test in Self.tests where !interruption.isSet {
      let verdict = await verdict(test, interruption)
      verdicts.append(verdict)
      onVerdict(verdict)
    }
    return verdicts
  }

  private func verdict(_ test: Test, _ interruption: StopFlag) async -> Verdict {
    if let ability = test.ability, system.lackedAbilities.contains(ability) {
      return Verdict(ability: test.name, state: .lacking, words: "The driver says that its scheduler lacks it.")
    }
    do {
      let scenario = try ScenarioParser.parse(yaml: test.scenario, file: "check.yaml").get()
      let log = AttemptLog()
      var replay = Replay(tape: Tape(scenario: scenario, seed: 7), interruption: interruption)
      replay.log = log
      let outcome = try await system.replay(replay)
      if let ability = test.ability, outcome.observations.driver?.lacks.contains(ability.words) == true {
        return Verdict(ability: test.name, state: .lacking, words: "The driver says that its scheduler lacks it.")
      }
      let evidence = Evidence(tape: replay.tape, records: log.take().records, outcome: outcome)
      let problem = (test.name == "stop" ? nil : Self.unsettled(evidence)) ?? test.judge(evidence)
      return Verdict(ability: test.name, state: problem == nil ? .passed : .failed, words: problem ?? test.demand)
    } catch let problem as ExternalSystemProblem where problem.isLack {
      return Verdict(ability: test.name, state: .lacking, words: "The driver says that its scheduler lacks it.")
    } catch {
      return Verdict(ability: test.name, state: .failed, words: ErrorWords.of(error))
    }
  }

  private static func unsettled(_ evidence: Evidence) -> String? {
    let left = evidence.outcome.facts.unsettled
    return left == 0 ? nil : "\(left) of \(evidence.outcome.facts.intended) jobs had not settled after 60 s"
  }

  private static let tests: [Test] = [
    Test(
      name: "jobs", ability: nil, demand: "Twenty jobs run for their service time and succeed.",
      scenario: """
        name: jobs
        jobs: {a: {service: 20ms}}
        load: {constant: 50/s, of: a}
        duration: 400ms
        drain: 60s
        scheduler: {workers: 2, policy: fifo}
        """
    ) { evidence in
      for record in evidence.records {
        guard record.outcome == .succeeded else { return "job \(record.number) ended as \(name(record))" }
        guard record.finished - record.started >= .milliseconds(19) else {
          return "job \(record.number) ran for \((record.finished - record.started).words); its service time is 20 ms"
        }
      }
      return nil
    },
    Test(
      name: "workers", ability: nil, demand: "Two jobs run at once on two workers, and never three.",
      scenario: """
        name: workers
        jobs: {a: {service: 200ms}}
        load: {batch: 8, of: a}
        drain: 60s
        scheduler: {workers: 2, policy: fifo}
        """
    ) { evidence in
      let most = mostAtOnce(evidence.records)
      return most == 2 ? nil : "at most \(most) job ran at once on 2 workers"
    },
    Test(
      name: "priorities", ability: .priorities,
      demand: "While one worker is busy, urgent jobs overtake others. One job may have been fetched in advance.",
      scenario: """
        name: priorities
        jobs:
          blocker: {service: 600ms}
          urgent: {service: 10ms, priority: critical}
          idle: {service: 10ms, priority: low}
        load:
          - {batch: 1, of: blocker}
          - {batch: 4, of: idle, start: 200ms}
          - {batch: 4, of: urgent, start: 300ms}
        drain: 60s
        scheduler: {workers: 1, policy: priority}
        """
    ) { evidence in
      guard let last = evidence.attempts(of: "urgent").last else { return "no urgent job ran" }
      let before = evidence.attempts(of: "idle").count { $0.started < last.started }
      return before <= 1 ? nil : "\(before) of 4 jobs with priority low started before an urgent job that was waiting"
    },
    Test(
      name: "delays", ability: .delays, demand: "A job with a delay does not start before it is over.",
      scenario: """
        name: delays
        jobs: {a: {service: 5ms, delay: 1500ms}}
        load: {batch: 3, of: a}
        drain: 60s
        scheduler: {workers: 1, policy: fifo}
        """
    ) { evidence in
      for record in evidence.attempts(of: "a") where record.started - record.submitted < .milliseconds(1_490) {
        return "job \(record.number) started \((record.started - record.submitted).words) after its submission; its "
          + "delay is 1.5 s"
      }
      return nil
    },
    Test(
      name: "dependencies", ability: .dependencies, demand: "A job starts after the jobs that it depends on.",
      scenario: """
        name: dependencies
        jobs: {a: {service: 100ms}, b: {service: 10ms}}
        graphs: {g: {phases: [[a, a], [b]]}}
        load: {batch: 2, of: g}
        drain: 60s
        scheduler: {workers: 2, policy: fifo}
        """
    ) { evidence in
      let finished = Dictionary(evidence.records.map { ($0.number, $0.finished) }) { max($0, $1) }
      for record in evidence.attempts(of: "b") {
        for other in evidence.outcome.facts.dependencies(record.number) {
          guard let end = finished[other], end <= record.started else {
            return "job \(record.number) started before job \(other), on which it depends, had ended"
          }
        }
      }
      return nil
    },
    Test(
      name: "retries", ability: .retries, demand: "A failed attempt is followed by as many as are left.",
      scenario: """
        name: retries
        jobs: {a: {service: 5ms, failures: 50%}}
        load: {batch: 8, of: a}
        drain: 60s
        scheduler: {workers: 1, policy: fifo, retries: {limit: 2, backoff: fixed, base: 500ms, jitter: none}}
        """
    ) { evidence in
      let byJob = Dictionary(grouping: evidence.records, by: \.number)
      for (number, records) in byJob {
        var expected = 1
        while expected < 3, evidence.tape.attempt(job: number, type: 0, attempt: expected).ending == .fails {
          expected += 1
        }
        let made = records.count { $0.wasStarted }
        guard made == expected else { return "job \(number) had \(made) attempts; its plan has \(expected)" }
        let fails = evidence.tape.attempt(job: number, type: 0, attempt: expected).ending == .fails
        let cause = records.last?.cause.name ?? "nothing"
        guard cause == (fails ? "failed" : "succeeded") else {
          return "job \(number) settled as \(cause) after \(made) attempts"
        }
      }
      return nil
    },
    Test(
      name: "timeouts", ability: .timeouts, demand: "An attempt that hangs ends at its timeout.",
      scenario: """
        name: timeouts
        jobs: {a: {service: 5ms, timeout: 2s, failures: {hangs: 100%}}}
        load: {batch: 2, of: a}
        drain: 60s
        scheduler: {workers: 2, policy: fifo, retries: 0}
        """
    ) { evidence in
      for record in evidence.records {
        guard record.outcome == .timedOut else { return "a job that hangs ended as \(name(record))" }
        let time = record.finished - record.started
        guard time >= .milliseconds(1_900), time <= .seconds(8) else {
          return "a job with a timeout of 2 s was ended after \(time.words)"
        }
      }
      return nil
    },
    Test(
      name: "cancellation", ability: .cancellation, demand: "A job that is cancelled while it waits does not run.",
      scenario: """
        name: cancellation
        jobs:
          blocker: {service: 1s}
          doomed: {service: 5ms, cancel: {share: 100%, after: 200ms}}
        load: [{batch: 2, of: blocker}, {batch: 3, of: doomed, start: 100ms}]
        drain: 60s
        scheduler: {workers: 1, policy: fifo}
        """
    ) { evidence in
      let ran = evidence.attempts(of: "doomed").count
      guard ran == 0 else { return "\(ran) of 3 jobs that were cancelled while they waited ran" }
      let causes = evidence.records.filter { evidence.type($0) == "doomed" && $0.settles && $0.cause == .cancelled }
      return causes.count == 3 ? nil : "\(causes.count) of 3 cancelled jobs settled as cancelled"
    },
    Test(
      name: "stop", ability: nil, demand: "The driver ends within 10 s while jobs run and wait.",
      scenario: """
        name: stop
        jobs: {a: {service: 30s}}
        load: {batch: 4, of: a}
        drain: 500ms
        scheduler: {workers: 2, policy: fifo}
        """
    ) { _ in nil },
  ]

  private static func name(_ record: TimelineRecord) -> String {
    record.outcome.settlement(mayRetry: false)?.name ?? "nothing"
  }

  private static func mostAtOnce(_ records: [TimelineRecord]) -> Int {
    records.map { one in records.count { $0.started <= one.started && $0.finished > one.started } }.max() ?? 0
  }
}
