import TailraceHarness

/// The systems that a tape can be replayed on, as people name them.
enum SystemNames {
  /// `live` first, and last a program of somebody else.
  static let all: [(name: String, summary: String)] =
    Systems.all.map { ($0.name, summaries[$0.name] ?? "") }
    + [(Systems.external, "A program of yours, which replays the tape itself: docs/driver.md.")]

  private static let summaries = [
    "live": "Tailrace's own scheduler, in real time.",
    "simulated": "The same scheduler in virtual time: the tape's service times, no machine.",
    "simulated-sequential": "One job at a time in virtual time: the baseline of simulated speedups.",
    "sequential": "One job at a time, without a scheduler: the baseline of speedups.",
    "task-group": "A Swift task group, bounded to the same number of workers.",
    "operation-queue": "Foundation's OperationQueue, bounded to the same number of workers.",
    "dispatch": "As many serial dispatch queues as workers, taking jobs in turn.",
  ]
}
