import ArgumentParser
import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailraceStudies
import TailraceWorkload

/// Flags for the number of rounds and the criteria of verdicts.
struct RoundOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Number of rounds, or a range from the first evaluation to the maximum, such as 12..24. Each round runs every "
        + "candidate once.",
      valueName: "count"),
    transform: Self.rounds)
  var rounds = Rounds(least: 12, most: 24)
  @Option(
    help: ArgumentHelp("Start no round that would end after this much time, such as 10min.", valueName: "duration"),
    transform: DurationOption.duration)
  var budget: DurationOption?
  @Option(
    help: ArgumentHelp("Treat changes up to this size as no difference: δ of the verdict 'same'.", valueName: "share"),
    transform: Self.share)
  var delta = Share(text: "1%", value: 0.01)
  @Option(
    name: .customLong("metric"),
    help: ArgumentHelp(
      "Compare by this metric, such as 'waiting{priority=high}.p99' (repeatable; default: throughput, success and "
        + "response times).", valueName: "expression"), completion: Completions.metrics)
  var metrics: [String] = []
  @Option(
    help: ArgumentHelp(
      "Accept this chance of calling anything better or worse when nothing changed.", valueName: "share"),
    transform: Self.share)
  var falseAlarms = Share(text: "1%", value: 0.01)
  @Flag(help: "End with status 5 if a verdict is unclear.")
  var strict = false

  struct Rounds: Sendable, CustomStringConvertible {
    var least: Int
    var most: Int
    var description: String { least == most ? "\(most)" : "\(least)..\(most)" }
  }

  /// A validated share, with its original text.
  struct Share: Sendable, CustomStringConvertible {
    var text: String
    var value: Double
    var description: String { text }
  }

  var rules: ComparisonRules {
    ComparisonRules(
      indifference: delta.value, falseAlarm: falseAlarms.value,
      looks: LookPlan(least: rounds.least, most: rounds.most))
  }

  static func rounds(_ text: String) throws -> Rounds {
    let parts = text.split(separator: "..", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(parts.count), let least = parts[0], let most = parts[parts.count - 1], least >= 1,
      least <= most, most <= 1_000
    else { throw ValidationError("'\(text)': write a number of rounds up to 1000, or a range such as 12..24") }
    return Rounds(least: least, most: most)
  }

  static func share(_ text: String) throws -> Share {
    let number = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
    guard let number, number > 0, number < 1 else {
      throw ValidationError("'\(text)': write a share above 0 and below 1, such as 1% or 0.01")
    }
    return Share(text: text, value: number)
  }

  /// Problems with the metrics, one per line.
  func problems(in scenarios: [Scenario]) -> [String] { Self.problems(of: metrics, in: scenarios) }

  /// Problems with these metrics, one per line.
  static func problems(of metrics: [String], in scenarios: [Scenario]) -> [String] {
    problems(of: metrics, types: scenarios.map { $0.jobs.map(\.name) })
  }

  /// Problems with these metrics in stored results, one per line.
  static func problems(of metrics: [String], in bounds: GateBounds) -> [String] {
    problems(of: metrics, types: Array(bounds.types.values))
  }

  private static func problems(of metrics: [String], types: [[String]]) -> [String] {
    metrics.flatMap { metric -> [String] in
      var failures: [String] = []
      for types in types {
        do throws(TargetProblem) {
          let parsed = try Metric(parsing: metric, types: types)
          guard parsed.lessIsBetter != nil else {
            return ["--metric \(metric): neither a higher nor a lower value is better; choose another metric"]
          }
          return []
        } catch {
          failures.append("--metric \(error.description)")
        }
      }
      return Array(failures.prefix(1))
    }
  }
}
