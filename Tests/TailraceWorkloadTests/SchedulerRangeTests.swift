// Goal: no scenario holds what no scheduler takes: it is a problem of the file, and nothing is run.

import Testing

@testable import TailraceWorkload

struct SchedulerRangeTests {
  @Test func whatNoSchedulerTakesIsAProblemOfTheFile() throws {
    let parsed = ScenarioParser.parse(
      yaml: """
        name: wide
        jobs: {job: {service: 1ms, memory: 8192GiB}}
        load: {constant: 1/s}
        duration: 1s
        scheduler: {workers: 1, memory_budget: 16384GiB}
        """, file: "wide.yaml")
    guard case .failure(let problems) = parsed else {
      Issue.record("it was taken")
      return
    }
    let text = "\(problems)"
    #expect(text.contains("memory is 8,796,093,022,208; write 0 to 4,398,046,510,080"), "\(text)")
    #expect(text.contains("memoryBudget is 17,592,186,044,416; write 0 to 4,398,046,510,080"), "\(text)")
  }
}
