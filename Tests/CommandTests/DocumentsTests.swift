// Goal: the documents of one verdict say one thing. Terminal, Markdown, HTML, JUnit, comment and JSON of a gate, a
// comparison and a run are rendered from the same value and compared: verdict, targets and figures.

import Foundation
import TailraceCore
import TailraceMeasurement
import TailraceReport
import Testing

@testable import TailraceHarness
@testable import tailrace

struct DocumentsTests {
  /// A result of some jobs, of which each takes so long.
  static func suite(seed: UInt64, service: Int64, targets: [String], jobs: Int = 400) throws -> SuiteResult {
    let types = ["report"]
    let recorder = Recorder(Recorder.RecorderSettings(types: types, window: MeasurementWindow()))
    let records = (0..<jobs).map { job -> TimelineRecord in
      var record = TimelineRecord(
        number: UInt64(job), type: JobTypeID(rawValue: 0), priority: .normal,
        intended: Instant(nanoseconds: Int64(job) * 1_000_000))
      record.submitted = record.intended
      record.accepted = record.intended
      record.eligible = record.intended
      record.started = record.intended + .microseconds(10)
      record.finished =
        record.started + Nanoseconds(service + Int64(job) * 1_000 + Int64(seed * 7 % 5) * service / 500)
      record.outcome = .succeeded
      record.settles = true
      record.cause = .succeeded
      return record
    }
    records.withUnsafeBufferPointer { recorder.record($0) }
    let facts = RunFacts(intended: jobs, workers: [(.async, 4)])
    var observations = Observations()
    observations.isOpenLoop = false
    observations.meanJobsInSystem = .unavailable("nobody counted")
    observations.observedFor = .seconds(1)
    let run = RunResult(
      system: "simulated", seed: seed, timeScale: 1, fingerprint: "f", measurement: recorder.measurement(facts),
      observations: observations)
    return SuiteResult(
      version: "1", suite: "mine", started: "2000-01-01T00:00:00Z", environment: [], command: "tailrace run mine",
      seed: seed, timeScale: 1,
      scenarios: [
        try ScenarioResult(name: "mine", summary: "Reports.", runs: [run], targets: targets, types: types)
      ])
  }

  /// A gate of 12 rounds, with as many fresh ones where something failed.
  static func gate(
    slower: Int64 = 0, targets: [String] = [], regressions: [String] = [], isStrict: Bool = false, rounds: Int = 12
  ) throws -> GateFindings {
    func pass(_ first: UInt64) throws -> (ComparisonFindings, [GateCheck]) {
      var comparison = Comparison(rules: ComparisonRules(), metrics: regressions.isEmpty ? [] : ["response.mean"])
      for round in 0..<UInt64(rounds) {
        comparison.add(
          ComparisonRound(number: Int(round) + 1, seed: first + round, order: [0, 1]),
          [
            try suite(seed: first + round, service: 5_000_000, targets: targets),
            try suite(seed: first + round, service: 5_000_000 + slower + Int64(first) * 10_000, targets: targets),
          ], labels: ["main", "candidate"])
      }
      let contrasts = comparison.contrasts(isLast: true)
      let findings = ComparisonFindings(
        name: "gate", command: "tailrace gate", version: "1", started: "2000-01-01T00:00:00Z",
        candidates: [ComparedCandidate(label: "main", source: ""), ComparedCandidate(label: "candidate", source: "")],
        comparison: comparison, contrasts: contrasts, ending: "no more were planned", forced: [],
        first: comparison.results.first ?? [])
      return (
        findings,
        GateCheck.checks(
          of: comparison, contrasts, regressions: regressions, baseline: "main", types: ["mine": ["report", "other"]])
      )
    }
    let (first, checks) = try pass(1)
    guard checks.contains(where: { $0.verdict == .missed }) else {
      return GateFindings(comparison: first, confirmation: nil, checks: checks, isStrict: isStrict)
    }
    let (fresh, again) = try pass(101)
    return GateFindings(
      comparison: first, confirmation: fresh, checks: GateCheck.confirmed(checks, by: again), isStrict: isStrict)
  }

  /// Words as a page of HTML or XML has them.
  private static func plain(_ markup: String) -> String {
    markup.replacing(/<[^>]*>/, with: "").replacing("&lt;", with: "<").replacing("&gt;", with: ">")
      .replacing("&quot;", with: "\"").replacing("&amp;", with: "&")
  }

