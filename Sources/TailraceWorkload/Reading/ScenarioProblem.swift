import TailraceSpelling

/// A problem in a scenario file, or in a `--set` that changes it.
package struct ScenarioProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file as the user named it.
  package var file: String
  /// From 1; 0 for the file as a whole.
  package var line: Int
  /// From 1, in Unicode scalars; 0 for the file as a whole.
  package var column: Int
  /// The `--set KEY=VALUE` that causes the problem; nil: the file itself.
  package var override: String?
  /// In the form `what is wrong; what is allowed`.
  package var message: String

  /// `file:line:column: what is wrong; what is allowed`, or `--set KEY=VALUE: …`.
  package var description: String {
    let words =
      if let override { "--set \(VisibleText.quoted(override, length: 80)): \(message)" } else {
        line > 0 ? "\(file):\(line):\(column): \(message)" : "\(file): \(message)"
      }
    return VisibleText.line(words)
  }
}

/// All problems of a scenario file in order of position, followed by those of `--set`.
package struct ScenarioProblems: Error, Hashable, Sendable, CustomStringConvertible {
  /// All problems; at least one.
  package var problems: [ScenarioProblem]
  /// One line per problem, without a final newline.
  package var description: String { problems.map(\.description).joined(separator: "\n") }

  /// Sorts the problems by position and removes duplicates.
  package init(_ found: [ScenarioProblem]) {
    var seen: Set<ScenarioProblem> = []
    problems = found.filter { seen.insert($0).inserted }.enumerated().sorted { a, b in
      let left = a.element
      let right = b.element
      if (left.override == nil) != (right.override == nil) { return left.override == nil }
      return (left.line, left.column, a.offset) < (right.line, right.column, b.offset)
    }.map(\.element)
  }
}

/// Validates the expressions of a scenario during parsing. The measurement module implements their grammar.
package struct ExpressionCheck: Sendable {
  /// The problem of a target; nil: valid. Takes the expression and the names of the job types.
  package var target: @Sendable (_ expression: String, _ types: [String]) -> String?
  /// The problem of a published figure; nil: valid. Takes its metric, its value and the names of the job types.
  package var published: @Sendable (_ metric: String, _ value: String, _ types: [String]) -> String?
  /// The problem of a metric; nil: valid.
  package var metric: @Sendable (_ metric: String, _ types: [String]) -> String?

  /// Creates a check from one closure per kind of expression.
  package init(
    target: @escaping @Sendable (_ expression: String, _ types: [String]) -> String?,
    published: @escaping @Sendable (_ metric: String, _ value: String, _ types: [String]) -> String?,
    metric: @escaping @Sendable (_ metric: String, _ types: [String]) -> String? = { _, _ in nil }
  ) {
    self.metric = metric
    self.target = target
    self.published = published
  }

  /// Accepts every expression.
  package static let none = ExpressionCheck(target: { _, _ in nil }, published: { _, _, _ in nil })
}
