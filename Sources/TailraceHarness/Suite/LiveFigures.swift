import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay

/// The figures of a running run so far.
package struct LiveFigures: Sendable, Hashable {
  /// A quantity's percentiles so far; nil if there are too few samples.
  package struct Percentiles: Sendable, Hashable {
    package var p50: Nanoseconds?
    package var p90: Nanoseconds?
    package var p99: Nanoseconds?
    package var max: Nanoseconds

    package init(p50: Nanoseconds?, p90: Nanoseconds?, p99: Nanoseconds?, max: Nanoseconds) {
      self.p50 = p50
      self.p90 = p90
      self.p99 = p99
      self.max = max
    }

    init(_ samples: Distribution) {
      let values = samples.percentiles([50, 90, 99])
      self.init(p50: values[0], p90: values[1], p99: values[2], max: samples.max)
    }
  }

  /// Jobs that have settled, dropped ones included.
  package var settled = 0
  /// Jobs that were turned away, of those looked at: dropped, rejected or shed.
  package var turnedAway = 0
  /// Jobs that failed for good, of those looked at.
  package var deadLettered = 0
  /// The jobs in the system; nil: unavailable.
  package var counts: JobCounts?
  /// Jobs that ran to their end per second of the run's own clock, over its last second; nil: none yet.
  package var throughput: Double?
  /// Whether the run is still in its warm-up, which has no samples.
  package var isWarmingUp = false
  package var response: Percentiles?
  package var waiting: Percentiles?
  /// Of the scenario, where this is the run that they are about.
  package var targets: [TargetSoFar] = []
  /// The share of records that the display has read, 0…1. It is below 1 if records arrive too fast.
  package var share = 1.0

  package init() {}

  /// Targets with this verdict.
  package func count(_ verdict: TargetSoFar.Verdict) -> Int { targets.count { $0.verdict == verdict } }
}

/// A target, parsed once.
struct WatchedTarget: Sendable {
  var text: String
  var expression: TargetExpression
}

/// Aggregates records into figures. Used only by the watching thread.
final class RunWatch {
  private let progress: RunProgress
  private let system: String
  private let isVirtual: Bool
  private let scale: Double
  private let targets: [WatchedTarget]

  private var recorder: Recorder?
  private var figures = LiveFigures()
  private var ended = 0
  private var seen = 0
  private var missed = RecordTap.Missed()
  /// Jobs that had run to their end at moments of the run's clock, of its last second.
  private var moments: [(clock: Nanoseconds, ended: Int)] = []
  private var nextMeasurement = Instant.zero

  init(_ progress: RunProgress, system: String, isVirtual: Bool, scale: Double, targets: [WatchedTarget]) {
    self.progress = progress
    self.system = system
    self.isVirtual = isVirtual
    self.scale = scale
    self.targets = targets
    figures.targets = targets.map { TargetSoFar($0.expression, as: $0.text, run: nil, scale: scale) }
  }

  /// The current figures.
  func look() -> LiveFigures {
    figures.counts = progress.counts
    guard let tap = progress.tap else { return figures }
    let recorder = recorder ?? Self.makeRecorder(tap.settings)
    self.recorder = recorder
    let lost = tap.records.drain { records in
      seen += records.count
      recorder.record(records)
      for record in records where record.settles { count(record.cause) }
    }
    missed.merge(lost)
    figures.settled += lost.settled
    ended += lost.ended
    let now = MonotonicClock.now()
    let clock = isVirtual ? progress.reached : now - tap.settings.origin
    figures.throughput = rate(at: clock) ?? figures.throughput
    figures.isWarmingUp = clock < tap.settings.window.start
    figures.share = seen == 0 ? 1 : Double(seen) / Double(seen + missed.records)
    guard now >= nextMeasurement, seen > 0 else { return figures }
    measure(recorder, at: clock)
    // Merging the histograms of many classes takes milliseconds; spend at most 2 % of the time on it.
    let cost = MonotonicClock.now() - now
    nextMeasurement = now + max(.milliseconds(300), Nanoseconds(cost.rawValue * 50))
    return figures
  }

  /// One that keeps no list of attempts: what only such a list gives is known when the run is over.
  private static func makeRecorder(_ settings: Recorder.RecorderSettings) -> Recorder {
    var settings = settings
    settings.attemptLimit = 0
    settings.expectedJobs = 1
    return Recorder(settings)
  }

  private func count(_ cause: SettlementCause) {
    figures.settled += 1
    if cause.ranToItsEnd { ended += 1 }
    if cause.isDeadLettered { figures.deadLettered += 1 }
    if cause == .dropped || cause == .rejected || cause == .shed { figures.turnedAway += 1 }
  }

  private func rate(at clock: Nanoseconds) -> Double? {
    guard clock > .zero, clock > moments.last?.clock ?? .zero else { return nil }
    if moments.isEmpty { moments.append((.zero, 0)) }
    moments.append((clock, ended))
    // The latest moment that is a second old stays, as the beginning of the second.
    while moments.count > 2, clock - moments[1].clock >= .seconds(1) { moments.removeFirst() }
    return Double(ended - moments[0].ended) / (clock - moments[0].clock).seconds
  }

  private func measure(_ recorder: Recorder, at clock: Nanoseconds) {
    // What is lost is known when the run is over: until then all that has settled is all there is.
    let facts = RunFacts(intended: recorder.settledJobs)
    let measurement = recorder.measurement(facts, at: clock)
    figures.response = measurement.all[.response].map { LiveFigures.Percentiles($0) }
    figures.waiting = measurement.all[.waiting].map { LiveFigures.Percentiles($0) }
    guard !targets.isEmpty else { return }
    let run = RunResult(
      system: system, seed: 0, timeScale: scale, fingerprint: "", measurement: measurement,
      observations: Observations())
    figures.targets = targets.map {
      TargetSoFar(
        $0.expression, as: $0.text, run: figures.isWarmingUp ? nil : run, scale: scale,
        isWhole: missed.records == 0)
    }
  }
}
