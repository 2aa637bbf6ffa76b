import TailraceMeasurement

extension ReportPage {
  /// What the real work of the jobs did, system beside system; nothing if no work was counted.
  mutating func addWork(_ scenario: ScenarioResult) {
    let runs = scenario.runs.filter { !($0.observations.work ?? []).isEmpty }
    guard !runs.isEmpty else { return }
    let values = runs.map { run in
      Dictionary((run.observations.work ?? []).map { ($0.name, $0.value) }) { first, _ in first }
    }
    page.heading(3, "What the work did")
    page.table(
      ["Work", "Figure"] + runs.map { Table.Column.number($0.system) },
      WorkStatistic.Name.allCases.filter { name in values.contains { $0[name] != nil } }.map { name in
        [name.group.words, name.words] + values.map { HumanUnits.value($0[name], name.unit) }
      })
    page.paragraph("Over the whole run, including the warm-up and failed attempts.")
  }
}

extension WorkStatistic.Group {
  fileprivate var words: String {
    switch self {
    case .eventBus: "Event bus"
    case .workflows: "Workflows"
    case .databasePool: "Database pool"
    }
  }
}

extension WorkStatistic.Name {
  fileprivate var words: String {
    switch self {
    case .eventsPublished: "Events published"
    case .deliveriesHandled: "Deliveries handled"
    case .deliveriesFailed: "Deliveries failed"
    case .deliveriesDropped: "Deliveries dropped"
    case .deliveriesPending: "Deliveries pending at the end"
    case .deliveriesPendingMax: "Maximum deliveries pending"
    case .subscribers: "Subscribers"
    case .historyLength: "Events in the history"
    case .historyForgotten: "Events removed from the history"
    case .eventsPerJobMean: "Events per job in the history, mean"
    case .eventsPerJobMax: "Events per job in the history, max"
    case .workflowsStarted: "Started"
    case .workflowsCompleted: "Completed"
    case .workflowsFailed: "Failed (cycle limit reached)"
    case .workflowsUnfinished: "Unfinished"
    case .workflowsRunningMax: "Maximum running"
    case .cyclesSucceeded: "Cycles succeeded"
    case .cyclesFailed: "Cycles failed"
    case .connections: "Connections"
    case .connectionsInUseMax: "Maximum connections in use"
    case .acquisitions: "Acquisitions"
    case .acquisitionsQueued: "Acquisitions queued"
    case .acquisitionTimeMean: "Acquisition time, mean"
    case .acquisitionTimeMax: "Acquisition time, max"
    case .operationsMax: "Maximum operations in progress"
    case .reads: "Reads"
    case .writes: "Writes"
    case .mixed: "Mixed operations"
    case .operationsFailed: "Operations failed"
    }
  }
}
