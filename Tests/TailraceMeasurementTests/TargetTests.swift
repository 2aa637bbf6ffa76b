// Goal: targets are read as written, evaluated against samples that exist, and refused with words that help.
import TailraceCore
import Testing

@testable import TailraceMeasurement

@Suite struct TargetTests {
  private let types = ["a", "b"]
  /// 400 jobs: half of type a, urgent and short of wait, half of type b.
  private let records: [TimelineRecord] = {
    var records: [TimelineRecord] = []
    for job in 0..<UInt64(200) {
      records.append(makeRecord(job * 2, type: 0, priority: .high, waiting: 10))
      records.append(makeRecord(job * 2 + 1, type: 1, priority: .low, waiting: 1_000))
    }
    return records
  }()
  private var run: RunResult { makeRun(records) }

  private func evaluate(_ text: String, runs: [RunResult]? = nil, scale: Double = 1) throws -> TargetOutcome {
    TargetOutcome(try TargetExpression(parsing: text, types: types), as: text, runs: runs ?? [run], scale: scale)
  }

  @Test(arguments: [
    ("waiting{priority=high}.p90 < 50us", true), ("waiting{priority=low}.p90 < 50us", false),
    ("waiting{type=b}.min >= 1ms", true), ("waiting{type=b,priority=low}.mean == 1ms", true),
    ("response.p99<2 ms", true), ("response.count == 400", true), ("lost == 0", true), ("success >= 99%", true),
    ("success{type=a} >= 0.99", true), ("throughput > 100/min", true), ("utilization > 0", true),
    ("makespan < 1ms", false), ("service.stddev <= 1us", true), ("starts_per_second_max <= 400/s", true),
    ("offered_load > 0", true), ("response.p99 < 1d", true), ("throughput > 1/d", true), ("throughput > 1/ms", true),
    ("bytes_per_job < 1KB", false), (" completed { priority = high } >= 200 ", true),
  ])
  func targetsCompare(text: String, isMet: Bool) throws {
    var observations = Observations()
    observations.bytesPerJob = Reading(1_000)
    let outcome = try evaluate(text, runs: [makeRun(records, observations: observations)])
    #expect(outcome.verdict == (isMet ? .met : .missed), "\(outcome)")
    #expect(outcome.expression == text)
  }

  @Test(arguments: [
    ("respons.p99 < 1s", "unknown metric 'respons'; did you mean 'response.p99'? known are submission_lag, submission"),
    ("response < 1s", "response needs a statistic, such as response.p99"),
    ("response.p100 < 1s", "unknown statistic 'p100'; did you mean 'max'? allowed are count, mean"),
    ("response.median < 1s", "unknown statistic 'median'"),
    ("service.mean < 5", "a number without unit does not fit service.mean; it wants a time with its unit"),
    ("throughput > 5ms", "unit 'ms' does not fit throughput; it wants a rate"),
    ("lost == 0.5", "lost is a count and wants a whole number"),
    ("lost == 0s", "unit 's' does not fit lost"),
    ("waiting{type=c}.p50 < 1s", "unknown job type 'c'; did you mean 'a' or 'b'? this scenario has a, b"),
    (
      "waiting{priority=urgent}.p50 < 1s",
      "unknown priority 'urgent'; did you mean 'critical'? allowed are critical, high, normal, low, batch"
    ),
    ("waiting{pool=async}.p50 < 1s", "unknown selector 'pool'; allowed are type and priority"),
    ("waiting{type=a.p50 < 1s", "'{' without '}'"), ("makespan{type=a} < 1s", "makespan is a figure of the whole run"),
    ("response.p99", "no comparison; a target reads METRIC OP VALUE"),
    ("response.p99 =< 1s", "unknown comparison '=<'; did you mean '<='? allowed are < <= > >= =="),
    ("response.p99 < fast", "no number"),
    ("", "no comparison"), ("throughput.p99 > 1/s", "throughput is a single figure"),
  ])
  func problemsSayWhatIsAllowed(text: String, words: String) throws {
    let problem = try #require(TargetExpression.problem(in: text, types: types))
    #expect(problem.hasPrefix("'\(text)': "))
    #expect(problem.contains(words), "\(problem)")
  }

  @Test func metricWithoutSamplesNeverPasses() throws {
    let outcome = try evaluate("backoff.p99 < 1h")
    #expect(outcome.verdict == .noSamples)
    #expect(outcome.note == "no sample of backoff")
    #expect(try evaluate("speedup >= 0.01").verdict == .noSamples)
    let empty = makeRun([])
    #expect(try evaluate("lost == 0", runs: [empty]).verdict == .noSamples)
    #expect(try evaluate("rejected{type=b} == 0", runs: [makeRun([makeRecord(0)])]).verdict == .noSamples)
  }

  @Test func extremeStandsForPercentileOfFewSamples() throws {
    let few = makeRun((0..<4).map { makeRecord(UInt64($0), service: 100 * Int64($0 + 1)) })
    let upper = try evaluate("service.p99 < 500us", runs: [few])
    #expect((upper.verdict, upper.observed, upper.samples) == (.met, 400_000, 4))
    #expect(upper.note == "p99 needs 299 samples, so the maximum is used")
    #expect(try evaluate("service.p99 > 100us", runs: [few]).verdict == .missed)
    #expect(try evaluate("service.p99 == 400us", runs: [few]).verdict == .noSamples)
  }

  @Test func timeScaleAppliesToTimesAndRates() throws {
    let time = try evaluate("response.p99 < 500ms", scale: 0.1)
    #expect(abs(time.limit - 50_000_000) < 1)
    #expect(abs(try evaluate("throughput > 100/s", scale: 0.1).limit - 1_000) < 1e-6)
    #expect(try evaluate("success > 99%", scale: 0.1).limit == 0.99)
  }

  @Test func speedupComparesMakespansOfOneTape() throws {
    let concurrent = makeRun([makeRecord(0, lag: 0, submission: 0, waiting: 0, service: 100)])
    let sequential = makeRun(
      [makeRecord(0, lag: 0, submission: 0, waiting: 0, service: 500)], system: "sequential")
    let outcome = try evaluate("speedup >= 4.9", runs: [concurrent, sequential])
    #expect((outcome.verdict, outcome.observed) == (.met, 5))
    #expect(try evaluate("time_saved >= 40%", runs: [concurrent, sequential]).observed == 0.8)
    var other = sequential
    other.fingerprint = "beef"
    #expect(try evaluate("speedup >= 4.9", runs: [concurrent, other]).verdict == .noSamples)
  }

  @Test func marginsAreOnTheRightSide() throws {
    let missed = try evaluate("completed >= 500")
    #expect((missed.margin, missed.relativeMargin) == (-100, -0.2))
    let met = try evaluate("completed < 500")
    #expect((met.margin, met.relativeMargin) == (100, 0.2))
    #expect(try evaluate("lost == 0").relativeMargin == nil)
  }
}
