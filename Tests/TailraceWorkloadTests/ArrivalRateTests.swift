// Goal: a scenario scaled to an arrival rate brings that many jobs a second, of the same mix and shape; one without a
// rate is refused with words.

import TailraceCore
import Testing

@testable import TailraceWorkload

@Suite struct ArrivalRateTests {
  private func scenario(_ load: String, duration: String = "duration: 100s") throws -> Scenario {
    let text = """
      name: t
      jobs: {a: {service: 1ms}, b: {service: 2ms}}
      graphs: {pair: {first: {job: a}, second: {job: b, after: first}}}
      load: \(load)
      \(duration)
      """
    return try ScenarioParser.parse(yaml: text, file: "t.yaml").get()
  }

  private func count(_ scenario: Scenario) -> Int {
    var cursor = Tape(scenario: scenario, seed: 3).makeCursor()
    var count = 0
    while cursor.next() != nil { count += 1 }
    return count
  }

  @Test(arguments: [
    ("{constant: 10/s, of: a}", 10.0), ("{poisson: 10/s, of: a}", 10), ("{poisson: 10/s, of: pair}", 20),
    ("{bursty: {rate: 40/s, on: 1s, off: 3s}, of: a}", 10),
    ("{stages: [{to: 20/s, for: 50s}, {to: 0/s, for: 50s}], of: a}", 10), ("{interval: 100ms, of: a}", 10),
    ("[{constant: 6/s, of: a}, {poisson: 4/s, of: b}]", 10),
    ("{constant: 20/s, of: a, start: 50s}", 10), ("{constant: 20/s, of: a, count: 1000}", 10),
  ])
  func meanRateIsOverTheWholeLengthAndScales(load: String, rate: Double) throws {
    let scenario: Scenario
    do {
      scenario = try self.scenario(load)
    } catch let problems as ScenarioProblems {
      Issue.record("\(load): \(problems.problems)")
      return
    }
    #expect(abs(scenario.arrivalRate - rate) < 1e-9 * rate, "\(scenario.arrivalRate)")
    for wanted in [rate * 3, rate / 4] {
      let scaled = try scenario.withArrivalRate(wanted)
      #expect(abs(scaled.arrivalRate - wanted) < 0.005 * wanted, "\(load): \(scaled.arrivalRate)")
      // Of 250 to 3,000 jobs, five standard deviations; bursts scatter more.
      let expected = wanted * 100
      let allowed = load.contains("bursty") ? expected * 0.8 : 5 * expected.squareRoot() + 2
      #expect(abs(Double(count(scaled)) - expected) < allowed, "\(load) at \(wanted)/s: \(count(scaled)) jobs")
    }
  }

  @Test func mixStaysAndWhatHasNoRateStaysAsItIs() throws {
    let scenario = try scenario("[{constant: 10/s, of: {a: 3, b: 1}}, {batch: 40, of: b}]")
    #expect(scenario.arrivalShares == [0.75, 0.25])
    #expect(scenario.streamsWithoutRate == ["a batch"])
    let scaled = try scenario.withArrivalRate(30)
    #expect(scaled.streams[1] == scenario.streams[1])
    #expect(scaled.arrivalShares == [0.75, 0.25] && count(scaled) == 3_040)
    #expect(!scenario.hasSteadyRate)
    let steady = try self.scenario("{poisson: 10/s, of: a}")
    let late = try self.scenario("{constant: 9/s, of: a, start: 50s}")
    #expect(steady.hasSteadyRate && !late.hasSteadyRate)
  }

  @Test func theSameSeedGivesTheSameJobsFaster() throws {
    let slow = try scenario("{poisson: 10/s, of: {a: 1, b: 1}}")
    let fast = try slow.withArrivalRate(20)
    var (one, two) = (Tape(scenario: slow, seed: 9).makeCursor(), Tape(scenario: fast, seed: 9).makeCursor())
    for _ in 0..<100 {
      let (first, second) = (one.next(), two.next())
      let (a, b) = (try #require(first), try #require(second))
      #expect(a.type == b.type && abs(a.intended.nanoseconds - 2 * b.intended.nanoseconds) <= 2)
    }
  }

  @Test(arguments: [
    ("{batch: 10, of: a}", "a batch"), ("{closed: {clients: 4}, of: a}", "closed clients"),
    ("{cron: \"* * * * *\", of: a}", "a cron expression"),
  ])
  func withoutARateItIsRefused(load: String, words: String) throws {
    let scenario = try scenario(load)
    #expect(scenario.arrivalRate == 0)
    let problem = try #require(#expect(throws: ArrivalRateProblem.self) { try scenario.withArrivalRate(5) })
    #expect("\(problem)".contains(words) && "\(problem)".contains("poisson: 50/s"))
  }
}
