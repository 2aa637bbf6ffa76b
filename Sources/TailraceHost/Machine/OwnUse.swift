import CPlatform
import Foundation
import Glibc

/// What this process had of the processors up to one moment, and what it did not get.
package struct OwnUse: Sendable {
  /// Processor time in nanoseconds, child processes that have ended included: drivers, and what `subprocess` jobs ran.
  private var processorTime: Int64
  /// For each thread that lives, by the kernel's number: how long it waited for a processor while it could run.
  private var delays: [Int: Int64]
  /// The same of threads that have ended.
  private var endedDelay: Int64

  package static func now() -> OwnUse {
    OwnUse(
      processorTime: cplatform_process_cpu_ns() + cplatform_children_cpu_ns(), delays: threadDelays(),
      endedDelay: cplatform_ended_run_delay_ns())
  }

  /// Processor time between two readings, in nanoseconds.
  package static func processorTime(from start: OwnUse, to end: OwnUse) -> Int64 {
    end.processorTime - start.processorTime
  }

  /// How long the threads waited for a processor between two readings, in nanoseconds, all together; nil: the system
  /// does not say.
  ///
  /// What threads of the runtime's own start waited is known also where they have ended since. Of a thread that the
  /// system started and ended in between, which pools of tasks do not do while they have work, nothing is known.
  package static func runDelay(from start: OwnUse, to end: OwnUse) -> Int64? {
    guard !end.delays.isEmpty else { return nil }
    var sum: Int64 = 0
    for (thread, delay) in end.delays {
      let before = start.delays[thread] ?? 0
      // A number may have been given to another thread meanwhile.
      sum += delay >= before ? delay - before : delay
    }
    // Threads that have ended bring what they waited before the first reading too.
    let known = start.delays.reduce(into: Int64(0)) { if end.delays[$1.key] == nil { $0 += $1.value } }
    return sum + max(0, end.endedDelay - start.endedDelay - known)
  }

  private static func threadDelays() -> [Int: Int64] {
    let folder = "/proc/self/task"
    guard let threads = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return [:] }
    var delays: [Int: Int64] = [:]
    for thread in threads {
      // One that has ended since the folder was read has no file.
      guard let number = Int(thread),
        let text = RunEnvironment.text(of: "\(folder)/\(thread)/schedstat"),
        let delay = delay(inSchedstat: text)
      else { continue }
      delays[number] = delay
    }
    return delays
  }

  /// The second of the three numbers of a thread's schedstat; nil: it has none.
  package static func delay(inSchedstat text: String) -> Int64? {
    let fields = text.split(whereSeparator: \.isWhitespace)
    return fields.count >= 2 ? Int64(fields[1]) : nil
  }

  /// Ticks a second in which /proc/stat counts.
  static var ticksPerSecond: Double { Double(max(1, sysconf(Int32(_SC_CLK_TCK)))) }
}

extension HostTimes {
  /// The share of processor time between two readings that went neither to this process nor to the host, nor stayed
  /// idle: other programs', 0…1; nil when no time passed.
  ///
  /// - Parameter own: This process's CPU time in between, in nanoseconds.
  package static func othersShare(from start: HostTimes, to end: HostTimes, own: Int64) -> Double? {
    guard end.total > start.total else { return nil }
    let total = Double(end.total - start.total)
    let busy = Double(end.busy) - Double(start.busy)
    // The kernel counts ticks by samples, so a run alone on its machine may come out a little below zero.
    return min(1, max(0, (busy - Double(own) / 1e9 * OwnUse.ticksPerSecond) / total))
  }
}
