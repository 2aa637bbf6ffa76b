import TailraceBenchmarkHooks
import TailraceJemalloc
import Workbench

/// Prints figures, one a line: its name, its unit and its value, separated by tabs.
///
///     figures [ROUND]
///     figures growth [SIZE ...]
///
/// The round, a number, decides in which order the ways of submitting take their turns. `TAILRACE_TRACES` names a folder
/// with the log LCG-2005-1.swf.gz of the Parallel Workloads Archive, which is replayed too where it is there. `growth`
/// prints a table instead: the time of each public operation, for so many of it on one scheduler.
@main
enum Figures {
  static func main() async throws {
    if CommandLine.arguments.dropFirst().first == "growth" {
      let sizes = CommandLine.arguments.dropFirst(2).compactMap { Int($0) }
      return try await growth(sizes.isEmpty ? [1_000, 10_000, 100_000, 1_000_000] : sizes)
    }
    let round = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 0 : 0
    core()
    queue()
    for (name, replay) in Simulated.all { simulate(name, replay, seed: UInt64(round) + 1) }
    if let log = Simulated.log { simulate("log", log, seed: 1) }
    let ways = Submitting.allCases
    for turn in ways.indices {
      let way = ways[(turn + round) % ways.count]
      _ = await way.run(jobs: 10_000)
      let jobs = way == .operationQueue ? 100_000 : 300_000
      let time = await way.run(jobs: jobs)
      show("one_by_one.\(way.rawValue)", "1/s", Double(jobs) / (time / .seconds(1)))
    }
  }

  /// Jobs that go through the core one after another.
  private static func core() {
    let jobs = 1_000_000
    var loop = CoreLoop(capacity: 10_000)
    loop.run(jobs: 10_000)
    var time = Duration.zero
    let bytes = bytesAllocated { time = ContinuousClock().measure { loop.run(jobs: jobs) } }
    show("core.time", "ns", time / .nanoseconds(1) / Double(jobs))
    if let bytes { show("core.allocated", "bytes", Double(bytes) / Double(jobs)) }
  }

  /// A long queue.
  private static func queue() {
    let jobs = 1_000_000
    let before = AllocationCounters.liveBytes()
    var loop = CoreLoop(capacity: jobs)
    let queueing = ContinuousClock().measure { loop.queue(jobs: jobs) }
    let after = AllocationCounters.liveBytes()
    var drained = 0
    let draining = ContinuousClock().measure { drained = loop.drain() }
    precondition(drained == jobs, "\(drained) of \(jobs) jobs were drained")
    show("queue.time", "ns", (queueing + draining) / .nanoseconds(1) / Double(jobs))
    if let before, let after { show("queue.memory", "bytes", (Double(after) - Double(before)) / Double(jobs)) }
  }

  /// A whole scenario in virtual time, on one thread.
  private static func simulate(_ name: String, _ replay: SimulatedReplay, seed: UInt64) {
    var jobs = 0
    var time = Duration.zero
    let bytes = bytesAllocated { time = ContinuousClock().measure { jobs = replay.run(seed: seed) } }
    show("simulated.\(name)", "1/s", Double(jobs) / (time / .seconds(1)))
    if let bytes { show("simulated.\(name).allocated", "bytes", Double(bytes) / Double(jobs)) }
  }

  /// A Markdown table. A dash: there cannot be so many.
  private static func growth(_ sizes: [Int]) async throws {
    print("| nanoseconds each | " + sizes.map { "n = \($0)" }.joined(separator: " | ") + " |")
    print("|---|" + sizes.map { _ in "---:" }.joined(separator: "|") + "|")
    for operation in Growth.allCases {
      var cells: [String] = []
      for size in sizes {
        guard size <= operation.limit ?? .max else {
          cells.append("–")
          continue
        }
        cells.append("\(Int(try await operation.nanosecondsEach(count: size)))")
      }
      print("| \(operation.rawValue) | \(cells.joined(separator: " | ")) |")
    }
  }

  private static func show(_ name: String, _ unit: String, _ value: Double) {
    print("\(name)\t\(unit)\t\(value)")
  }
}
