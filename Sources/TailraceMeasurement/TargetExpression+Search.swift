extension TargetExpression {
  /// Whether its figure says the same of a longer run of the same load: a mean, a percentile, a share or a rate does; a
  /// maximum, a makespan or a number of jobs does not, unless it must be zero.
  package var isSteady: Bool {
    switch metric.subject {
    case .quantity(_, .count), .quantity(_, .max), .quantity(_, .min): return false
    case .quantity: return true
    case .figure(let figure):
      switch figure {
      case .throughput, .success, .utilization, .offeredRate, .achievedRate, .offeredLoad, .jobsInSystem, .shareError:
        return true
      case .makespan, .speedup, .timeSaved, .submitted, .completed, .deadLettered, .cancelled, .rejected, .shed,
        .dropped, .retried, .late, .lost, .duplicated, .leftRunning, .earlyStarts, .concurrencyMax,
        .startsPerSecondMax, .queueDepthMax, .inversions, .recovery, .processorTime, .peakMemory, .bytesPerJob,
        .liveBytesWarm, .liveBytesEnd, .allocationsPerJob, .hostSteal, .wakeUpP50, .wakeUpP99,
        .otherPrograms, .runDelay, .spinSpeed:
        return limit.value == 0
      }
    }
  }

  /// Whether its figure needs the full list of attempts.
  package var needsAttempts: Bool {
    guard case .figure(let figure) = metric.subject else { return false }
    return [.concurrencyMax, .startsPerSecondMax, .queueDepthMax, .inversions, .earlyStarts].contains(figure)
  }

  /// Why a search cannot judge a target, and what to do instead; nil: it can.
  ///
  /// - Parameters:
  ///   - types: names of the scenario's job types.
  ///   - isSimulated: whether runs are in virtual time, in which nothing is known of the machine.
  package static func obstacle(toSearching text: String, types: [String], isSimulated: Bool) -> String? {
    if RegressionTarget.isMeant(text) {
      return "'\(text)' compares with a baseline, and there is none here; name a target that has a limit of its own"
    }
    guard let target = try? TargetExpression(parsing: text, types: types),
      case .figure(let figure) = target.metric.subject
    else { return nil }
    switch figure {
    case .speedup, .timeSaved:
      return "'\(text)' compares with one job at a time, which is not replayed here; name another target"
    case .processorTime, .peakMemory, .bytesPerJob, .liveBytesWarm, .liveBytesEnd, .allocationsPerJob, .hostSteal,
      .wakeUpP50, .wakeUpP99, .otherPrograms, .runDelay, .spinSpeed:
      return isSimulated
        ? "'\(text)' is about this machine, which a simulation does not measure; name another target" : nil
    case .throughput, .success, .utilization, .makespan, .submitted, .completed, .deadLettered, .cancelled, .rejected,
      .shed, .dropped, .retried, .late, .lost, .duplicated, .leftRunning, .earlyStarts, .concurrencyMax,
      .startsPerSecondMax, .queueDepthMax, .inversions, .shareError, .recovery, .offeredLoad, .offeredRate,
      .achievedRate, .jobsInSystem:
      return nil
    }
  }
}
