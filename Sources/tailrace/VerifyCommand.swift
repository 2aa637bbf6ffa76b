import ArgumentParser
import Foundation
import TailraceHarness
import TailraceMeasurement

/// `tailrace verify`
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Hold simulated figures against exact ones.",
    discussion: """
      Replays systems whose exact answers are known in virtual time, each with 32 independent seeds, and prints for \
      every figure the exact value, the simulated one with its 95 % confidence interval, and their distance as a \
      z-score. Below 4 they agree; a system without chance must agree to the last digit. The formulas and their \
      sources are in docs/verification.md.

      EXAMPLES
        tailrace verify
        tailrace verify --seed 7
        tailrace verify --live      also some of the systems in real time, with what the machine adds
        tailrace verify --json

      EXIT STATUS
        0 everything agrees; 2 something does not
      """)

  @Option(help: "Seed of the first replication; every other follows from it.")
  var seed: UInt64 = 1

  @Flag(help: "Also replay some of the systems in real time (about 40 s), and say what the machine adds.")
  var live = false

  @Flag(help: "Print JSON: times in nanoseconds, rates per second.")
  var json = false

  func run() async throws {
    let lines = try await Verification(seed: seed).run { done, count in
      if Terminal.error.isInteractive {
        Terminal.error.write("\r\(done) of \(count) systems\(done == count ? "\n" : "")")
      }
    }
    let real = live ? try await LiveVerification.run(seed: seed, parts: Composition.makeParts()) : []
    let disagreeing = lines.filter { !$0.agrees }.count + real.filter { !$0.agrees }.count
    if json {
      try write(lines, real)
    } else {
      write(lines, real, disagreeing: disagreeing)
    }
    if disagreeing > 0 { throw ExitCode(Verdict.missed.exitStatus) }
  }

  private func write(_ lines: [Verification.Line], _ real: [LiveVerification.Line], disagreeing: Int) {
    var text = Columns(["system", "figure", ">exact", ">simulated", ">± 95 %", ">z", "verdict"])
    var previous = ""
    for line in lines {
      text.add([
        line.system == previous ? "" : line.system, line.metric, value(line.exact, line.unit),
        value(line.simulated, line.unit), line.halfWidth > 0 ? value(line.halfWidth, line.unit) : "exact",
        line.z.isFinite ? String(format: "%.2f", line.z) : "–", line.agrees ? "agrees" : "DIFFERS",
      ])
      previous = line.system
    }
    Terminal.output.write(text.text)
    if !real.isEmpty {
      var text = Columns(["in real time", "figure", ">exact", ">measured", ">machine adds", ">z", "verdict"])
      for line in real {
        text.add([
          line.system, line.metric, value(line.exact, .time), value(line.measured, .time),
          value(line.overhead, .time), String(format: "%.2f", line.z), line.agrees ? "agrees" : "DIFFERS",
        ])
      }
      Terminal.output.write("\n" + text.text)
    }
    let count = lines.count + real.count
    Terminal.output.write(
      disagreeing == 0
        ? "\nAll \(count) figures agree (seed \(seed)).\n"
        : "\n\(disagreeing) of \(count) figures differ (seed \(seed)): no figure is to be trusted.\n"
    )
  }

  /// Five digits: the point of the table is how close two numbers are.
  private func value(_ value: Double, _ unit: FigureUnit) -> String {
    switch unit {
    case .time: String(format: "%.5g ms", value / 1e6)
    case .rate: String(format: "%.5g /s", value)
    case .ratio: String(format: "%.5g %%", value * 100)
    case .count, .bytes, .factor: String(format: "%.5g", value)
    }
  }

  private func write(_ lines: [Verification.Line], _ real: [LiveVerification.Line]) throws {
    struct Findings: Encodable {
      var seed: UInt64
      var limit: Double
      var simulated: [Verification.Line]
      var live: [LiveVerification.Line]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "infinity", negativeInfinity: "-infinity", nan: "not a number")
    let findings = Findings(seed: seed, limit: Verification.limit, simulated: lines, live: real)
    Terminal.output.write(Array(try encoder.encode(findings)) + [0x0A])
  }
}
