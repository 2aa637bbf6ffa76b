// Goal: no option is ignored without a word. Every command says for each of its modes what becomes of each option, so
// that a new flag cannot be forgotten, and what is given and does not apply is refused with its name and the reason.

import ArgumentParser
import Testing

@testable import tailrace

struct OptionTests {
  /// Every command that does something, with the words that name it.
  static let leaves: [(words: [String], type: any ParsableCommand.Type)] = {
    func leaves(of command: any ParsableCommand.Type, _ words: [String]) -> [([String], any ParsableCommand.Type)] {
      let below = command.configuration.subcommands
      guard !below.isEmpty else { return [(words, command)] }
      return below.flatMap { leaves(of: $0, words + [$0.configuration.commandName ?? "\($0)".lowercased()]) }
    }
    return leaves(of: Tailrace.self, [])
  }()

  @Test func everyModeHonorsOrRefusesEveryOption() throws {
    #expect(Self.leaves.count >= 17)
    for (words, type) in Self.leaves {
      let name = words.joined(separator: " ")
      guard let command = type as? any ModalCommand.Type else {
        Issue.record("\(name) does not say what becomes of its options; make it a ModalCommand")
        continue
      }
      let keys = Set(DeclaredArgument.all(of: type).map(\.key))
      for mode in command.modes {
        let named = mode.honored.union(mode.refused.keys)
        #expect(keys.subtracting(named).isEmpty, "\(name) \(mode.name) says nothing of \(keys.subtracting(named))")
        #expect(named.subtracting(keys).isEmpty, "\(name) \(mode.name) names options that there are not")
        let both = mode.honored.intersection(mode.refused.keys)
        #expect(both.isEmpty, "\(name) \(mode.name) honors and refuses \(both)")
        for (option, reason) in mode.refused { #expect(!reason.isEmpty, "\(name) \(mode.name) --\(option)") }
      }
    }
  }

  @Test func declarationsAreRead() throws {
    let run = DeclaredArgument.all(of: RunCommand.self)
    #expect(run.contains { $0.key == "scenarios" && $0.kind == "positional" && $0.isRepeating })
    #expect(run.contains { $0.key == "plant" && $0.kind == "option" && $0.isRepeating }, "hidden ones count too")
    #expect(run.contains { $0.key == "quiet" && $0.kind == "flag" })
    #expect(!run.contains { $0.key == "help" })
  }

  @Test func whatIsGivenIsFoundInEverySpelling() {
    let words = "run -q a.yaml --seed=3 --set x=1 --progress plain --set=y=2 b.yaml -- --seed c".split(separator: " ")
    let given = GivenOptions(words.map(String.init), of: RunCommand.self).options.map {
      "\($0.argument.key)\($0.value.map { "=\($0)" } ?? "")"
    }
    #expect(
      given == [
        "quiet", "seed=3", "set=x=1", "progress=plain", "set=y=2", "scenarios=a.yaml", "scenarios=b.yaml",
        "scenarios=--seed", "scenarios=c",
      ])
    let save = GivenOptions(["baseline", "save", "main", "a.yaml"], of: BaselineCommand.Save.self).options
    #expect(save.map(\.argument.key) == ["name", "scenarios"])
  }

