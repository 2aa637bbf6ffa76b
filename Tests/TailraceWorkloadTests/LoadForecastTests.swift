// Goal: what a load comes to is known before its tape is drawn, closely where it can be drawn, and one that nobody
// could wait for is refused whatever makes it so.

import TailraceCore
import TailraceWorkload
import Testing

@Suite struct LoadForecastTests {
  private func forecast(_ yaml: String) throws -> LoadForecast {
    LoadForecast(try ScenarioParser.parse(yaml: "name: f\n" + yaml, file: "f.yaml").get())
  }

  @Test(arguments: BuiltIn.all) func theForecastIsCloseToTheTape(_ name: String) throws {
    let scenario = try BuiltInTests.scenario(name)
    guard !scenario.hasClosedArrivals else { return }
    var cursor = Tape(scenario: scenario, seed: 1).makeCursor()
    var jobs = 0.0
    while cursor.next() != nil { jobs += 1 }
    let expected = LoadForecast(scenario).jobs
    // Five standard deviations of a Poisson count; bursts spread more.
    let spread = scenario.streams.contains { if case .bursty = $0.arrivals { true } else { false } } ? 0.5 : 0.02
    #expect(abs(expected - jobs) <= max(5 * jobs.squareRoot(), spread * jobs, 1), "\(expected) for \(jobs) jobs")
  }

  /// A load that is absurd, in each way in which it can be.
  @Test(arguments: [
    "load: {poisson: 1e9/s}\nduration: 1h", "load: {constant: 1e9/s}\nduration: 11s",
    "load: {interval: 1ns}\nduration: 1h", "load: {cron: \"@every 1ns\"}\nduration: 1h",
    "load: {stages: [{to: 1e9/s, for: 0s}, {to: 1e9/s, for: 1h}]}", "load: {poisson: 1/s, of: g}\nduration: 100d",
    "load: {bursty: {rate: 1e9/s, on: 1s, off: 1s}}\nduration: 1h",
    "load: {closed: {clients: 10000}}\nscheduler: {workers: 10000}\nduration: 100d",
    "load: [{poisson: 9e8/s}, {poisson: 9e8/s}]\nduration: 10s", "load: {poisson: 3/s}\nduration: 36525d\nwarmup: 1s",
  ])
  func whatNobodyCouldWaitForIsRefused(_ load: String) throws {
    let node = (0..<1_000).map { "n\($0): {job: a}" }.joined(separator: ", ")
    let yaml = "jobs: {a: {service: 1us}}\ngraphs: {g: {\(node)}}\n\(load)\n"
    let found = try forecast(yaml)
    // The last is long and not large: a century of three a second is 9.5 billion.
    if load.contains("36525d") { return #expect(found.refusal == nil && found.jobs > 9e9) }
    if load.contains("of: g") { return #expect(abs(found.jobs / 8.64e9 - 1) < 1e-9) }
    let words = try #require(found.refusal, "\(found)")
    #expect(words.contains("lower the rate, shorten the duration, or give a count"))
  }

  /// Few jobs, and yet more to compute than anybody could wait for; each with what is named.
  @Test(arguments: [
    ("load: {bursty: {rate: 1e-9/s, on: 1ms, off: 1ms}}\nduration: 36525d\n", "1.6 trillion burst periods"),
    ("load: {poisson: 1/h}\nduration: 3650d\nfaults: [{crash: 1, restart: 1s, every: 10us}]\n", "fault occurrences"),
    (
      "load: {poisson: 1/h}\nduration: 3650d\nscheduler: {autoscaling: {queue_age: 1us}}\n",
      "autoscaling checks"
    ),
    ("load: {poisson: 100/s, of: c}\nduration: 365d\n", "cycles of work"),
    ("load: {poisson: 100/s, of: f}\nduration: 1h\n", "attempts"),
  ])
  func whatIsComputedBesideJobsIsBoundedToo(_ yaml: String, _ named: String) throws {
    let jobs = "a: {service: 1us}, c: {service: 1us, work: {cycles: {limit: 10000, needed: 9000..9999, pause: 1us}}}"
    let failing = "f: {service: 1us, failures: {always: 100%}, retries: {limit: 65534, backoff: none}}"
    let text = yaml.contains("of:") ? yaml : yaml.replacing("{poisson: 1/h}", with: "{poisson: 1/h, of: a}")
    let found = try forecast("jobs: {\(jobs), \(failing)}\n" + text)
    let words = try #require(found.refusal, "\(found)")
    #expect(words.contains(named) && found.jobs < LoadForecast.mostJobs, "\(words)")
  }

  @Test func aDailySlotIsNoSlotASecond() throws {
    let daily = try forecast("jobs: {a: {service: 1ms}}\nload: {cron: \"0 3 * * *\"}\nduration: 36525d\n")
    #expect(abs(daily.jobs - 36_525) < 400, "\(daily.jobs)")
    let never = try forecast("jobs: {a: {service: 1ms}}\nload: {cron: \"0 0 29 2 *\"}\nduration: 3650d\n")
    #expect(never.jobs == 2, "\(never.jobs)")
  }

  @Test func whatWaitsAtOnceIsBoundedByTheQueue() throws {
    let batch = "jobs: {a: {service: 1s}}\nload: {batch: 90_000_000}\n"
    let small = try forecast(batch)
    #expect(small.waiting < 10_100 && small.refusal == nil, "the queue refuses the others: \(small)")
    #expect(try forecast(batch + "scheduler: {queue: {capacity: 100_000_000}}\n").waiting == 9e7)
  }

  @Test func retriesAndOverloadAreCounted() throws {
    let retried = try forecast(
      "jobs: {a: {service: 10ms, failures: 50%, retries: {limit: 2}}}\nload: {constant: 100/s}\nduration: 10s\n")
    #expect(retried.jobs == 1_000 && retried.attempts == 1_750)
    // 4 workers serve 400 of 1,000 a second; 600 wait after each second.
    let over = try forecast("jobs: {a: {service: 10ms}}\nload: {constant: 1000/s}\nduration: 10s\n")
    #expect(abs(over.waiting - 6_000) < 1)
  }
}
