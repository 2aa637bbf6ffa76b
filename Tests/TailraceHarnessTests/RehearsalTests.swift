// Goal: a rehearsal is a scenario that its system can replay, whatever the suite asks for, and leaves nothing behind.

import TailraceCore
import TailraceJemalloc
import TailraceMeasurement
import TailraceSQLite
import TailraceWorkload
import Testing
@testable import TailracePlatform
@testable import TailraceReplay

@testable import TailraceHarness

struct RehearsalTests {
  private let every = """
    name: every
    jobs:
      sleep: {service: 1ms}
      spin: {work: spin, service: 1ms}
      memory: {work: {memory: 1MiB}, service: 1ms}
      read: {work: {sqlite: read}}
      child: {work: {subprocess: [/bin/sleep, "9"]}}
      events: {work: events}
      cycles: {work: {cycles: {limit: 2}}, service: 1ms}
    load: [{batch: 1}]
    """

  @Test(arguments: [true, false]) func everyKindOfWorkIsRehearsed(isPlain: Bool) throws {
    let scenario = try ScenarioParser.parse(yaml: every, file: "every.yaml").get()
    let text = Rehearsal(of: [scenario, scenario]).file(isPlain: isPlain)
    let rehearsed = try ScenarioParser.parse(yaml: text, file: "rehearsal").get()
    let works = rehearsed.jobs.map(\.work)
    #expect(works.contains(.spin))
    #expect(works.contains(.sqlite(.read)) && works.contains(.sqlite(.write)))
    #expect(works.contains(.subprocess(["/bin/true"])))
    #expect(works.contains(.events(count: 1)))
    #expect(rehearsed.hasDependencies == !isPlain)
  }

  @Test(arguments: Systems.forTests.all.map(\.name)) func everySystemCanRehearse(name: String) async throws {
    let system = try #require(Systems.forTests.named(name))
    let scenario = try ScenarioParser.parse(yaml: every, file: "every.yaml").get()
    let parts = SuiteParts.forTests { try SQLiteDatabaseWork(readers: $0) }
    // Throws when there is nothing that the system can replay.
    try await Rehearsal(of: [scenario]).run(on: system, parts: parts, interruption: StopFlag())
  }
}
