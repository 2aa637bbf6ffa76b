// Goal: the last submitted jobs are found by their numbers, whatever their numbers are.

import TailraceCore
import TailraceWorkload
import Testing

struct RecentJobsTests {
  @Test func theLastHundredThousandAreKnown() {
    var jobs = RecentJobs()
    #expect(jobs[0] == nil)
    for number in 0..<UInt64(300_000) { jobs[number] = JobID(rawValue: number + 7) }
    for number in UInt64(200_000)..<300_000 where jobs[number] != JobID(rawValue: number + 7) {
      Issue.record("job \(number) is \(String(describing: jobs[number]))")
    }
    #expect(jobs[0] == nil && jobs[300_000] == nil)
    jobs[299_999] = .refused
    #expect(jobs[299_999] == .refused)
  }

  @Test func numbersOfClientsAreFarApart() {
    var jobs = RecentJobs()
    let numbers = (0..<50).flatMap { client in
      (0..<100).map { Tape.firstClosedNumber | UInt64(client) << 32 | UInt64($0) }
    }
    for number in numbers { jobs[number] = JobID(rawValue: number) }
    jobs[3] = .refused
    #expect(numbers.allSatisfy { jobs[$0] == JobID(rawValue: $0) } && jobs[3] == .refused)
  }
}
