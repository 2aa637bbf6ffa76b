import ArgumentParser
import TailraceCore
import TailraceReplay

/// The flags of `run` for a process of its own that replays what this one was asked for.
///
/// They follow the declaration of `run`: each of its options has a rule here, and a test goes through all of them.
struct ChildArguments {
  /// What a process of its own is told of one option.
  enum Rule {
    /// It is passed on with each of these values; with none, it is left out.
    case values(@Sendable (ChildArguments) -> [String])
    /// It is passed on where this is true.
    case flag(@Sendable (ChildArguments) -> Bool)
    /// It is never passed on, for this reason.
    case notPassed(String)
  }

  var load: LoadOptions
  var changes: ScenarioChanges
  /// The system of this candidate.
  var system: String

  /// By the names under which `run` declares its options.
  static let rules: [String: Rule] = {
    let ownReport = "a process of its own writes no report and shows no progress"
    let output = "the caller chooses what the process prints"
    return [
      "scenarios": .notPassed("each candidate has scenarios of its own, which follow the flags"),
      "seed": .notPassed("each round has a seed of its own"),
      "set": .values { $0.changes.pairs.map { "\($0.key)=\($0.value)" } },
      "duration": .values { $0.changes.duration.map { [$0.text] } ?? [] },
      "time-scale": .values { ["\($0.changes.timeScale)"] }, "system": .values { [$0.system] },
      "target": .values { $0.load.targets }, "pacer": .values { [$0.load.pacer.rawValue] },
      "max-lag": .values { [$0.load.maxLag.text] }, "grace": .values { [$0.load.grace.text] },
      "force": .flag { $0.load.force },
      "plant": .values { $0.load.planted.map { "\($0.type)=\($0.factor)" } }, "output": .notPassed(ownReport),
      "quiet": .notPassed(ownReport), "jobs": .notPassed(ownReport), "record-tape": .notPassed(ownReport),
      "progress": .notPassed(ownReport), "allocations": .notPassed(ownReport),
      "counts-allocations": .notPassed(output), "emit-result": .notPassed(output),
    ]
  }()

  /// Those that say how results are judged and what slows them down; they make no other tape.
  static let judging: Set<String> = ["target", "plant"]

  private static let declared = DeclaredArgument.all(of: RunCommand.self)

  /// Every flag that is passed on, in the order of the declaration.
  var flags: [String] { flags { _ in true } }

  /// The flags and then the scenarios.
  func arguments(_ scenarios: [String]) -> [String] { flags + Self.paths(scenarios) }

  /// Scenarios, never read as flags, whatever their names.
  static func paths(_ scenarios: [String]) -> [String] { scenarios.map { $0.hasPrefix("-") ? "./\($0)" : $0 } }

  fileprivate func flags(where isWanted: (_ key: String) -> Bool) -> [String] {
    Self.declared.flatMap { argument -> [String] in
      guard let rule = Self.rules[argument.key] else {
        preconditionFailure("nothing says whether \(argument.shown) of 'run' is passed on; add it to ChildArguments")
      }
      guard isWanted(argument.key) else { return [] }
      switch rule {
      case .values(let values):
        return values(self).flatMap { $0.hasPrefix("-") ? ["\(argument.shown)=\($0)"] : [argument.shown, $0] }
      case .flag(let isSet): return isSet(self) ? [argument.shown] : []
      case .notPassed: return []
      }
    }
  }
}

extension LoadOptions {
  /// The arguments of `run` that replay these scenarios with these changes, without a seed.
  func childArguments(_ scenarios: [String], _ changes: ScenarioChanges, system: String) -> [String] {
    ChildArguments(load: self, changes: changes, system: system).arguments(scenarios)
  }

  /// Targets and planted slowdowns.
  var judgingFlags: [String] {
    ChildArguments(load: self, changes: ScenarioChanges(), system: "").flags(where: ChildArguments.judging.contains)
  }
}
