import ArgumentParser
import Foundation
import TailraceCore
import TailraceHost
import TailracePlatform

/// `tailrace doctor`
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check in about a second how precisely this machine can measure.",
    discussion: """
      Measures the cost of reading the clock, how late sleeps end, the cost of waking a thread, how steadily the \
      machine computes, and CPU steal. Reports what that means for runs on this machine.

      EXAMPLES
        tailrace doctor
        tailrace doctor --json
      """)

  @Flag(help: "Print JSON; times are in nanoseconds.")
  var json = false

  func run() throws {
    let report = Doctor.examine(allocator: Composition.allocator)
    guard json else { return Terminal.output.write(report.text) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    Terminal.output.write(json: try encoder.encode(Findings(report)))
  }

  /// The findings; each name includes its unit.
  private struct Findings: Encodable {
    var environment: [String: String]
    var processors: Int
    var clockCostNs: Double
    var timerSlackNs: Int64?
    var hasFineTimer: Bool
    var sleepErrorNs: Quantiles?
    var sleepErrorFineTimerNs: Quantiles?
    var threadWakeUpNs: Quantiles?
    var spinIterationsPerNs: Double
    var spinSpreadRatio: Double
    var isRealTimeAllowed: Bool
    var hostStealRatio: Double?
    var hostBusyRatio: Double?
    var advice: [String]

    init(_ report: DoctorReport) {
      environment = Dictionary(report.environment.entries.map { ($0.key, $0.value) }) { first, _ in first }
      processors = report.processors
      clockCostNs = report.clockCost
      timerSlackNs = report.timerSlack?.rawValue
      hasFineTimer = report.hasFineTimer
      sleepErrorNs = report.sleepErrorDefault.map(Quantiles.init)
      sleepErrorFineTimerNs = report.sleepError.map(Quantiles.init)
      threadWakeUpNs = report.wakeUp.map(Quantiles.init)
      spinIterationsPerNs = report.spin.iterationsPerNanosecond
      spinSpreadRatio = report.spin.spread
      isRealTimeAllowed = report.isRealTimeAllowed
      hostStealRatio = report.noise?.steal
      hostBusyRatio = report.noise?.busy
      advice = report.advice
    }
  }

  private struct Quantiles: Encodable {
    var p50: Int64
    var p99: Int64
    var max: Int64
    var samples: Int

    init(_ quantiles: ProbeQuantiles) {
      p50 = quantiles.p50.rawValue
      p99 = quantiles.p99.rawValue
      max = quantiles.max.rawValue
      samples = quantiles.count
    }
  }
}
