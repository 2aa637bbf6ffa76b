// Creates a report every night at two in Berlin until SIGTERM or SIGINT. With --demo a week passes in virtual time.

import Logging
import TailraceRuntime

@main
struct Nightly {
  static func main() async throws {
    if CommandLine.arguments.contains("--demo") { return try await demonstrate() }
    let scheduler = try makeScheduler(time: nil)
    print(
      "The next report is due at \(scheduler.schedules()[0].next?.description ?? "no time"). SIGTERM ends the program.")
    // Starts the workers. Returns after a signal, once running reports have had ten seconds to end.
    let end = try await scheduler.run(grace: .seconds(10))
    print("Stopped: \(end.drained ? "nothing was left" : "\(end.cancelled) jobs were cancelled").")
  }

  static func makeScheduler(time: VirtualTime?) throws -> Scheduler {
    var configuration = SchedulerConfiguration()
    configuration.timeout = .seconds(2 * 86_400)
    let scheduler = try Scheduler(
      configuration, logger: Logger(label: "nightly") { _ in SwiftLogNoOpLogHandler() }, time: time)
    try scheduler.register("report") { context in
      print("\(time.map { "\($0.wallClock): " } ?? "")report \(context.number) begins")
      // In the demo one report runs past the next night, which is rejected because the unique key is still in use.
      let isSlow = time != nil && context.number == 2
      try await context.sleep(for: isSlow ? .seconds(26 * 3_600) : .seconds(600))
      return nil
    }
    try scheduler.schedule(
      RecurringJob(
        "nightly", .cron("0 2 * * *", timeZone: "Europe/Berlin"), job: JobRequest("report", uniqueKey: "report"),
        missed: .once))
    return scheduler
  }

  /// Runs the week in which summer time ends, in virtual time.
  static func demonstrate() async throws {
    let time = VirtualTime(startingAt: UnixTime("2026-10-21T12:00:00Z")!)
    let scheduler = try makeScheduler(time: time)
    scheduler.start()
    try await time.advance(by: .seconds(7 * 86_400))
    let nights = scheduler.schedules()[0]
    print("\(nights.fired) nights, \(nights.refused) refused: \(nights.lastError ?? "none")")
    print("next: \(nights.next?.description ?? "never")")
    await scheduler.shutdown()
  }
}
