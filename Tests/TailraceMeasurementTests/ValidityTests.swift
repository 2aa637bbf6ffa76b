// Goal: a run whose figures cannot be trusted is invalid, and each check of its certificate says why.
import TailraceCore
import Testing

@testable import TailraceMeasurement

@Suite struct ValidityTests {
  /// 100 jobs, one every 10 ms, each in the system for 5 ms.
  private let records = (0..<100).map {
    makeRecord(UInt64($0), intended: Int64($0) * 10_000, lag: 0, submission: 0, waiting: 0, service: 5_000)
  }

  private func makeObservations(
    meanJobs: Double = 0.5, lateness: Nanoseconds = .microseconds(20), steal: Double = 0
  ) -> Observations {
    var observations = Observations()
    observations.meanJobsInSystem = Reading(meanJobs)
    observations.observedFor = .seconds(1)
    observations.hostSteal = Reading(steal)
    observations.otherPrograms = Reading(0)
    observations.standstill = Standstill()
    var histogram = LatencyHistogram()
    for _ in 0..<100 { histogram.record(lateness) }
    observations.generatorLateness = histogram.distribution
    return observations
  }

  private func verdict(_ name: String, of run: RunResult) -> ValidityCheck.Verdict? {
    run.validity.first { $0.name == name }?.verdict
  }

  @Test func soundRunPassesEveryCheck() {
    let run = makeRun(records, observations: makeObservations())
    #expect(run.validity.allSatisfy { $0.verdict == .passed }, "\(run.validity)")
    #expect(run.isValid)
  }

  @Test func littlesLawComparesTwoIndependentCounts() {
    #expect(verdict("littles_law", of: makeRun(records, observations: makeObservations(meanJobs: 0.8))) == .failed)
  }

  @Test func latenessWarnsThenFails() {
    let warned = makeRun(records, observations: makeObservations(lateness: .milliseconds(3)))
    #expect(verdict("generator_lateness", of: warned) == .warning)
    #expect(warned.isValid)
    let failed = makeRun(records, observations: makeObservations(lateness: .milliseconds(30)))
    #expect(verdict("generator_lateness", of: failed) == .failed)
    #expect(!failed.isValid)
  }

  @Test func stealWarnsThenFails() {
    #expect(verdict("host_steal", of: makeRun(records, observations: makeObservations(steal: 0.05))) == .warning)
    #expect(verdict("host_steal", of: makeRun(records, observations: makeObservations(steal: 0.2))) == .failed)
  }

  /// Other programs, and what the run's threads waited for a processor: 100 jobs of 5 ms are half a second of work.
  private func others(_ share: Double, delay: Double?, ticks: Int = 1_000) -> ValidityCheck? {
    var observations = makeObservations()
    observations.otherPrograms = Reading(share)
    observations.runDelay = delay.map { Reading($0 * 1e9) }
    observations.processorTime = Reading(0.1e9)
    observations.hostTicks = ticks
    return makeRun(records, observations: observations).validity.first { $0.name == "other_programs" }
  }

  @Test func otherProgramsFailARunThatTheyHaveSlowedDown() {
    #expect(others(0.5, delay: 0.2)?.verdict == .failed)
    #expect(others(0.5, delay: 0.2)?.words.contains("waited 0.2 s for a CPU, 40 % of the work") == true)
    #expect(others(0.5, delay: 0.2)?.words.contains("stop other programs") == true)
    // They used what the run left idle.
    #expect(others(0.5, delay: 0.01)?.verdict == .warning)
    #expect(others(0.07, delay: 0.2)?.verdict == .warning)
    // A run that keeps every processor busy by itself: its threads wait for each other.
    #expect(others(0.01, delay: 3)?.verdict == .passed)
    #expect(others(0.5, delay: 0.2, ticks: 20)?.verdict == .unavailable)
    // Another program's threads are not seen, and its servers are other programs.
    #expect(others(0.9, delay: nil)?.verdict == .warning)
  }

