import ArgumentParser
import TailraceStudies
import TailraceWorkload

extension Planner.Dimension {
  /// Reads the value of `--vary`: a setting and a range of whole numbers (`scheduler.workers=1..64`), or a list
  /// (`scheduler.policy=fifo,priority`).
  init(flag text: String) throws {
    guard let sign = text.firstIndex(of: "=") else {
      throw ValidationError("'\(text)' has no '='; write KEY=VALUES, such as scheduler.workers=1..64")
    }
    let (key, values) = (String(text[..<sign]), String(text[text.index(after: sign)...]))
    if let match = values.wholeMatch(of: /(\d{1,9})\.\.(\d{1,9})/), let low = Int(match.1), let high = Int(match.2) {
      guard low <= high, high - low < 100_000 else {
        throw ValidationError("'\(values)': write a range of up to 100,000 whole numbers, the lower first")
      }
      self.init(key: key, values: (low...high).map(String.init), isRange: true)
      return
    }
    let other = /\s*(\d+)\s*(?:-|–|:|…|\.\.\.|\.\.=|\.\.<|to|,\s*\.\.\.?\s*,)\s*(\d+)\s*/
    if let match = values.wholeMatch(of: other) {
      throw ValidationError("'\(values)' is not a range; did you mean \(match.1)..\(match.2)?")
    }
    if let match = values.wholeMatch(of: /\s*(\d+)\s*\.\.\s*(\d+)\s*(?:\.\.|:|\/|by|step)\s*(\d+)\s*/),
      let low = Int(match.1), let high = Int(match.2), let step = Int(match.3), step > 0, low <= high
    {
      let values = stride(from: low, through: high, by: step).prefix(6).map(String.init).joined(separator: ",")
      throw ValidationError("'\(text)': a range cannot have a step; list the values, such as \(key)=\(values)")
    }
    let list = values.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard !list.contains("") else { throw ValidationError("'\(text)': a value is empty; write KEY=A,B or KEY=1..64") }
    self.init(key: key, values: list, isRange: false)
  }
}

extension [Planner.Dimension] {
  /// Every combination of the settings' values, one value for each, the first of all first.
  var combinations: [[String]] {
    reduce([[]]) { all, dimension in all.flatMap { some in dimension.values.map { some + [$0] } } }
  }
}

extension ScenarioChanges {
  /// These changes plus one value for each varied setting.
  func setting(_ settings: [Planner.Dimension], to values: [String]) -> ScenarioChanges {
    var changes = self
    changes.pairs += zip(settings, values).map { Pair(key: $0.key, value: $1, isVaried: true) }
    return changes
  }

  /// The one scenario with this name, with these changes applied. Problems are reported as for `--set`.
  ///
  /// - Parameter instead: The advice to print if the name stands for several scenarios.
  func scenario(
    _ name: String, targets: [String], instead: String, isForced: Bool = false
  ) throws -> Scenario {
    try LoadOptions.refuseBounds(targets, "this command has nothing to compare with; use 'tailrace gate'")
    let selection = try ScenarioSelection(
      [name], changes: self, targets: targets, largeLoads: isForced ? .started : .refused(offers: true))
    guard selection.scenarios.count == 1 else {
      throw Refusal.usage("\(name) names \(selection.scenarios.count) scenarios; \(instead)")
    }
    try selection.requireEffect(of: self)
    return selection.scenarios[0]
  }
}
