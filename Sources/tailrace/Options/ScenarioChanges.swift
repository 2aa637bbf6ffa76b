import ArgumentParser
import TailraceCore
import TailraceWorkload

/// Flags that change a scenario for one run.
struct ScenarioChanges: ParsableArguments {
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Replace a value of each scenario, such as scheduler.workers=8 or load.poisson=50/s (repeatable).",
      valueName: "key=value"),
    completion: Completions.settings, transform: Self.pair)
  var pairs: [Pair] = []
  @Option(
    help: ArgumentHelp(
      "Duration of arrivals, such as 30s: short for --set duration=…", valueName: "duration"),
    transform: DurationOption.duration)
  var duration: DurationOption?
  @Option(
    help: ArgumentHelp(
      "Multiply every declared duration and divide every rate by this factor; 0.1 is ten times as fast (default: 1).",
      valueName: "factor"),
    transform: Self.factor)
  var timeScale = 1.0

  /// A key of the scenario file and its new value.
  struct Pair: Sendable {
    var key: String
    var value: String
    /// Whether it comes from `--vary`.
    var isVaried = false
  }

  /// Whether the scenario is unchanged.
  var isEmpty: Bool { pairs.isEmpty && duration == nil && timeScale == 1 }

  /// The replacements, in the order in which they are applied.
  var overrides: [(key: String, value: String)] {
    pairs.map { ($0.key, $0.value) } + (duration.map { [("duration", $0.text)] } ?? [])
  }

  /// Rewrites a parser's message to name the flag that the user wrote.
  func reworded(_ problem: String) -> String {
    let varied = pairs.lazy.filter(\.isVaried).map { "--set \($0.key)=\($0.value):" }
    if let flag = varied.first(where: problem.hasPrefix) {
      return "--vary" + flag.dropFirst("--set".count) + problem.dropFirst(flag.count)
    }
    guard let duration else { return problem }
    return problem.replacing("--set duration=\(duration.text):", with: "--duration \(duration.text):")
  }

  private static func pair(_ text: String) throws -> Pair {
    guard let sign = text.firstIndex(of: "=") else {
      throw ValidationError("'\(text)' has no '='; write KEY=VALUE, such as scheduler.workers=8")
    }
    return Pair(key: String(text[..<sign]), value: String(text[text.index(after: sign)...]))
  }

  private static func factor(_ text: String) throws -> Double {
    do {
      return try QuantityText.number(text, in: 0.0001...10_000)
    } catch {
      throw ValidationError(error.description)
    }
  }
}

/// A validated duration, with its original text.
struct DurationOption: Sendable {
  var text: String
  var value: Nanoseconds

  static func duration(_ text: String) throws -> DurationOption {
    do {
      return DurationOption(text: text, value: try QuantityText.duration(text))
    } catch {
      throw ValidationError(error.description)
    }
  }
}
