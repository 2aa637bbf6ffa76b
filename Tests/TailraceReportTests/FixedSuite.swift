import TailraceCore
import TailraceMeasurement

/// A small suite that is the same on every machine: two scenarios, one of five jobs and one of 2,000.
enum FixedSuite {
  static func make() throws -> SuiteResult {
    SuiteResult(
      version: "0.1.0", suite: "fixed", started: "2000-01-01T00:00:00Z",
      environment: [
        Setting("processors", "2"), Setting("system", "Linux | \"quoted\""), Setting("toolchain", "Swift 6.3"),
      ],
      command: "tailrace run fixed --seed 7", seed: 7, timeScale: 1, scenarios: [try makeFive(), try makeStream()])
  }

  private static let microsecond: Int64 = 1_000

  private static func makeRecord(
    _ job: UInt64, type: UInt16, priority: Priority, intended: Int64, lag: Int64, waiting: Int64, service: Int64,
    worker: UInt16
  ) -> TimelineRecord {
    var record = TimelineRecord(
      number: job, type: JobTypeID(rawValue: type), priority: priority, intended: Instant(nanoseconds: intended))
    record.submitted = record.intended + Nanoseconds(lag)
    record.accepted = record.submitted + .microseconds(2)
    record.eligible = record.accepted
    record.started = record.eligible + Nanoseconds(waiting)
    record.finished = record.started + Nanoseconds(service)
    record.worker = worker
    record.outcome = .succeeded
    record.settles = true
    record.cause = .succeeded
    return record
  }

  private static func makeRun(
    _ records: [TimelineRecord], system: String, types: [String], workers: Int, window: MeasurementWindow,
    meanJobs: Double, span: Nanoseconds
  ) -> RunResult {
    let recorder = Recorder(Recorder.RecorderSettings(types: types, window: window))
    records.withUnsafeBufferPointer { recorder.record($0) }
    var observations = Observations()
    observations.meanJobsInSystem = Reading(meanJobs)
    observations.observedFor = span
    observations.processorTime = Reading(12_345_678)
    observations.peakMemory = Reading(9_000_000)
    observations.hostSteal = Reading(0.002)
    observations.wakeUpP50 = Reading(21_000)
    observations.bytesPerJob = .unavailable("the allocator's counters do not move")
    var lateness = LatencyHistogram()
    for record in records { lateness.record(record.submitted - record.intended) }
    observations.isOpenLoop = system != "sequential"
    observations.generatorLateness = observations.isOpenLoop ? lateness.distribution : nil
    let jobs = Set(records.map(\.number)).count
    return RunResult(
      system: system, seed: 7, timeScale: 1, fingerprint: "00c0ffee",
      measurement: recorder.measurement(RunFacts(intended: jobs, workers: [(.async, workers)])),
      observations: observations)
  }

  private static func makeFive() throws -> ScenarioResult {
    let types = ["check", "synthesis", "export, nightly"]
    let services: [Int64] = [100_000_000, 301_000_000, 50_000_000, 200_000_000, 501_000_000]
    let kinds: [UInt16] = [0, 1, 0, 1, 2]
    let priorities: [Priority] = [.high, .normal, .high, .normal, .low]
    let waits: [Int64] = [20_000, 20_000, 20_000, 100_020_000, 50_020_000]
    let workers: [UInt16] = [0, 1, 2, 0, 2]
    var concurrent: [TimelineRecord] = []
    var sequential: [TimelineRecord] = []
    var elapsed: Int64 = 0
    for job in 0..<5 {
      concurrent.append(
        makeRecord(
          UInt64(job), type: kinds[job], priority: priorities[job], intended: 0, lag: 5_000,
          waiting: waits[job], service: services[job], worker: workers[job]))
      sequential.append(
        makeRecord(
          UInt64(job), type: kinds[job], priority: priorities[job], intended: 0, lag: elapsed, waiting: 0,
          service: services[job], worker: 0))
      elapsed += services[job]
    }
    return try ScenarioResult(
      name: "five", summary: "Five jobs on three workers.", source: "a published run",
      notes: ["The order of submission is an assumption."],
      settings: [Setting("workers", "3"), Setting("policy", "priority")],
      runs: [
        makeRun(
          concurrent, system: "live", types: types, workers: 3, window: MeasurementWindow(), meanJobs: 2.364,
          span: .milliseconds(551)),
        makeRun(
          sequential, system: "sequential", types: types, workers: 1, window: MeasurementWindow(), meanJobs: 1,
          span: .milliseconds(1_152)),
      ],
      targets: ["submission.p99 < 500ms", "speedup >= 3", "backoff.mean < 1s", "success >= 99%"],
      published: [("service.mean", "0.231s"), ("success", "100%")], types: types)
  }

  /// A stream whose long jobs take longer by a share, and all a little more or less: a round of a comparison.
  static func makeRound(_ round: Int, longer: Double = 0) throws -> SuiteResult {
    let drift = 1 + 0.002 * Double(round * 7 % 5 - 2)
    let scenario = try makeStream(service: drift, ofLong: 1 + longer)
    return SuiteResult(
      version: "0.1.0", suite: "stream", started: "2000-01-01T00:00:00Z", environment: [Setting("processors", "2")],
      command: "tailrace run stream", seed: UInt64(round), timeScale: 1, scenarios: [scenario])
  }

  private static func makeStream(service: Double = 1, ofLong: Double = 1) throws -> ScenarioResult {
    let types = ["short", "long"]
    var records: [TimelineRecord] = []
    for job in 0..<Int64(2_000) {
      let isLong = job % 10 == 0
      // A fixed sequence that spreads over a decade, without a random number generator.
      let spread = (job * 7_919) % 1_000
      var record = makeRecord(
        UInt64(job), type: isLong ? 1 : 0, priority: isLong ? .low : .normal, intended: job * 1_000 * microsecond,
        lag: 3_000 + spread, waiting: spread * spread / 10 * microsecond / 10,
        service: (isLong ? 4_000 : 400) * microsecond + spread * microsecond, worker: UInt16(job % 4))
      if service != 1 || ofLong != 1 {
        record.finished =
          record.started + (record.finished - record.started).scaled(by: service * (isLong ? ofLong : 1))
      }
      if job % 100 == 50 {
        record.outcome = .failed
        record.settles = false
        var retry = record
        retry.attempt = 2
        retry.previousFinished = record.finished
        retry.eligible = record.finished + .milliseconds(5)
        retry.started = retry.eligible + .microseconds(40)
        retry.finished = retry.started + .microseconds(500)
        retry.outcome = job % 200 == 50 ? .succeeded : .failed
        retry.cause = job % 200 == 50 ? .succeeded : .failed
        retry.settles = true
        records.append(record)
        record = retry
      }
      records.append(record)
    }
    let inSystem = records.filter(\.settles).reduce(0) { $0 + ($1.finished - $1.accepted).rawValue }
    return try ScenarioResult(
      name: "stream", summary: "A steady stream with retries.",
      runs: [
        makeRun(
          records, system: "live", types: types, workers: 4,
          window: MeasurementWindow(start: .milliseconds(200), end: .seconds(2)), meanJobs: Double(inSystem) / 2.01e9,
          span: Nanoseconds(2_010_000_000))
      ],
      targets: ["waiting{priority=low}.p90 < 1s", "throughput > 500/s", "lost == 0"], types: types)
  }
}
