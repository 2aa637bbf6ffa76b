import Foundation

/// Processor time of the whole machine up to one moment, from the first line of /proc/stat.
package struct HostTimes: Hashable, Sendable {
  /// Clock ticks of all processors together, whatever they did.
  package var total: UInt64
  package var idle: UInt64
  /// Idle while a disk was waited for.
  package var iowait: UInt64
  /// Taken by the host for other virtual machines.
  package var steal: UInt64

  /// Reads /proc/stat; nil where there is none.
  package static func now() -> HostTimes? {
    guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8) else { return nil }
    return HostTimes(procStat: text)
  }

  /// Reads the text of /proc/stat; nil when it has no complete `cpu` line.
  package init?(procStat text: String) {
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("cpu ") }) else { return nil }
    let fields = line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
    // user nice system idle iowait irq softirq steal guest guest_nice; guest time is already part of user time.
    guard fields.count >= 8 else { return nil }
    total = fields[0..<8].reduce(0, +)
    idle = fields[3]
    iowait = fields[4]
    steal = fields[7]
  }
}

/// What the machine did besides, between two moments.
package struct HostNoise: Hashable, Sendable, Codable {
  /// Share of all processor time that the host took for other virtual machines, 0…1.
  package var steal: Double
  /// Share of all processor time spent idle while a disk was waited for, 0…1.
  package var iowait: Double
  /// Share of all processor time in use by anything, this process included, 0…1.
  package var busy: Double

  /// Compares two readings; nil when no time passed between them.
  package init?(from start: HostTimes, to end: HostTimes) {
    guard end.total > start.total else { return nil }
    let total = Double(end.total - start.total)
    func share(_ a: UInt64, _ b: UInt64) -> Double { b > a ? Double(b - a) / total : 0 }
    steal = share(start.steal, end.steal)
    iowait = share(start.iowait, end.iowait)
    busy = max(0, 1 - steal - iowait - share(start.idle, end.idle))
  }
}
