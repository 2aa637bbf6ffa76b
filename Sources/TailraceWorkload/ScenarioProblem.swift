import TailraceSpelling

/// One thing wrong with a scenario file, or with a `--set` that changes it.
package struct ScenarioProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file as the user named it.
  package var file: String
  /// From 1; 0 when the file as a whole is meant.
  package var line: Int
  /// From 1, counted in Unicode scalars; 0 when the file as a whole is meant.
  package var column: Int
  /// The `--set KEY=VALUE` to blame; nil: the file itself.
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

/// Everything that is wrong with a scenario file, in order of position; problems of `--set` come last.
package struct ScenarioProblems: Error, Hashable, Sendable, CustomStringConvertible {
  /// At least one.
  package var problems: [ScenarioProblem]
  /// A line for each problem, without a final line break.
  package var description: String { problems.map(\.description).joined(separator: "\n") }

  /// Orders the problems by position and drops repetitions.
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

/// How the expressions of a scenario are checked while it is read: their grammar belongs to the module that measures.
package struct ExpressionCheck: Sendable {
  /// What is wrong with a target; nil: nothing. Takes the expression and the names of the job types.
  package var target: @Sendable (_ expression: String, _ types: [String]) -> String?
  /// What is wrong with a published figure; nil: nothing. Takes its metric, its value and the names of the job types.
  package var published: @Sendable (_ metric: String, _ value: String, _ types: [String]) -> String?
  /// What is wrong with a metric; nil: nothing.
  package var metric: @Sendable (_ metric: String, _ types: [String]) -> String?

  /// Makes a check of the three kinds of expressions.
  package init(
    target: @escaping @Sendable (_ expression: String, _ types: [String]) -> String?,
    published: @escaping @Sendable (_ metric: String, _ value: String, _ types: [String]) -> String?,
    metric: @escaping @Sendable (_ metric: String, _ types: [String]) -> String? = { _, _ in nil }
  ) {
    self.metric = metric
    self.target = target
    self.published = published
  }

  /// Takes every expression.
  package static let none = ExpressionCheck(target: { _, _ in nil }, published: { _, _, _ in nil })
}
