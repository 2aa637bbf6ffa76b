/// A number about the real work of a run's jobs: its events, workflows, or database operations.
///
/// It counts the whole run, including the warm-up and attempts that failed.
package struct WorkStatistic: Sendable, Hashable {
  /// The part that did the work.
  package enum Group: String, Sendable, Codable, CaseIterable {
    case eventBus = "event_bus"
    case workflows
    case databasePool = "database_pool"
  }

  package enum Name: String, Sendable, Codable, CaseIterable {
    case eventsPublished = "events_published"
    /// Deliveries: one event handled by one subscriber without an error.
    case deliveriesHandled = "deliveries_handled"
    /// Deliveries whose subscriber threw an error.
    case deliveriesFailed = "deliveries_failed"
    /// Deliveries lost because the subscriber's queue was full.
    case deliveriesDropped = "deliveries_dropped"
    /// Deliveries not finished when the run ended.
    case deliveriesPending = "deliveries_pending"
    /// Maximum deliveries queued or being handled at once.
    case deliveriesPendingMax = "deliveries_pending_max"
    case subscribers
    /// Events in the bus's history at the end of the run.
    case historyLength = "history_length"
    /// Events that left the history to make room.
    case historyForgotten = "history_forgotten"
    /// Events of one job in the history.
    case eventsPerJobMean = "events_per_job_mean"
    case eventsPerJobMax = "events_per_job_max"
    /// Attempts that began a workflow.
    case workflowsStarted = "workflows_started"
    /// Workflows in which enough cycles succeeded.
    case workflowsCompleted = "workflows_completed"
    /// Workflows that reached their limit of cycles first.
    case workflowsFailed = "workflows_failed"
    /// Workflows that were cancelled, timed out, or still running at the end of the run.
    case workflowsUnfinished = "workflows_unfinished"
    /// Maximum workflows running at once.
    case workflowsRunningMax = "workflows_running_max"
    case cyclesSucceeded = "cycles_succeeded"
    case cyclesFailed = "cycles_failed"
    /// Connections of the pool, including the one for writing.
    case connections
    /// Maximum connections in use at once.
    case connectionsInUseMax = "connections_in_use_max"
    /// How often an operation got a connection.
    case acquisitions
    /// Operations that began while all connections of their kind were taken.
    case acquisitionsQueued = "acquisitions_queued"
    /// From the operation's begin until it has a connection.
    case acquisitionTimeMean = "acquisition_time_mean"
    case acquisitionTimeMax = "acquisition_time_max"
    /// Maximum operations in progress at once, including those that waited for a connection.
    case operationsMax = "operations_max"
    /// Operations that succeeded, by kind.
    case reads
    case writes
    case mixed
    /// Operations that threw an error.
    case operationsFailed = "operations_failed"

    package var group: Group {
      switch self {
      case .eventsPublished, .deliveriesHandled, .deliveriesFailed, .deliveriesDropped, .deliveriesPending,
        .deliveriesPendingMax, .subscribers, .historyLength, .historyForgotten, .eventsPerJobMean, .eventsPerJobMax:
        .eventBus
      case .workflowsStarted, .workflowsCompleted, .workflowsFailed, .workflowsUnfinished, .workflowsRunningMax,
        .cyclesSucceeded, .cyclesFailed:
        .workflows
      case .connections, .connectionsInUseMax, .acquisitions, .acquisitionsQueued, .acquisitionTimeMean,
        .acquisitionTimeMax, .operationsMax, .reads, .writes, .mixed, .operationsFailed:
        .databasePool
      }
    }

    package var unit: FigureUnit {
      switch self {
      case .acquisitionTimeMean, .acquisitionTimeMax: .time
      case .eventsPerJobMean: .factor
      case .eventsPublished, .deliveriesHandled, .deliveriesFailed, .deliveriesDropped, .deliveriesPending,
        .deliveriesPendingMax, .subscribers, .historyLength, .historyForgotten, .eventsPerJobMax, .workflowsStarted,
        .workflowsCompleted, .workflowsFailed, .workflowsUnfinished, .workflowsRunningMax, .cyclesSucceeded,
        .cyclesFailed, .connections, .connectionsInUseMax, .acquisitions, .acquisitionsQueued, .operationsMax, .reads,
        .writes, .mixed, .operationsFailed:
        .count
      }
    }
  }

  package var name: Name
  /// In the unit of ``Name/unit``.
  package var value: Double

  package init(_ name: Name, _ value: Double) {
    self.name = name
    self.value = value
  }
  package init(_ name: Name, _ value: Int) { self.init(name, Double(value)) }
}

extension WorkStatistic: Codable {
  private enum CodingKeys: String, CodingKey { case group, name, unit, value }

  package init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    self.init(try box.decode(Name.self, forKey: .name), try box.decode(Double.self, forKey: .value))
  }

  /// Also writes the group and the unit, which follow from the name, for other programs.
  package func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    try box.encode(name.group, forKey: .group)
    try box.encode(name, forKey: .name)
    try box.encode(name.unit, forKey: .unit)
    try box.encode(value, forKey: .value)
  }
}
