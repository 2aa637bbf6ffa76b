import TailraceCore

extension Scenario {
  /// The jobs of a trace on this scenario's scheduler, all with the settings of its first job type.
  package func replaying(_ trace: Trace) -> Scenario {
    var scenario = self
    scenario.jobs = trace.types.map { name in
      var job = jobs[0]
      (job.name, job.service) = (name, .constant(.zero))
      return job
    }
    scenario.streams = [
      LoadStream(arrivals: .trace(trace), mix: .weighted([]), start: .zero, duration: nil, count: trace.count)
    ]
    scenario.duration = nil
    return scenario
  }
}
