import CPlatform
import TailraceRuntime

/// What the machine did beside this process, from one moment to another.
struct MachineWatch {
  /// What disturbs a measurement in real time.
  struct Disturbance: Sendable, Equatable {
    /// Share of all processor time that other programs used, 0…1.
    var others: Double
    /// Share that the host took for other virtual machines, 0…1.
    var steal: Double

    /// Above which figures in real time say more of the other programs than of this one. A machine that is otherwise
    /// idle stays within 1 % and next to 0.
    static let othersLimit = 0.05
    static let stealLimit = 0.02

    /// In words; nil: the machine was quiet.
    var words: String? {
      if others > Self.othersLimit {
        return "other programs used \(Int((others * 100).rounded())) % of its processor time"
      }
      if steal > Self.stealLimit { return "its host took \(Int((steal * 100).rounded())) % of its processor time" }
      return nil
    }
  }

  private let host = HostTimes.now()
  private let process = cplatform_process_cpu_ns()
  private let begun = MonotonicClock.now()

  /// Since it was made; nil where the system does not tell.
  var disturbance: Disturbance? {
    guard let host, let now = HostTimes.now(), let noise = HostNoise(from: host, to: now) else { return nil }
    let elapsed = (MonotonicClock.now() - begun).rawValue
    let all = Double(elapsed) * Double(RunEnvironment.processorCount)
    guard all > 0 else { return nil }
    let own = Double(cplatform_process_cpu_ns() - process) / all
    return Disturbance(others: max(0, noise.busy - own), steal: noise.steal)
  }
}
