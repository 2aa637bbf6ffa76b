import ArgumentParser
import Foundation
import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReport
import TailraceSpelling
import TailraceText
import TailraceWorkload

/// The scenarios named by arguments: built-in scenarios and suites, files, and folders of files.
struct ScenarioSelection {
  /// The set's name in the report.
  let suite: String
  let scenarios: [Scenario]
  /// The origin of each scenario, as the user named it.
  let origins: [String]

  /// What is done with loads that take practically forever.
  enum LargeLoads {
    /// Reports them as problems; `offers`: suggest `--force`, which starts them.
    case refused(offers: Bool)
    case started
  }

  /// Reads and checks every scenario before anything runs.
  ///
  /// - Parameters:
  ///   - targets: Expressions to add to each scenario's targets.
  /// - Throws: An exit code, after printing every problem of every argument to standard error.
  ///   - largeLoads: How to handle loads that would take too long.
  init(
    _ arguments: [String], changes: ScenarioChanges, targets: [String],
    largeLoads: LargeLoads = .refused(offers: false)
  ) throws {
    var reading = SelectionReader(changes: changes, targets: targets, largeLoads: largeLoads)
    for argument in arguments { reading.add(argument) }
    let problems = reading.allProblems
    guard problems.isEmpty else { throw Refusal.usage(problems) }
    suite = Self.suiteName(arguments, reading.found.map(\.scenario))
    scenarios = reading.found.map(\.scenario)
    origins = reading.found.map(\.origin)
  }

  /// Rejects changes that do not affect any scenario.
  func requireEffect(of changes: ScenarioChanges) throws {
    let names = scenarios.map(\.name).joined(separator: ", ")
    var problems: [String] = []
    if changes.timeScale != 1, !scenarios.contains(where: \.isScalable) {
      problems.append("--time-scale does not apply to \(names): the duration of real operations cannot be scaled")
    }
    // All jobs of a batch arrive at its start.
    let isEnded = scenarios.contains { $0.streams.contains { !$0.isBatch || $0.start > .zero } }
    if changes.duration != nil, !isEnded {
      problems.append("--duration does not apply to \(names): all jobs arrive at the start")
    }
    guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: \($0); leave it out" }) }
  }

  /// The error for an argument that names no scenario.
  static func unknown(_ name: String) -> String {
    let known = BuiltIn.suites.map(\.name) + BuiltIn.all
    return "'\(name)' is neither a built-in scenario or suite nor a file; "
      + didYouMean(name, among: known + files(near: name)) + "'tailrace list' lists the built-in ones"
  }

  /// Scenario files in the same folder, as suggestions for a misspelt name.
  static func files(near name: String) -> [String] {
    let folder = name.contains("/") ? String(name[...name.lastIndex(of: "/")!]) : ""
    let found = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    return found.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().map { folder + $0 }
  }

  private static let told = Locked<Set<String>>([])

  /// Prints which names in a scenario have changed, each once.
  private static func tellFormerNames(of scenario: Scenario) {
    for words in scenario.formerNames where told.withLock({ $0.insert(words).inserted }) {
      Terminal.error.write("Note: \(words).\n")
    }
  }

  private static func suiteName(_ arguments: [String], _ scenarios: [Scenario]) -> String {
    guard let only = arguments.first, arguments.count == 1 else { return "selection" }
    if BuiltIn.suite(named: only) != nil { return only }
    if scenarios.count == 1, let scenario = scenarios.first { return scenario.name }
    let folder = URL(fileURLWithPath: only).standardizedFileURL.lastPathComponent
    let name = folder.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    return name.isEmpty || name.hasPrefix(".") ? "selection" : name
  }
}

extension ScenarioSelection {
  /// State while the arguments are read.
  private struct SelectionReader {
    let changes: ScenarioChanges
    let targets: [String]
    let largeLoads: LargeLoads
    var found: [(scenario: Scenario, origin: String)] = []
    /// Locations in files, in the order of the arguments.
    private var problems: [String] = []
    /// Problems of flags, each with the scenarios that it concerns.
    private var flagProblems: [(text: String, scenarios: [String])] = []
    private var sources: Set<String> = []
    private var read = 0

    init(changes: ScenarioChanges, targets: [String], largeLoads: LargeLoads) {
      self.largeLoads = largeLoads
      self.changes = changes
      self.targets = targets
    }

    /// Every problem, one per line. A flag's problem names its scenarios unless it concerns all.
    var allProblems: [String] {
      problems
        + flagProblems.map { problem in
          problem.scenarios.count == read
            ? problem.text : "\(problem.text) (in \(problem.scenarios.joined(separator: ", ")))"
        }
    }

