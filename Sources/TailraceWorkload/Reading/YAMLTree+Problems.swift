import TailraceSpelling
import Yams

extension YAMLTree {
  /// Converts an error of the YAML parser to a problem with a position.
  func describe(_ error: YamlError) -> ScenarioProblems {
    switch error {
    case .composer(_, "but found another document", let mark, _):
      return Self.problem(mark.line, mark.column, "a second document starts here; write one scenario in a file")
    case .scanner(_, _, let mark, _) where character(at: mark) == "\t":
      return Self.problem(mark.line, mark.column, "not valid YAML: a tab indents this line; indent with spaces")
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
      if let advice = advice(onLineOf: mark) {
        return Self.problem(mark.line, mark.column, "not valid YAML: \(advice)")
      }
      return plain(error)
    case .reader, .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded, .duplicatedKeysInMapping:
      return plain(error)
    }
  }

  /// Maximum characters of a line searched for advice, because the search takes quadratic time.
  private static let advisedLength = 400

  /// Advice for a line that YAML parses differently than its author probably meant; nil: none.
  private func advice(onLineOf mark: Mark) -> String? {
    // The YAML parser may detect the error on the next line.
    for line in [mark.line - 1, mark.line - 2] where lines.indices.contains(line) {
      let text = restore(String(String.UnicodeScalarView(lines[line].prefix(Self.advisedLength).prefix { $0 != "#" })))
      if let cron = text.firstMatch(of: /cron:\s*([*@][^"'{}#,]*)/) {
        return "a cron expression begins with '\(cron.1.prefix(1))'; put it in quotes: "
          + "cron: \"\(cron.1.trimmingSuffix(while: { $0 == " " }))\""
      }
      if text.contains("["), let target = text.firstMatch(of: /([^"'\w])(\w+\{\w+=[^}]*\}[\.\w]*\s*[<>=]+\s*[^,\]"']+)/)
      {
        return
          "a target within [...] has braces; put it in quotes: \"\(target.2.trimmingSuffix(while: { $0 == " " }))\""
      }
      if let selector = text.firstMatch(of: /(\w+)\{(\w+):\s*([\w.-]+)\}/), text.contains(/[<>]/) {
        return "a target's selector has a colon; write \(selector.1){\(selector.2)=\(selector.3)}"
      }
      if let alias = text.firstMatch(of: /(?:^|[:,\[-]\s*)\*([\w.-]+)\s*(?:[,\]}]|$)/) {
        return "the alias *\(alias.1) has no anchor before it; write &\(alias.1) where it is declared, or put the "
          + "value in quotes"
      }
      if let start = text.firstMatch(of: /(?:^|[:-]\s+)([@%`][^\s"'][^"'#]*)/) {
        return "a value begins with '\(start.1.prefix(1))'; put it in quotes"
      }
    }
    return nil
  }

  private func plain(_ error: YamlError) -> ScenarioProblems {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let during = context.map { " (\($0.text) from line \($0.mark.line), column \($0.mark.column))" } ?? ""
      return Self.problem(mark.line, mark.column, "not valid YAML: \(problem)\(during); correct the syntax here")
    case .reader(let problem, let offset, _, _):
      let (line, column) = position(ofByte: offset ?? 0)
      return Self.problem(line, column, "not valid YAML: \(problem); use printable UTF-8 text")
    case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded, .duplicatedKeysInMapping:
      return Self.problem(0, 0, "not readable as YAML; write valid YAML")
    }
  }

  private func character(at mark: Mark) -> Unicode.Scalar? {
    guard lines.indices.contains(mark.line - 1), lines[mark.line - 1].indices.contains(mark.column - 1) else {
      return nil
    }
    return lines[mark.line - 1][mark.column - 1]
  }

  private func position(ofByte offset: Int) -> (line: Int, column: Int) {
    var remaining = offset
    for (number, line) in lines.enumerated() {
      for (column, scalar) in line.enumerated() {
        if remaining <= 0 { return (number + 1, column + 1) }
        remaining -= UTF8.width(scalar)
      }
      if remaining <= 0 { return (number + 1, line.count + 1) }
      remaining -= 1
    }
    return (max(1, lines.count), 1)
  }
}

extension Substring {
  /// Without trailing characters that match a condition.
  fileprivate func trimmingSuffix(while condition: (Character) -> Bool) -> Substring {
    var text = self
    while let last = text.last, condition(last) { text.removeLast() }
    return text
  }
}
