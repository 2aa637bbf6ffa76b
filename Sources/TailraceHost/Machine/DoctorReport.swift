import TailraceCore
import TailracePlatform

/// What ``Doctor`` found: plain values, and what they mean for measuring on this machine.
package struct DoctorReport: Sendable, Hashable, Codable {
  package var environment: RunEnvironment
  /// Processors that this process may use.
  package var processors: Int
  /// Nanoseconds that one reading of the clock costs.
  package var clockCost: Double
  /// The timer slack that threads start with; nil when it could not be read.
  package var timerSlack: Nanoseconds?
  /// Whether the slack could be lowered to 1 ns.
  package var hasFineTimer: Bool
  /// Lateness of 1 ms sleeps with the slack that threads start with.
  package var sleepErrorDefault: ProbeQuantiles?
  /// Lateness of 1 ms sleeps with the slack of the load generator.
  package var sleepError: ProbeQuantiles?
  /// Cost of waking an idle thread.
  package var wakeUp: ProbeQuantiles?
  package var spin: SpinCalibration
  /// Whether the system lets this process use real-time scheduling.
  package var isRealTimeAllowed: Bool
  /// The machine's other activity during the examination; nil: unavailable.
  package var noise: HostNoise?

  /// What this machine is good for: one sentence each, the most important first.
  package var advice: [String] {
    var lines: [String] = []
    if environment["build_configuration"] == "debug" {
      lines.append(
        "This is a debug build: the scheduler's overhead is too high in every figure. Build with -c release.")
    }
    if let noise, noise.steal > 0.02 {
      lines.append(
        "CPU steal was \(percent(noise.steal)): tail latencies measured now are the host's. "
          + "Wait until the host is quieter.")
    }
    if let noise, noise.busy > 0.5 {
      lines.append("\(percent(noise.busy)) of the CPU time was in use: stop other work before measuring.")
    }
    if spin.spread > 0.25 {
      lines.append(
        "The computing speed varied by \(percent(spin.spread)); service times of spin jobs vary as much.")
    }
    if let sleepError {
      lines.append(sleepAdvice(sleepError))
    }
    if let wakeUp {
      lines.append(
        "Waking an idle thread takes \(wakeUp.p50.text) (p99 \(wakeUp.p99.text)): at low rates waiting times below "
          + "\(wakeUp.p99.text) reflect this machine rather than a scheduler.")
    }
    if processors < 4 {
      lines.append(
        "With \(processors) processor\(processors == 1 ? "" : "s") the load generator and the workers compete. Use "
          + "the hybrid pacer instead of spin, and at most \(max(1, processors - 1)) computing workers.")
    }
    return lines
  }

  private func sleepAdvice(_ error: ProbeQuantiles) -> String {
    // Above 2 ms even a generator that spins its last stretch is woken too late for a rate of 1,000 jobs/s.
    error.p99 < .milliseconds(2)
      ? "Open loops of 1,000 jobs/s and more are possible: sleeps end \(error.p50.text) late "
        + "(p99 \(error.p99.text)), which the hybrid pacer compensates by spinning."
      : "Sleeps end up to \(error.p99.text) late (p99): check the submission lag before other figures."
  }

  /// The report as text: what was found, then what it means. Ends with a line break.
  package var text: String {
    var rows = environment.entries.map { ($0.key.replacing("_", with: " "), $0.value) }
    rows.append(("clock reading", "\(rounded(clockCost)) ns"))
    rows.append(("timer slack", (timerSlack?.text ?? "unknown") + (hasFineTimer ? ", can be lowered to 1 ns" : "")))
    rows.append(("sleep error", sleepErrorDefault.map(words) ?? "unknown"))
    rows.append(("  with fine timer", sleepError.map(words) ?? "unknown"))
    rows.append(("thread wake-up", wakeUp.map(words) ?? "unknown"))
    rows.append(
      ("spin speed", "\(rounded(spin.iterationsPerNanosecond * 1000)) iterations/us, spread \(percent(spin.spread))"))
    rows.append(("real-time threads", isRealTimeAllowed ? "allowed" : "not allowed"))
    rows.append(
      (
        "host noise",
        noise.map { "stolen \(percent($0.steal)), disk \(percent($0.iowait)), busy \(percent($0.busy))" } ?? "unknown"
      ))
    let width = rows.map(\.0.count).max() ?? 0
    var text = ""
    for (name, value) in rows {
      text += name + String(repeating: " ", count: width - name.count + 2) + value + "\n"
    }
    text += "\n"
    for line in advice { text += "- \(line)\n" }
    return text
  }

  private func words(_ q: ProbeQuantiles) -> String {
    "p50 \(q.p50.text), p99 \(q.p99.text), max \(q.max.text) (\(q.count) samples)"
  }
  private func percent(_ share: Double) -> String { "\(rounded(share * 100)) %" }
  private func rounded(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}

extension Nanoseconds {
  /// With a unit and three digits at most after the point: `53 us`, `1.23 ms`.
  fileprivate var text: String {
    func rounded(_ value: Double) -> String {
      let hundredths = (value * 100).rounded() / 100
      return hundredths == hundredths.rounded() ? "\(Int(hundredths))" : "\(hundredths)"
    }
    let n = Double(rawValue)
    return switch abs(n) {
    case ..<1_000: "\(rawValue) ns"
    case ..<1_000_000: "\(rounded((n / 100).rounded() / 10)) us"
    case ..<1_000_000_000: "\(rounded(n / 1e6)) ms"
    default: "\(rounded(n / 1e9)) s"
    }
  }
}
