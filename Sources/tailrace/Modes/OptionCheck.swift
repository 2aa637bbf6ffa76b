import ArgumentParser
import Foundation

/// Compares the options on the command line with those that the command's mode uses.
struct OptionCheck {
  private let arguments: [String]

  /// - Parameter arguments: The program's arguments, without its name.
  init(_ arguments: [String]) { self.arguments = arguments }

  /// Rejects all options that would have no effect, at once.
  ///
  /// - Throws: An exit code, after printing each option with the reason.
  func check(_ command: any ModalCommand) throws {
    let given = GivenOptions(arguments, of: type(of: command))
    let problems = given.refusals(mode: command.mode, circumstances: command.circumstances)
    guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: \($0)" }) }
  }
}

/// A command's options and arguments, as described by ArgumentParser.
struct DeclaredArgument: Decodable {
  struct Name: Decodable {
    var kind: String
    var name: String
  }
  var kind: String
  var names: [Name]?
  var preferredName: Name?
  var valueName: String?
  var isRepeating: Bool

  /// The name used in modes: an option's long name or an argument's name.
  var key: String { preferredName?.name ?? valueName ?? "" }
  /// The name as users write it.
  var shown: String { kind == "positional" ? key.uppercased() : "--\(key)" }

  /// A command's options, without those that every command has.
  static func all(of command: any ParsableCommand.Type) -> [DeclaredArgument] {
    struct Help: Decodable { var command: Command }
    struct Command: Decodable { var arguments: [DeclaredArgument]? }
    guard let help = try? JSONDecoder().decode(Help.self, from: Data(command._dumpHelp().utf8)) else {
      preconditionFailure("the description of \(command) is not JSON")
    }
    return (help.command.arguments ?? []).filter { $0.key != "help" && $0.key != "version" }
  }
}

/// The options of one invocation, in the order in which they were given.
struct GivenOptions {
  private(set) var options: [(argument: DeclaredArgument, value: String?)] = []

  /// - Parameter arguments: The program's arguments, which have already been parsed.
  init(_ arguments: [String], of command: any ParsableCommand.Type) {
    let declared = DeclaredArgument.all(of: command)
    var words: [String] = []
    var rest = arguments[...]
    while let word = rest.popFirst() {
      if word == "--" {
        words += rest
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        words.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let isLong = word.hasPrefix("--")
      let names = isLong ? [String(parts[0].dropFirst(2))] : parts[0].dropFirst().map { String($0) }
      for name in names {
        guard
          let argument = declared.first(where: { argument in
            argument.names?.contains { $0.name == name && ($0.kind == "long") == isLong } == true
          })
        else { continue }
        let value = argument.kind == "flag" ? nil : parts.count > 1 ? parts[1] : rest.popFirst()
        options.append((argument, value))
      }
    }
    // Skip the names of the command and its parent command.
    var left = words.dropFirst(Self.depth(of: command))
    for argument in declared where argument.kind == "positional" {
      repeat {
        guard let word = left.popFirst() else { break }
        options.append((argument, word))
      } while argument.isRepeating
    }
  }

  /// The number of words in the command's name.
  private static func depth(of command: any ParsableCommand.Type) -> Int {
    func depth(below parent: any ParsableCommand.Type) -> Int? {
      for child in parent.configuration.subcommands {
        if child == command { return 1 }
        if let deeper = depth(below: child) { return deeper + 1 }
      }
      return nil
    }
    return depth(below: Tailrace.self) ?? 0
  }

  /// Options that have no effect, one per line.
  func refusals(mode: CommandMode, circumstances: [Circumstance]) -> [String] {
    var problems: [String] = []
    func add(_ problem: String) { if !problems.contains(problem) { problems.append(problem) } }
    for (argument, _) in options {
      let place = mode.name.isEmpty ? "here" : mode.name
      if let reason = mode.refused[argument.key] {
        add("\(argument.shown) does not apply \(place): \(Self.advised(reason))")
      } else if !mode.honored.contains(argument.key) {
        preconditionFailure("the mode '\(mode.name)' neither honors nor refuses \(argument.shown)")
      }
      for circumstance in circumstances where circumstance.refused.contains(argument.key) {
        add("\(argument.shown) does not apply \(circumstance.name): \(Self.advised(circumstance.reason))")
      }
    }
    return problems + repetitions
  }

  /// Adds advice, unless the reason contains it.
  private static func advised(_ reason: String) -> String { reason.contains(";") ? reason : "\(reason); leave it out" }

  /// Values that would silently replace earlier ones.
  private var repetitions: [String] {
    var problems: [String] = []
    var seen: [String: String] = [:]
    for (argument, value) in options where argument.kind == "option" && !argument.isRepeating {
      if let earlier = seen.updateValue(value ?? "", forKey: argument.key) {
        problems.append("\(argument.shown) is given twice, as '\(earlier)' and '\(value ?? "")'; give it once")
      }
    }
    var keys: [String: String] = [:]
    for (argument, value) in options where ["set", "vary", "duration"].contains(argument.key) {
      let key = argument.key == "duration" ? "duration" : String((value ?? "").prefix { $0 != "=" })
      if let earlier = keys.updateValue(argument.shown, forKey: key) {
        problems.append(
          earlier == argument.shown
            ? "\(argument.shown) names '\(key)' twice; give it once"
            : "\(earlier) and \(argument.shown) both give '\(key)'; give it once")
      }
    }
    var names: Set<Substring> = []
    for (argument, value) in options where argument.key == "system" {
      for name in (value ?? "").split(separator: ",") where !names.insert(name).inserted {
        problems.append("\(argument.shown) names '\(name)' twice; name each system once")
      }
    }
    return problems
  }
}
