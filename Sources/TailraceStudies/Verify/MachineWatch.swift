import TailraceHost

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
  private let own = OwnUse.now()

  /// Since it was made, by the figures of the validity certificate; nil where the system does not tell.
  var disturbance: Disturbance? {
    guard let host, let now = HostTimes.now(), let noise = HostNoise(from: host, to: now),
      let others = HostTimes.othersShare(
        from: host, to: now, own: OwnUse.processorTime(from: own, to: OwnUse.now()))
    else { return nil }
    return Disturbance(others: others, steal: noise.steal)
  }
}
