import ArgumentParser
import Foundation
import TailraceMeasurement
import TailraceReplay
import TailraceReport
import TailraceStudies

/// `tailrace verify`
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compare simulated figures with exact ones.",
    discussion: """
      Simulates systems whose exact results are known, each with 32 independent seeds. For every figure, prints the \
      exact value, the simulated value with its 95 % confidence interval, and their distance as a z-score. They agree \
      if it is below 4; a system without randomness must agree to the last digit. docs/verification.md has the \
      formulas and their sources.

      EXAMPLES
        tailrace verify
        tailrace verify --seed 7
        tailrace verify --live      also some of the systems in real time
        tailrace verify --json

      EXIT STATUS
        0 everything agrees; 2 something does not; 4 a system could not be run, or a figure in real time was not \
        judged because the machine was disturbed
      """)

  @Option(help: "Seed of the first replication; the others follow from it.")
  var seed: UInt64 = 1

  @Flag(help: "Also replay some of the systems in real time (about two minutes); needs an otherwise idle machine.")
  var live = false

  @Flag(help: "Print JSON: times in nanoseconds, rates per second.")
  var json = false

  func run() async throws {
    if live {
      let problems = Composition.makeStudyParts().needs(try LiveVerification.scenarios(), Composition.systems.main)
      guard problems.isEmpty else { throw Refusal.usage(problems.map { "Error: --live: \($0)" }) }
    }
    let found = await Verification(seed: seed).run { done, count in
      if Terminal.error.isInteractive {
        Terminal.error.draw("\r\(done) of \(count) systems\(done == count ? "\n" : "")")
      }
    }
    let lines = found.lines
    let real = live ? await LiveVerification.run(seed: seed, parts: Composition.makeStudyParts().live) : nil
    let disagreeing = lines.count { !$0.agrees } + (real?.lines.count { $0.verdict == .differs } ?? 0)
    if json {
      try write(lines, real)
    } else {
      write(lines, real, disagreeing: disagreeing, failed: found.failures.count)
    }
    for failure in found.failures { Terminal.error.write("Error: not verified: \(failure)\n") }
    if disagreeing > 0 { throw ExitCode(Verdict.missed.exitStatus) }
    if !found.failures.isEmpty || real?.lines.contains(where: { $0.verdict == .notJudged }) == true {
      throw ExitCode(Verdict.invalid.exitStatus)
    }
  }

  private func write(
    _ lines: [Verification.Line], _ real: LiveVerification.Findings?, disagreeing: Int, failed: Int
  ) {
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
    if let real { Terminal.output.write("\n" + table(real)) }
    let unjudged = real?.lines.count { $0.verdict == .notJudged } ?? 0
    let count = lines.count + (real?.lines.count ?? 0)
    var words = "\nAll \(count - unjudged) figures agree (seed \(seed))"
    if disagreeing > 0 {
      words = "\n\(disagreeing) of \(count) figures differ (seed \(seed)): do not trust any figure"
    }
    if failed > 0 { words += "; \(counted(failed, "system")) could not be run" }
    if unjudged > 0 {
      words += "; \(unjudged) in real time were not judged: repeat them on an otherwise idle machine"
    }
    Terminal.output.write(words + ".\n")
  }

  private func table(_ real: LiveVerification.Findings) -> String {
    var text = Columns(["in real time", "figure", ">exact", "by", ">measured", ">difference", ">tolerance", "verdict"])
    for line in real.lines {
      let note = line.note.isEmpty ? "" : ": \(line.note)"
      text.add([
        line.system, line.metric, line.exact.isFinite ? value(line.exact, .time) : "–", line.theory,
        line.measured.map { value($0, .time) } ?? "–",
        line.measured.map { String(format: "%+.1f %%", ($0 / line.exact - 1) * 100) } ?? "–",
        line.tolerance > 0 ? String(format: "%.1f %%", line.tolerance / line.exact * 100) : "–",
        (line.verdict == .differs ? "DIFFERS" : line.verdict.rawValue) + note,
      ])
    }
    guard let overhead = real.overhead else { return text.text }
    return text.text
      + """
      As measured now, this machine adds \(HumanUnits.time(overhead.handOff)) before a job of 10 ms and \
      \(HumanUnits.time(overhead.overrun)) to it. The tolerance is twice the effect of both on the mean wait, plus \
      the random deviation of the drawn jobs from the exact value.

      """
  }

  /// Five digits, because the table shows how close two numbers are.
  private func value(_ value: Double, _ unit: FigureUnit) -> String {
    switch unit {
    case .time: String(format: "%.5g ms", value / 1e6)
    case .rate: String(format: "%.5g /s", value)
    case .ratio: String(format: "%.5g %%", value * 100)
    case .count, .bytes, .factor: String(format: "%.5g", value)
    }
  }

  private func write(_ lines: [Verification.Line], _ real: LiveVerification.Findings?) throws {
    struct Findings: Encodable {
      var seed: UInt64
      var limit: Double
      var simulated: [Verification.Line]
      var live: LiveVerification.Findings?
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "infinity", negativeInfinity: "-infinity", nan: "not a number")
    let findings = Findings(seed: seed, limit: Verification.limit, simulated: lines, live: real)
    Terminal.output.write(json: try encoder.encode(findings))
  }
}
