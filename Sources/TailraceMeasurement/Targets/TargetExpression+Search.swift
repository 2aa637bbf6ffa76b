extension TargetExpression {
  /// Whether its figure is independent of the run's length: means, percentiles, shares and rates are; maxima, makespans
  /// and counts are not, unless they must be zero.
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
        .otherPrograms, .runDelay, .spinSpeed, .runTwice, .completedTwice, .recoveryP50, .recoveryP99, .recoveryMax:
        return limit.value == 0
      }
    }
  }

  /// Whether its figure requires the full list of attempts.
  package var needsAttempts: Bool {
    guard case .figure(let figure) = metric.subject else { return false }
    return [.concurrencyMax, .startsPerSecondMax, .queueDepthMax, .inversions, .earlyStarts].contains(figure)
  }

  /// Why a search cannot evaluate a target, and what to do instead; nil: it can.
  ///
  /// - Parameters:
  ///   - types: names of the scenario's job types.
  ///   - isSimulated: whether runs are in virtual time, where figures of the machine are not measured.
  package static func obstacle(toSearching text: String, types: [String], isSimulated: Bool) -> String? {
    if RegressionTarget.isMeant(text) {
      return "'\(text)' compares with a baseline, which is not available here; use a target with an absolute limit"
    }
    guard let target = try? TargetExpression(parsing: text, types: types),
      case .figure(let figure) = target.metric.subject
    else { return nil }
    switch figure {
    case .speedup, .timeSaved:
      return "'\(text)' compares with a sequential run, which is not available here; use another target"
    case .processorTime, .peakMemory, .bytesPerJob, .liveBytesWarm, .liveBytesEnd, .allocationsPerJob, .hostSteal,
      .wakeUpP50, .wakeUpP99, .otherPrograms, .runDelay, .spinSpeed:
      return isSimulated
        ? "'\(text)' is about this machine, which a simulation does not measure; use another target" : nil
    case .throughput, .success, .utilization, .makespan, .submitted, .completed, .deadLettered, .cancelled, .rejected,
      .shed, .dropped, .retried, .late, .lost, .duplicated, .leftRunning, .earlyStarts, .concurrencyMax,
      .startsPerSecondMax, .queueDepthMax, .inversions, .shareError, .recovery, .offeredLoad, .offeredRate,
      .achievedRate, .jobsInSystem:
      return nil
    case .runTwice, .completedTwice, .recoveryP50, .recoveryP99, .recoveryMax:
      return "'\(text)' is about a crash test; use 'tailrace crash'"
    }
  }
}
