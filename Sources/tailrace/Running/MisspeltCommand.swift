import ArgumentParser
import TailraceSpelling
import TailraceWorkload

/// Suggests corrections for unknown commands and options.
enum MisspeltCommand {
  /// The error for an unknown command or option that is similar to a known one; nil: none is similar, and the parser
  /// reports the error.
  static func refusal(of arguments: [String]) -> String? {
    var words = arguments[...]
    if words.first == "help" { words = words.dropFirst() }
    let (command, rest) = command(of: words)
    // `--generate-completion-script` and its like belong to the parser.
    if let unknown = rest.first, !unknown.hasPrefix("-"), unknown != "help" {
      let names = command.configuration.subcommands.map(name(of:))
      if !names.isEmpty {
        let known = "commands: \(names.joined(separator: ", "))"
        return said("unknown command '\(unknown)'; \(didYouMean(unknown, among: names))\(known)", command)
      }
    }
    guard command.configuration.subcommands.isEmpty else { return nil }
    return unknownOption(arguments, of: command)
  }

  /// The command named by the first arguments, and the arguments after it.
  private static func command(
    of arguments: ArraySlice<String>
  ) -> (command: any ParsableCommand.Type, rest: ArraySlice<String>) {
    var (command, rest): (any ParsableCommand.Type, ArraySlice<String>) = (Tailrace.self, arguments)
    while let word = rest.first, let next = command.configuration.subcommands.first(where: { name(of: $0) == word }) {
      (command, rest) = (next, rest.dropFirst())
    }
    return (command, rest)
  }

  static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? "\(command)".lowercased()
  }

  /// The parser suggests options with a similar spelling; this suggests options that other tools name differently.
  private static func unknownOption(_ arguments: [String], of command: any ParsableCommand.Type) -> String? {
    do {
      _ = try Tailrace.parseAsRoot(arguments)
      return nil
    } catch {
      // This comes before the parser's own error: an argument that seems missing may be misspelt.
      let options = Set(Tailrace.helpMessage(for: command).matches(of: /--([a-z][a-z-]*)/).map { String($0.1) })
      let words = arguments.prefix { $0 != "--" }.compactMap { $0.prefixMatch(of: /--([A-Za-z][\w-]*)/)?.1 }
      guard let word = words.map(String.init).first(where: { !options.contains($0) }) else { return nil }
      let near = closestNames(to: word, among: options.sorted()).map { "--\($0)" }
      let settings = options.contains("set") && near.isEmpty ? ScenarioParser.settings(near: word) : []
      let meant = near + settings.map { "--set \($0)=VALUE" }
      guard !meant.isEmpty else { return nil }
      return said("Unknown option '--\(word)'; did you mean \(meant.prefix(3).joined(separator: " or "))?", command)
    }
  }

  private static func said(_ problem: String, _ command: any ParsableCommand.Type) -> String {
    let path = command == Tailrace.self ? "tailrace" : "tailrace \(name(of: command))"
    return "Error: \(problem)\n  See '\(path) --help' for more information.\n"
  }
}
