import TailraceCore
import TailraceMeasurement
import TailraceWorkload

extension Recorder.Settings {
  /// What every recorder of a scenario's run must know.
  ///
  /// - Parameter origin: the instant at which the run starts; ``Instant/zero`` in virtual time.
  package init(_ scenario: Scenario, origin: Instant) {
    self.init(
      types: scenario.jobs.map(\.name),
      window: MeasurementWindow(start: scenario.warmup, end: scenario.duration), origin: origin,
      hasDependencies: scenario.hasDependencies, expectedJobs: scenario.jobsInBatches)
    deadlines = scenario.jobs.map(\.deadline)
    if scenario.jobs.count > 1 { weights = scenario.jobs.map(\.weight) }
    peakEnd = scenario.peakEnd
  }
}

extension Scenario {
  /// Jobs that come in batches, so that their number is known ahead.
  var jobsInBatches: Int {
    streams.reduce(0) { sum, stream in
      guard case .batch = stream.arrivals else { return sum }
      return switch stream.mix {
      case .sequence(let types): sum + types.count
      case .weighted: sum + (stream.count ?? 0)
      case .graph(let graph): sum + (stream.count ?? 0) * graph.nodes.count
      }
    }
  }
}
