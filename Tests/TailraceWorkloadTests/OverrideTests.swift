// Goal: an override changes what a scenario has, and never adds to what it runs; every refusal names what was meant.

import TailraceCore
import TailraceWorkload
import Testing

@Suite struct OverrideTests {
  private static let yaml = """
    name: o
    jobs:
      a: {service: 10ms, tenants: {gold: 1, free: 3}}
      report.daily: {service: 10ms}
    graphs:
      g: {first: {job: a}, second: {job: report.daily, after: first}}
    load:
      - {poisson: 20/s, of: a}
      - {constant: 5/s, of: g}
    duration: 2s
    published: {service.mean: 10ms}
    scheduler: {workers: 2, tenants: {named: {gold: {weight: 4}}}}

    """

  private func parse(
    _ key: String, _ value: String, yaml: String = OverrideTests.yaml
  ) -> Result<Scenario, ScenarioProblems> {
    ScenarioParser.parse(yaml: yaml, file: "o.yaml", overrides: [(key, value)])
  }

  /// What is there, or is a key of the format that is left out.
  @Test(arguments: [
    ("jobs.a.service", "1ms"), ("jobs.a.timeout", "none"), ("jobs.a.retries.limit", "2"),
    ("jobs.report.daily.service", "1ms"), ("scheduler.policy", "fifo"), ("scheduler.policy.aging.boost", "1s"),
    ("scheduler.queue.capacity", "5"), ("scheduler.thread_workers", "3"), ("load.1.constant", "9/s"),
    ("load.0.count", "9"), ("load.1.poisson", "9/s"), ("warmup", "1s"), ("targets", "[lost == 0]"),
    ("scheduler.tenants.named.gold.weight", "5"), ("scheduler.tenants.named.free.weight", "5"),
    ("graphs.g.second.after", "[]"), ("published.service.mean", "11ms"), ("backend.capacity", "4"),
    ("load.0.of", "{a: 1, report.daily: 2}"), ("jobs.a", "{service: 3ms, tenants: {gold: 1}}"),
  ])
  func whatTheFormatKnowsCanBeSet(_ key: String, _ value: String) throws {
    let scenario = try parse(key, value).get()
    #expect(scenario.jobs.count == 2 && scenario.streams.count == 2)
  }

  @Test(arguments: [
    ("jobs.b.service", "1ms", "there is no job 'b'; did you mean 'a'?"),
    ("jobs.b", "{service: 1ms}", "there is no job 'b'"),
    ("jobs.report-daily.service", "1ms", "did you mean 'report.daily'?"),
    ("graphs.h.first.job", "a", "there is no graph 'h'; did you mean 'g'?"),
    ("graphs.g.frist.job", "a", "there is no node of g 'frist'; did you mean 'first'?"),
    ("scheduler.tenants.named.glod.weight", "2", "no job has the tenant 'glod'; did you mean 'gold'?"),
    ("published.service.p50", "1ms", "there is no published figure 'service.p50'"),
    ("targets.0", "lost == 0", "this is not a list, so it has no item 0; write the whole list"),
    ("load.5.constant", "1/s", "'5' is not an item of the list; write a number from 0 to 1"),
    ("load.1.rate", "1/s", "did you mean 'poisson' or 'constant'?"),
    ("load.0.of.b", "1", "unknown job 'b'; did you mean 'a'?"),
    ("workers", "3", "did you mean 'scheduler.workers'?"), ("queue.capacity", "3", "'scheduler.queue.capacity'"),
    ("service", "3ms", "did you mean 'jobs.a.service' or 'jobs.report.daily.service'?"),
    ("rate", "3/s", "did you mean 'load.poisson' or 'load.constant'?"),
    ("scheduler.wokers", "3", "did you mean 'workers'?"), ("scheduler.queue.size", "3", "did you mean 'capacity'?"),
    ("jobs.a.priority", "urgent", "did you mean 'critical'?"), ("scheduler.policy", "sjf", "did you mean 'shortest'?"),
    ("jobs.a.servce", "1ms", "did you mean 'service'?"),
    ("faults.0.at", "1s", "this is not a list, so it has no item 0"),
  ])
  func whatIsNotThereIsRefusedWithWhatWasMeant(_ key: String, _ value: String, _ words: String) {
    #expect { try parse(key, value).get() } throws: { error in
      let message = "\(error)"
      #expect(message.hasPrefix("--set \(key)=\(value): ") && message.contains(words), "\(message)")
      return true
    }
  }

  @Test func theOnlyStreamHasTheNumberZero() throws {
    let one = "name: o\njobs: {a: {service: 1ms}}\nload: {poisson: 5/s}\nduration: 1s\n"
    let set = try parse("load.0.constant", "9/s", yaml: one).get()
    #expect(set.streams[0].arrivals == .constant(Rate(perSecond: 9)))
    #expect { try parse("load.1.constant", "9/s", yaml: one).get() } throws: {
      "\($0)".contains("load has one stream, number 0, and no stream 1; write load.constant")
    }
  }
}
