import Foundation

/// Processor time that all programs used up to one moment, from /proc/stat, on the processors that this process may
/// use.
package struct HostTimes: Hashable, Sendable {
  /// Clock ticks of these processors together, whatever they did.
  package var total: UInt64 = 0
  package var idle: UInt64 = 0
  /// Idle while a disk was waited for.
  package var iowait: UInt64 = 0
  /// Taken by the host for other virtual machines.
  package var steal: UInt64 = 0

  /// Ticks in which a program ran, whichever.
  package var busy: UInt64 { total - min(total, idle + iowait + steal) }

  /// Reads /proc/stat; nil where there is none.
  package static func now() -> HostTimes? {
    guard let text = RunEnvironment.text(of: "/proc/stat") else { return nil }
    return HostTimes(procStat: text, processors: allowedProcessors)
  }

  /// Reads the text of /proc/stat; nil when it has no complete line of a processor.
  ///
  /// - Parameter processors: the numbers of those that count; nil, or where the text has none of them: all together.
  package init?(procStat text: String, processors: Set<Int>? = nil) {
    var isKnown = false
    for line in text.split(separator: "\n") where line.hasPrefix("cpu") && processors != nil {
      let name = line.prefix { $0 != " " }.dropFirst(3)
      guard let number = Int(name), processors?.contains(number) == true, add(line) else { continue }
      isKnown = true
    }
    if isKnown { return }
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("cpu ") }), add(line) else { return nil }
  }

  private mutating func add(_ line: Substring) -> Bool {
    let fields = line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
    // user nice system idle iowait irq softirq steal guest guest_nice; guest time is already part of user time.
    guard fields.count >= 8 else { return false }
    total += fields[0..<8].reduce(0, +)
    idle += fields[3]
    iowait += fields[4]
    steal += fields[7]
    return true
  }

  /// The processors that the affinity mask (a container's cpuset) leaves this process; nil: not known.
  private static let allowedProcessors: Set<Int>? = {
    let status = RunEnvironment.text(of: "/proc/self/status") ?? ""
    guard let list = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed_list:") }) else {
      return nil
    }
    return processors(inList: String(list.drop { $0 != ":" }.dropFirst()))
  }()

  /// Reads `0-3,8`; nil where it is something else.
  static func processors(inList text: String) -> Set<Int>? {
    var processors: Set<Int> = []
    for part in text.split(separator: ",") {
      let ends = part.split(separator: "-").map { Int($0.trimmingCharacters(in: .whitespaces)) }
      guard (1...2).contains(ends.count), let low = ends[0], let high = ends[ends.count - 1], low <= high,
        high - low < 1 << 16
      else { return nil }
      processors.formUnion(low...high)
    }
    return processors.isEmpty ? nil : processors
  }
}

/// What the machine did besides, between two moments.
package struct HostNoise: Hashable, Sendable, Codable {
  /// CPU steal as a share of all CPU time, 0…1.
  package var steal: Double
  /// Share of all CPU time spent idle while waiting for a disk, 0…1.
  package var iowait: Double
  /// Share of all CPU time in use, including by this process, 0…1.
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
