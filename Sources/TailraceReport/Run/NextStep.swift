import TailraceMeasurement
import TailraceSpelling

/// The command that finds in simulation what would have met a target.
package enum NextStep {
  /// nil if a search in simulation cannot vary what held the jobs back, or if the run was not started by `tailrace run`
  /// with this scenario as the first argument.
  package static func command(_ target: TargetOutcome, in scenario: ScenarioResult, of suite: SuiteResult) -> String? {
    guard let cause = scenario.causes?.first(where: { $0.target == target.expression }),
      !cause.disturbances.contains(where: { name in
        scenario.primary?.validity.contains { $0.name == name && $0.verdict == .failed } ?? true
      }), let held = cause.slow?.wait?.held.first
    else { return nil }
    let words = ShellWords.words(of: suite.command)
    guard words.prefix(2) == ["tailrace", "run"], words.count > 2, !words[2].hasPrefix("-"),
      suite.scenarios.count == 1 || words.contains(scenario.name)
    else { return nil }
    let name = ShellWords.quoted(suite.scenarios.count == 1 ? words[2] : scenario.name)
    let command: [String]
    if let key = key(of: held), let limit = held.limit, limit >= 1, limit < 10_000 {
      let range = "\(key)=\(Int(limit))..\(Int(limit) * 4)"
      command = ["tailrace", "plan", name, "--vary", ShellWords.quoted(range)] + kept(words, without: key)
    } else if [.typeRate, .poolRate, .memory].contains(held.by), scenario.primary?.observations.isOpenLoop == true,
      scenario.trace == nil
    {
      command = ["tailrace", "capacity", name] + kept(words)
    } else {
      return nil
    }
    return command.joined(separator: " ")
  }

  /// The words before a command: what it finds.
  static func introduction(_ command: String) -> String {
    command.hasPrefix("tailrace capacity")
      ? "To find in simulation the highest arrival rate that meets it" : "To find in simulation what would meet it"
  }

  /// The key that sets what held the jobs back; nil if a plan cannot vary it.
  private static func key(of held: SlowJobs.Held) -> String? {
    switch held.by {
    case .workers: "scheduler.workers"
    case .poolConcurrency: "scheduler.concurrency"
    case .typeConcurrency: held.type.map { "jobs.\($0).concurrency" }
    case .typeRate, .poolRate, .memory, .adaptive, .unknown: nil
    }
  }

  /// The options that change the scenario or its targets, as written, without those that set a key.
  private static func kept(_ words: [String], without key: String? = nil) -> [String] {
    func sets(_ assignment: some StringProtocol) -> Bool { key.map { assignment.hasPrefix("\($0)=") } ?? false }
    var kept: [String] = []
    var index = 3
    while index < words.count {
      let word = words[index]
      if ["--set", "--duration", "--time-scale", "--target"].contains(word), index + 1 < words.count {
        if word != "--set" || !sets(words[index + 1]) { kept += [word, ShellWords.quoted(words[index + 1])] }
        index += 1
      } else if ["--set=", "--duration=", "--time-scale=", "--target="].contains(where: word.hasPrefix) {
        if !word.hasPrefix("--set=") || !sets(word.dropFirst("--set=".count)) { kept.append(ShellWords.quoted(word)) }
      }
      index += 1
    }
    return kept
  }
}