  /// Command lines, and the options that each must refuse.
  static let refused: [(line: String, options: [String])] = [
    ("run a --system simulated --pacer spin --grace 1s", ["pacer", "grace"]),
    ("run a --system simulated-sequential --max-lag 1s", ["max-lag"]),
    ("run a --system sequential --pacer sleep", ["pacer"]),
    ("run a --system exec:/bin/true --pacer sleep --max-lag 1s", ["pacer", "max-lag"]),
    ("run a --system simulated --allocations", ["allocations"]), ("run a --quiet --progress plain", ["progress"]),
    ("run a --emit-result --jobs --quiet", ["jobs", "quiet"]), ("run a --seed 1 --seed 2", ["seed"]),
    ("run a --duration 3s --set duration=4s", ["duration"]), ("run a --set x=1 --set x=2", ["set"]),
    ("run a --system live,live", ["system"]), ("show a --seed 3", ["seed"]), ("show a --duration 1s", ["duration"]),
    ("validate a --time-scale 0.1", ["time-scale"]), ("trace a.yaml --format csv", ["format"]),
    ("trace a.yaml --column submitted=t", ["column"]), ("trace a.swf --fit --json", ["json"]),
    ("plan a --vary x=1..2 --time-scale 0.5", ["time-scale"]),
    ("capacity a --time-scale 0.5", ["time-scale"]), ("capacity a --quiet --progress plain", ["progress"]),
    ("capacity a --vary x=1,2 --set x=3", ["set"]),
    ("compare a b --varied workers --target lost==0 --grace 1s", ["varied", "target", "grace"]),
    ("compare a b --system simulated --pacer spin", ["pacer"]),
    (
      "compare --results a --results b --seed 1 --rounds 3 --budget 1s --set x=1 --duration 1s --vary y=1,2",
      ["seed", "rounds", "budget", "set", "duration", "vary"]
    ), ("compare --results a --results b --progress plain --system live", ["progress", "system"]),
    ("noise a --target lost==0 --grace 1s", ["target", "grace"]), ("baseline save n a --grace 1s", ["grace"]),
    (
      "gate --baseline b --set x=1 --duration 1s --time-scale 2 --seed 3 --rounds 4 --system live --pacer spin",
      ["set", "duration", "time-scale", "seed", "rounds", "system", "pacer"]
    ), ("gate --baseline b --max-lag 1s --grace 1s --build x --product y", ["max-lag", "grace", "build", "product"]),
    ("gate a --baseline b --seed 3 --rounds 4", ["seed", "rounds"]),
    ("gate a --baseline b --system simulated --pacer spin", ["pacer"]),
    ("gate a --baseline b --trials 3 --slowdown 3% --slow-type x", ["trials", "slowdown", "slow-type"]),
    ("gate --baseline b --results r --budget 1s --seed 1 --binary x", ["budget", "seed", "binary"]),
    ("gate a --baseline b --results r", ["SCENARIOS"]), ("gate a --against /bin/sh --build x", ["build"]),
    (
      "gate a --self-test --target lost==0 --junit j --comment c --github --output o --strict",
      [
        "target", "junit", "comment", "github", "output", "strict",
      ]
    ), ("gate a --self-test --baseline b", ["baseline"]), ("gate a --self-test -q", ["quiet"]),
  ]

  @Test(arguments: refused.indices) func whatDoesNotApplyIsRefused(_ index: Int) throws {
    let (line, options) = Self.refused[index]
    let words = line.split(separator: " ").map(String.init)
    let command = try #require(try Tailrace.parseAsRoot(words) as? any ModalCommand)
    let given = GivenOptions(words, of: type(of: command))
    let problems = given.refusals(mode: command.mode, circumstances: command.circumstances)
    #expect(problems.count == options.count, "\(problems)")
    for option in options {
      let shown = option == option.uppercased() ? option : "--\(option)"
      #expect(problems.contains { $0.contains(shown) && $0.count > 30 }, "\(shown) is not refused: \(problems)")
    }
  }

  @Test(arguments: [
    "run a --pacer spin --max-lag 1s --grace 1s --seed 3 --system live,simulated --quiet --progress none",
    "run a --system simulated --max-lag 1s --time-scale 0.5", "show a --tape --seed 3 --limit 2",
    "gate --baseline b --target lost==0 --regression throughput>-3% --plant x=2 --budget 1s --junit j",
    "gate --baseline b --results r --target lost==0 --metric success --force",
    "gate a --against HEAD --build x --product y --rounds 3 --seed 4 --target lost==0",
    "gate a --self-test --trials 3 --slowdown 3% --slow-type x --binary y",
    "compare --results a --results b --varied workers --delta 2% --strict --force --output o",
  ])
  func whatAppliesIsNot(_ line: String) throws {
    let words = line.split(separator: " ").map(String.init)
    let command = try #require(try Tailrace.parseAsRoot(words) as? any ModalCommand)
    let given = GivenOptions(words, of: type(of: command))
    #expect(given.refusals(mode: command.mode, circumstances: command.circumstances).isEmpty)
  }
}
