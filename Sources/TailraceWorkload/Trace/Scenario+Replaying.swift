import TailraceCore

extension Scenario {
  /// This scenario with the jobs of a trace; all of them have the settings of its first job type.
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
