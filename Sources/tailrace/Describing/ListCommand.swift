import ArgumentParser
import TailraceWorkload

/// `tailrace list`
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the built-in suites and scenarios, and the systems.",
    discussion: """
      EXAMPLES
        tailrace list
        tailrace show governance-five   print a scenario
        tailrace run governance-five    replay it
      """)

  func run() {
    let names = BuiltIn.all
    let width = (names + BuiltIn.suites.map(\.name)).map(\.count).max() ?? 0
    var text = "Suites\n"
    for suite in BuiltIn.suites {
      text += "  \(suite.name.padded(to: width))  \(suite.summary)\n"
    }
    for suite in BuiltIn.suites {
      text += "\nScenarios of \(suite.name)\n" + rows(suite.scenarios, width)
    }
    let grouped = Set(BuiltIn.suites.flatMap(\.scenarios))
    text += "\nOther scenarios\n" + rows(names.filter { !grouped.contains($0) }, width)
    text += "\nSystems\n"
    for system in SystemNames.all { text += "  \(system.name.padded(to: width))  \(system.summary)\n" }
    text += "\nPrint one with 'tailrace show NAME', replay it with 'tailrace run NAME'.\n"
    Terminal.output.write(text)
  }

  private func rows(_ names: [String], _ width: Int) -> String {
    names.map { name in
      guard case .success(let scenario)? = BuiltIn.scenario(named: name) else { return "  \(name)\n" }
      return "  \(name.padded(to: width))  \(scenario.summary)\n"
    }.joined()
  }
}