    mutating func add(_ argument: String) {
      if let suite = BuiltIn.suite(named: argument) {
        for name in suite.scenarios { addBuiltIn(name) }
      } else if BuiltIn.yaml(named: argument) != nil {
        addBuiltIn(argument)
      } else {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder)
        if isFolder.boolValue {
          addFolder(argument)
        } else if exists || argument.contains("/") || argument.hasSuffix(".yaml") || argument.hasSuffix(".yml") {
          addFile(argument)
        } else {
          problems.append("Error: \(ScenarioSelection.unknown(argument))")
        }
      }
    }

    private mutating func addBuiltIn(_ name: String) {
      guard sources.insert(name).inserted else { return }
      guard let result = BuiltIn.scenario(named: name, overrides: changes.overrides, checking: .measurement) else {
        preconditionFailure("the suite names the scenario '\(name)', which is not built in")
      }
      switch result {
      case .success(let scenario): add(scenario, from: name)
      case .failure(let failure): record(failure, of: name)
      }
    }

    private mutating func addFolder(_ path: String) {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      let files = names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
      if files.isEmpty {
        problems.append("Error: the folder '\(path)' contains no scenario file; name a folder with *.yaml files in it")
      }
      for file in files { addFile((path.hasSuffix("/") ? path : path + "/") + file, .regular) }
    }

    private mutating func addFile(_ path: String, _ kind: InputFile.Kind = .any) {
      guard FileManager.default.fileExists(atPath: path) else {
        let hint = didYouMean(path, among: ScenarioSelection.files(near: path))
        return problems.append("\(path): the file does not exist; \(hint)name a readable scenario file")
      }
      guard sources.insert(URL(fileURLWithPath: path).standardizedFileURL.path).inserted else { return }
      do {
        add(
          try ScenarioParser.load(file: path, kind, overrides: changes.overrides, checking: .measurement), from: path)
      } catch {
        record(error, of: path)
      }
    }

    private mutating func add(_ scenario: Scenario, from origin: String) {
      read += 1
      if let other = found.first(where: { $0.scenario.name == scenario.name }) {
        problems.append(
          "\(origin): the scenario name '\(scenario.name)' is already used by \(other.origin); rename one")
        return
      }
      if case .refused(let offers) = largeLoads, let refusal = LoadAnnouncement.refusal(of: scenario) {
        problems.append("\(origin): \(refusal)\(offers ? "; --force starts it anyway" : "")")
      }
      noteReach(of: scenario)
      ScenarioSelection.tellFormerNames(of: scenario)
      var scenario = scenario
      let types = scenario.jobs.map(\.name)
      for target in targets {
        if let problem = TargetExpression.problem(in: target, types: types) {
          noteFlag("--target \(problem)", of: scenario.name)
        }
      }
      scenario.targets += targets
      found.append((scenario, origin))
    }

    /// Checks that a time scale does not make durations too long.
    private mutating func noteReach(of scenario: Scenario) {
      guard changes.timeScale != 1, scenario.isScalable else { return }
      let scaled = scenario.scaled(by: changes.timeScale)
      let flag = "--time-scale \(HumanUnits.digits(changes.timeScale))"
      if scaled.longestTime > .longest {
        noteFlag("\(flag): a duration becomes longer than 100 years; use a smaller factor", of: scenario.name)
      } else {
        for problem in scaled.timesOutOfReach { noteFlag("\(flag): \(problem.words)", of: scenario.name) }
      }
    }

    private mutating func record(_ failure: ScenarioProblems, of origin: String) {
      read += 1
      for problem in failure.problems {
        if problem.override == nil {
          problems.append(problem.description)
        } else {
          noteFlag(changes.reworded(problem.description), of: origin)
        }
      }
    }

    private mutating func noteFlag(_ text: String, of scenario: String) {
      if let index = flagProblems.firstIndex(where: { $0.text == text }) {
        flagProblems[index].scenarios.append(scenario)
      } else {
        flagProblems.append((text, [scenario]))
      }
    }
  }
}

extension LoadStream {
  fileprivate var isBatch: Bool { if case .batch = arrivals { true } else { false } }
}

extension ExpressionCheck {
  /// Converts targets and published figures for the measurement.
  static let measurement = ExpressionCheck(
    target: TargetExpression.problem(in:types:), published: TargetExpression.problem(inPublished:value:types:),
    metric: TargetExpression.problem(inMetric:types:))
}