  /// A run of a length whose process stood still in gaps.
  private func standstill(_ gaps: [Nanoseconds]?, of length: Nanoseconds) -> ValidityCheck? {
    var observations = makeObservations()
    observations.observedFor = length
    observations.standstill = gaps.map { gaps in
      var standstill = Standstill()
      for gap in gaps { standstill.add(gap) }
      return standstill
    }
    return makeRun(records, observations: observations).validity.first { $0.name == "process_standstill" }
  }

  @Test func aProcessThatStoodStillMakesItsRunInvalid() {
    #expect(standstill([], of: .seconds(1))?.verdict == .passed)
    #expect(standstill([.seconds(3)], of: .seconds(20))?.verdict == .failed)
    #expect(
      standstill([.seconds(3)], of: .seconds(20))?.words.contains("stood still for 3 s of 20 s, in 1 gap") == true)
    // However long the run is.
    #expect(standstill([.milliseconds(1_100)], of: .seconds(7_200))?.verdict == .failed)
    #expect(standstill([.milliseconds(110)], of: .seconds(2))?.verdict == .failed)
    // A hundredth of the run.
    #expect(standstill([.milliseconds(600)], of: .seconds(61))?.verdict == .warning)
    #expect(standstill([.milliseconds(600)], of: .seconds(59))?.verdict == .failed)
    #expect(standstill(Array(repeating: .milliseconds(60), count: 10), of: .seconds(59))?.verdict == .failed)
    // What a busy host does now and then.
    #expect(standstill([.milliseconds(40), .milliseconds(50)], of: .seconds(1))?.verdict == .warning)
    #expect(standstill(nil, of: .seconds(1))?.verdict == .unavailable)
  }

  @Test func noSpeedupIsTakenFromARunThatIsInvalid() throws {
    func run(_ system: String, _ length: Int64, gap: Nanoseconds) -> RunResult {
      var observations = makeObservations(meanJobs: 0.5)
      observations.standstill = Standstill()
      if gap > .zero { observations.standstill?.add(gap) }
      let records = (0..<100).map {
        makeRecord(UInt64($0), intended: Int64($0) * length, lag: 0, submission: 0, waiting: 0, service: length / 2)
      }
      return makeRun(records, system: system, observations: observations)
    }
    let speedup = try Metric(parsing: "speedup", types: nil)
    let own = run("live", 10_000, gap: .zero)
    #expect(own.isValid, "\(own.validity)")
    let sound = speedup.answer(from: [own, run("sequential", 10_000, gap: .zero)])
    #expect(sound.value != nil)
    let frozen = speedup.answer(from: [own, run("sequential", 10_000, gap: .seconds(3))])
    #expect(frozen.value == nil && frozen.note == "the run on sequential is invalid (process_standstill)", "\(frozen)")
    let ownFrozen = speedup.answer(from: [run("live", 10_000, gap: .seconds(3)), run("sequential", 10_000, gap: .zero)])
    #expect(ownFrozen.value == nil && ownFrozen.note.contains("on live"))
  }

  @Test func aTickerTellsAStopFromABusyMachine() {
    var tally = StandstillTally()
    var now = Instant.zero
    var waited = Nanoseconds.zero
    func beat(late: Nanoseconds, queued: Nanoseconds = .zero, suspended: Nanoseconds = .zero) {
      let due = now + .milliseconds(50)
      now = due + late
      waited += queued
      tally.beat(due: due, at: now, waited: waited, suspended: suspended)
    }
    for _ in 0..<100 { beat(late: .microseconds(60)) }
    // Every processor is taken: the thread waits for one, for as long as it is late.
    for _ in 0..<100 { beat(late: .milliseconds(400), queued: .milliseconds(399)) }
    #expect(tally.standstill == Standstill())
    beat(late: .seconds(3), queued: .milliseconds(2))
    #expect(tally.standstill.gaps == 1 && tally.standstill.longest == .milliseconds(2_998))
    // A machine that was suspended: the clock stood still too.
    beat(late: .milliseconds(1), suspended: .seconds(60))
    #expect(tally.standstill.gaps == 2 && tally.standstill.suspended == .seconds(60))
    #expect(tally.standstill.longest == .seconds(60) + .milliseconds(1))
    // The same total again is no second suspension.
    beat(late: .zero, suspended: .seconds(60))
    tally.beat(
      due: now, at: now, waited: waited, suspended: .seconds(60), programStopped: .milliseconds(500))
    #expect(tally.standstill.gaps == 3)
  }

  @Test func stealOfAShortRunIsNotChecked() {
    var observations = makeObservations(steal: 0.2)
    observations.hostTicks = 12
    let short = makeRun(records, observations: observations)
    #expect(verdict("host_steal", of: short) == .unavailable)
    #expect(short.isValid)
    observations.hostTicks = 100
    #expect(verdict("host_steal", of: makeRun(records, observations: observations)) == .failed)
  }

  @Test func conservationFails() {
    #expect(verdict("none_lost", of: makeRun(records, intended: 101, observations: makeObservations())) == .failed)
    let twice = makeRun(records + [records[0]], intended: 100, observations: makeObservations())
    #expect(verdict("none_duplicated", of: twice) == .failed)
  }

  @Test func negativeTimesFail() {
    var wrong = records
    wrong[3].started = wrong[3].eligible - .microseconds(1)
    let run = makeRun(wrong, observations: makeObservations())
    #expect(verdict("within_range", of: run) == .failed)
    #expect(verdict("parts_add_up", of: run) == .passed)
  }

  @Test func interruptionIsInvalid() {
    var observations = makeObservations()
    observations.isInterrupted = true
    let run = makeRun(records, observations: observations)
    #expect(verdict("ran_to_end", of: run) == .failed)
    #expect(!run.isValid)
  }

  @Test func jobsCutOffAreInvalidAndHandlersLeftRunningAreNot() {
    var observations = makeObservations()
    observations.cutOff = 7
    let cut = makeRun(records, observations: observations)
    #expect(verdict("ran_to_end", of: cut) == .failed)
    let words = cut.validity.first { $0.name == "ran_to_end" }?.words
    #expect(words == "7 jobs had not settled when the time to drain was over")
    // Two handlers keep their workers, and their jobs have settled: nothing is lost.
    let occupied = RunResult(
      system: "live", seed: 1, timeScale: 1, fingerprint: "",
      measurement: measure(records, leftRunning: 2), observations: makeObservations())
    #expect(verdict("none_lost", of: occupied) == .passed)
    #expect(verdict("ran_to_end", of: occupied) == .warning)
    #expect(occupied.measurement[.leftRunning] == 2)
    #expect(occupied.isValid)
  }

  @Test func invalidBeatsMissed() throws {
    let sound = makeRun(records, observations: makeObservations())
    let missed = try ScenarioResult(
      name: "s", summary: "", runs: [sound], targets: ["makespan < 1ns"], types: ["a", "b"])
    #expect((missed.verdict, missed.verdict.exitStatus) == (.missed, 2))
    let passed = try ScenarioResult(name: "s", summary: "", runs: [sound], targets: ["lost == 0"], types: ["a", "b"])
    #expect((passed.verdict, passed.verdict.exitStatus) == (.passed, 0))
    let unsound = makeRun(records, intended: 200, observations: makeObservations())
    let invalid = try ScenarioResult(name: "s", summary: "", runs: [unsound], targets: ["makespan < 1ns"], types: [])
    #expect((invalid.verdict, invalid.verdict.exitStatus) == (.invalid, 4))
    let suite = SuiteResult(
      version: "0", suite: "s", started: "", environment: [], command: "", seed: 1, timeScale: 1,
      scenarios: [passed, invalid, missed])
    #expect(suite.exitStatus == 4)
  }
}