  static let gates: [(word: String, status: Int32, make: @Sendable () throws -> GateFindings)] = [
    ("PASSED", 0, { try gate(targets: ["response.p50 < 1s"]) }),
    ("MISSED", 2, { try gate(targets: ["response.p50 < 1ms", "lost == 0"]) }),
    ("WORSE", 3, { try gate(slower: 1_000_000, targets: ["lost == 0"]) }),
    ("WORSE", 3, { try gate(slower: 1_000_000, regressions: ["response.mean < +5%"]) }),
    ("MISSED", 2, { try gate(regressions: ["response.mean < +5%", "response{type=other}.mean < +5%"]) }),
    ("INVALID", 4, { try gate(rounds: 0) }),
  ]

  @Test(arguments: gates.indices) func documentsOfAGateAgree(_ index: Int) throws {
    let (word, status, make) = Self.gates[index]
    let findings = try make()
    #expect(findings.word == word && findings.exitStatus == status, "\(findings.word) \(findings.checks)")
    let files = Dictionary(uniqueKeysWithValues: try GateFiles.render(findings).map { ($0.path, $0.bytes) })
    func text(_ name: String) throws -> String { String(decoding: try #require(files[name]), as: UTF8.self) }
    let page = Self.plain(try text("report.html"))
    let prose: [(String, String)] = [
      ("terminal", GateSummary(findings, terminal: .output).text), ("report.md", try text("report.md")),
      ("comment", try GatePage.comment(findings)), ("report.html", page),
    ]
    let junit = Self.plain(try text("gate.xml").replacing("\"", with: " ").replacing("<failure message=", with: ""))
    let attributes = try text("gate.xml").replacing("&lt;", with: "<").replacing("&gt;", with: ">")
    for check in findings.checks {
      let seen = GatePage.seen(check)
      for (name, document) in prose {
        let document = document.replacing("\\|", with: "|").replacing("`", with: "")
        #expect(document.contains(check.expression), "\(name) lacks \(check.expression)")
        #expect(document.contains(seen), "\(name) lacks \(seen)")
        for figure in [GatePage.change(check), GatePage.interval(check)] where !figure.isEmpty {
          #expect(document.contains(figure), "\(name) lacks \(figure)")
        }
      }
      #expect(attributes.contains(check.expression) && (attributes + junit).contains(seen), "JUnit lacks \(seen)")
    }
    for (name, document) in prose {
      let shown = name == "report.html" ? word.prefix(1) + word.dropFirst().lowercased() : word
      #expect(document.contains(shown), "\(name) does not say \(shown)")
      #expect(document.contains(GatePage.summary(findings)), "\(name) sums up in other words")
      for other in ["PASSED", "MISSED", "WORSE", "INVALID"] where other != word {
        #expect(!document.contains("\(other): gate") && !document.hasPrefix("\(other):"), "\(name) says \(other)")
      }
    }
    struct Judged: Decodable {
      var verdict: String
      var exitStatus: Int32
      enum CodingKeys: String, CodingKey { case verdict, exitStatus = "exit_status" }
    }
    let json = try JSONDecoder().decode(Judged.self, from: Data(try #require(files["gate.json"])))
    #expect(json.verdict == word && json.exitStatus == status)
    #expect(try GateFiles.decode(try #require(files["gate.json"])) == findings)
    let failures = findings.checks.count { $0.verdict == .missed || $0.verdict == .noValue }
    #expect(attributes.contains("failures=\"\(failures)\" errors=\"\(findings.invalid.count)\""))
    #expect(!attributes.contains("<testsuites name=\"tailrace gate\" tests=\"0\""))
  }

  @Test func aGateWithoutChecksNeverPasses() throws {
    var findings = try Self.gate(targets: ["lost == 0"])
    findings.checks = []
    #expect(findings.exitStatus == 4 && findings.word == "INVALID")
    #expect(GateFiles.junit(findings).contains("tests=\"1\" failures=\"0\" errors=\"1\""))
  }

  /// What a check warns of has its figure and its bound in front of the words.
  @Test func warningsInTheTerminalHaveTheirFigures() throws {
    var suite = try Self.suite(seed: 1, service: 5_000_000, targets: [])
    var others = try #require(suite.scenarios[0].runs[0].validity.first { $0.name == "other_programs" })
    (others.verdict, others.observed, others.bound, others.words) = (.warning, 0.57, 0.25, "w")
    var little = try #require(suite.scenarios[0].runs[0].validity.first { $0.name == "littles_law" })
    (little.verdict, little.observed, little.words) = (.failed, nil, "none")
    suite.scenarios[0].runs[0].validity = [others, little]
    let text = RunSummary(SuiteRun(result: suite, jobs: []), terminal: .output).text
    #expect(text.contains("mine on simulated: other_programs, 57.0 % (bound 25.0 %): w"), "\(text)")
    #expect(text.contains("mine on simulated: littles_law, none"), "\(text)")
  }

  @Test(arguments: [
    (["lost == 0"], "PASSED", 0 as Int32), (["response.p50 < 1ms", "lost == 0"], "MISSED", 2), ([], "NO TARGETS", 0),
  ])
  func documentsOfARunAgree(_ targets: [String], _ word: String, _ status: Int32) throws {
    let suite = try Self.suite(seed: 1, service: 5_000_000, targets: targets)
    #expect(suite.verdict.word == word && suite.exitStatus == status)
    let files = Dictionary(uniqueKeysWithValues: try ReportFiles.render(suite).map { ($0.path, $0.bytes) })
    func text(_ name: String) throws -> String { String(decoding: try #require(files[name]), as: UTF8.self) }
    let terminal = RunSummary(SuiteRun(result: suite, jobs: []), terminal: .output).text
    let page = Self.plain(try text("report.html"))
    #expect(terminal.hasPrefix("\(word) mine: ") && terminal.contains("simulated"))
    #expect(try text("report.md").hasPrefix("# \(word): mine\n"))
    #expect(page.contains(word.prefix(1) + word.dropFirst().lowercased()))
    let median = try #require(suite.scenarios[0].primary?.measurement.all[.response]?.percentiles([50]).first ?? nil)
    let shown = HumanUnits.time(Double(median.rawValue))
    for (name, document) in [("terminal", terminal), ("report.md", try text("report.md")), ("report.html", page)] {
      #expect(document.contains(shown), "\(name) lacks the median, \(shown)")
      for target in suite.scenarios[0].targets where target.verdict != .met {
        #expect(document.contains(target.expression), "\(name) lacks \(target.expression)")
        #expect(document.contains(HumanUnits.value(target.observed, target.unit)), "\(name) lacks what was observed")
      }
      for other in ["PASSED", "MISSED", "NO TARGETS"] where other != word {
        #expect(!document.contains(other), "\(name) says \(other)")
      }
    }
    struct Judged: Decodable {
      var verdict: String
      var exitStatus: Int32
      enum CodingKeys: String, CodingKey { case verdict, exitStatus = "exit_status" }
    }
    let json = try JSONDecoder().decode(Judged.self, from: Data(try #require(files["result.json"])))
    #expect(json.verdict == word && json.exitStatus == status)
  }

  @Test(arguments: [(0, 12, false), (1_000_000 as Int64, 12, false), (1_000_000, 12, true), (1_000_000, 4, true)])
  func documentsOfAComparisonAgree(_ slower: Int64, _ rounds: Int, _ isStrict: Bool) throws {
    var findings = try Self.gate(slower: slower, rounds: rounds).comparison
    if isStrict { findings.isStrict = true }
    #expect(findings.exitStatus == (rounds == 4 ? 5 : slower == 0 ? 0 : 3), "\(findings.contrasts)")
    #expect((findings.word == "INCONCLUSIVE") == (findings.exitStatus == 5))
    let files = Dictionary(uniqueKeysWithValues: try ComparisonFiles.render(findings).map { ($0.path, $0.bytes) })
    func text(_ name: String) throws -> String { String(decoding: try #require(files[name]), as: UTF8.self) }
    let headline = ComparisonPage.headline(findings, candidate: 1)
    let counts = String(headline.drop { $0 != ":" }.dropFirst(2))
    let word = headline.prefix { $0 != ":" }
    let page = Self.plain(try text("report.html"))
    for (name, document) in [
      ("terminal", ComparisonSummary(findings, terminal: .output).text), ("report.md", try text("report.md")),
      ("report.html", page),
    ] {
      #expect(document.contains(counts), "\(name) lacks \(counts)")
      let shown = name == "report.html" ? word.prefix(1) + word.dropFirst().lowercased() : word
      #expect(document.contains(shown), "\(name)")
      for contrast in findings.contrasts {
        #expect(document.contains(contrast.metric), "\(name) lacks \(contrast.metric)")
        if let change = contrast.change { #expect(document.contains(ExplanationWords.signed(change)), "\(name)") }
      }
      let explained = findings.explanation(of: 1, in: "mine") != nil
      #expect(document.contains("The cause is the") == explained, "\(name) explains what others do not")
    }
    struct Judged: Decodable {
      var verdict: String
      var exitStatus: Int32
      enum CodingKeys: String, CodingKey { case verdict, exitStatus = "exit_status" }
    }
    let json = try JSONDecoder().decode(Judged.self, from: Data(try #require(files["comparison.json"])))
    #expect(json.verdict == findings.word && json.exitStatus == findings.exitStatus)
  }
}
