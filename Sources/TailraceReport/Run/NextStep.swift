import TailraceMeasurement

/// The command that finds what would have met a target.
package enum NextStep {
  /// nil if a search in simulation cannot vary what held the jobs back, or if the run was not started by `tailrace run`
  /// with this scenario as the first argument.
  package static func command(_ target: TargetOutcome, in scenario: ScenarioResult, of suite: SuiteResult) -> String? {
    guard let cause = scenario.causes?.first(where: { $0.target == target.expression }),
      !cause.disturbances.contains(where: { name in
        scenario.primary?.validity.contains { $0.name == name && $0.verdict == .failed } ?? true
      }), let wait = cause.slow?.wait, let held = wait.held.first, let limit = held.limit, limit >= 1, limit < 10_000
    else { return nil }
    let key: String
    switch held.by {
    case .workers: key = "scheduler.workers"
    case .poolConcurrency: key = "scheduler.concurrency"
    case .typeConcurrency:
      guard let type = held.type else { return nil }
      key = "jobs.\(type).concurrency"
    case .typeRate, .poolRate, .memory, .adaptive, .unknown: return nil
    }
    let words = Self.words(of: suite.command)
    guard words.prefix(2) == ["tailrace", "run"], words.count > 2, !words[2].hasPrefix("-"),
      suite.scenarios.count == 1 || words.contains(scenario.name)
    else { return nil }
    let name = suite.scenarios.count == 1 ? words[2] : scenario.name
    let range = "\(key)=\(Int(limit))..\(Int(limit) * 4)"
    return (["tailrace", "plan", quoted(name), "--vary", quoted(range)] + kept(words)).joined(separator: " ")
  }

  /// The options that change the scenario or its targets, as written.
  private static func kept(_ words: [String]) -> [String] {
    var kept: [String] = []
    var index = 3
    while index < words.count {
      let word = words[index]
      if ["--set", "--duration", "--time-scale", "--target"].contains(word), index + 1 < words.count {
        kept += [word, quoted(words[index + 1])]
        index += 1
      } else if ["--set=", "--duration=", "--time-scale=", "--target="].contains(where: word.hasPrefix) {
        kept.append(quoted(word))
      }
      index += 1
    }
    return kept
  }

  /// The words of a command line as a report shows it, where apostrophes quote words.
  private static func words(of command: String) -> [String] {
    var (words, word, isQuoted, isOpen) = ([String](), "", false, false)
    for character in command {
      switch character {
      case "'": (isQuoted, isOpen) = (!isQuoted, true)
      case " " where !isQuoted:
        if isOpen { words.append(word) }
        (word, isOpen) = ("", false)
      default:
        word.append(character)
        isOpen = true
      }
    }
    return isOpen ? words + [word] : words
  }

  private static func quoted(_ word: String) -> String {
    let isPlain = !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=,:%+@".contains($0) }
    return isPlain ? word : "'\(word)'"
  }
}
