import TailraceCore
import TailraceMeasurement
import TailraceWorkload

extension Recorder.RecorderSettings {
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
    limits = RunLimits(scenario)
  }
}

extension RunLimits {
  /// The limits that a scenario sets.
  package init(_ scenario: Scenario) {
    let settings = scenario.scheduler
    self.init(
      types: scenario.jobs.map {
        RunLimits.OfType(concurrency: $0.concurrency, rate: $0.rate?.rate.perSecond, memory: $0.memory)
      },
      concurrency: settings.concurrency, rate: settings.rate?.rate.perSecond, memory: settings.memoryBudget,
      isAdaptive: settings.adaptive != nil || settings.autoscaling != nil)
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
