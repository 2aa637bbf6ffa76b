// The targets and published figures of every built-in scenario are expressions that the measurement understands.

import TailraceMeasurement
import TailraceWorkload
import Testing

@Test(arguments: BuiltIn.all) func builtInExpressionsAreUnderstood(_ name: String) throws {
  let check = ExpressionCheck(
    target: TargetExpression.problem(in:types:), published: TargetExpression.problem(inPublished:value:types:))
  let result = try #require(BuiltIn.scenario(named: name, checking: check))
  if case .failure(let problems) = result { Issue.record("\(problems)") }
}
