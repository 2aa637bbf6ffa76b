import TailraceMeasurement
import TailraceReplay

extension WorkEngine {
  /// What the work did so far, of each part that did any.
  package var statistics: [WorkStatistic] {
    bus.metrics.statistics + workflows.counts.statistics + (database?.statistics.statistics ?? [])
  }
}

extension EventBusMetrics {
  fileprivate var statistics: [WorkStatistic] {
    guard published > 0 else { return [] }
    var statistics = [
      WorkStatistic(.eventsPublished, published), WorkStatistic(.deliveriesHandled, handled),
      WorkStatistic(.deliveriesFailed, failed), WorkStatistic(.deliveriesDropped, dropped),
      WorkStatistic(.deliveriesPending, pending), WorkStatistic(.deliveriesPendingMax, pendingMax),
      WorkStatistic(.subscribers, subscribers), WorkStatistic(.historyLength, remembered),
      WorkStatistic(.historyForgotten, forgotten),
    ]
    if let most = perCorrelation.last {
      let mean = Double(perCorrelation.reduce(0, +)) / Double(perCorrelation.count)
      statistics += [WorkStatistic(.eventsPerJobMean, mean), WorkStatistic(.eventsPerJobMax, most)]
    }
    return statistics
  }
}

extension WorkflowCounts {
  fileprivate var statistics: [WorkStatistic] {
    guard started > 0 else { return [] }
    return [
      WorkStatistic(.workflowsStarted, started), WorkStatistic(.workflowsCompleted, completed),
      WorkStatistic(.workflowsFailed, timedOut), WorkStatistic(.workflowsUnfinished, unfinished),
      WorkStatistic(.workflowsRunningMax, runningMax), WorkStatistic(.cyclesSucceeded, cyclesSucceeded),
      WorkStatistic(.cyclesFailed, cyclesFailed),
    ]
  }
}

extension DatabaseStatistics {
  fileprivate var statistics: [WorkStatistic] {
    guard operationsMax > 0 else { return [] }
    var statistics = [
      WorkStatistic(.connections, connections), WorkStatistic(.connectionsInUseMax, connectionsInUseMax),
      WorkStatistic(.acquisitions, acquisitions), WorkStatistic(.acquisitionsQueued, queued),
    ]
    if acquisitions > 0 {
      statistics += [
        WorkStatistic(.acquisitionTimeMean, Double(acquisitionTime) / Double(acquisitions)),
        WorkStatistic(.acquisitionTimeMax, Double(acquisitionTimeMax)),
      ]
    }
    return statistics + [
      WorkStatistic(.operationsMax, operationsMax), WorkStatistic(.reads, reads), WorkStatistic(.writes, writes),
      WorkStatistic(.mixed, mixed), WorkStatistic(.operationsFailed, failures),
    ]
  }
}
