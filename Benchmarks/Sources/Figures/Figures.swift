import TailraceBenchmarkHooks
import TailraceJemalloc
import Workbench

/// Prints figures, one a line: its name, its unit and its value, separated by tabs.
///
///     figures [ROUND]
///
/// The round, a number, decides in which order the ways of submitting take their turns. `TAILRACE_TRACES` names a folder
/// with the log LCG-2005-1.swf.gz of the Parallel Workloads Archive, which is replayed too where it is there.
@main
enum Figures {
  static func main() async {
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

  private static func show(_ name: String, _ unit: String, _ value: Double) {
    print("\(name)\t\(unit)\t\(value)")
  }
}
