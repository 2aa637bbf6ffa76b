import TailraceHost

/// Measures the machine's other activity between two instants.
struct MachineWatch {
  /// Disturbances of a measurement in real time.
  struct Disturbance: Sendable, Equatable {
    /// The share of CPU time used by other programs, 0…1.
    var others: Double
    /// CPU steal as a share, 0…1.
    var steal: Double

    /// Above these limits, figures in real time are not meaningful. An otherwise idle machine has less than 1 % and
    /// almost 0.
    static let othersLimit = 0.05
    static let stealLimit = 0.02

    /// A description; nil: the machine was quiet.
    var words: String? {
      if others > Self.othersLimit {
        return "other programs used \(Int((others * 100).rounded())) % of the CPU time"
      }
      if steal > Self.stealLimit { return "CPU steal was \(Int((steal * 100).rounded())) %" }
      return nil
    }
  }

  private let host = HostTimes.now()
  private let own = OwnUse.now()

  /// The disturbances since initialization, with the validity certificate's figures; nil if unavailable.
  var disturbance: Disturbance? {
    guard let host, let now = HostTimes.now(), let noise = HostNoise(from: host, to: now),
      let others = HostTimes.othersShare(
        from: host, to: now, own: OwnUse.processorTime(from: own, to: OwnUse.now()))
    else { return nil }
    return Disturbance(others: others, steal: noise.steal)
  }
}
