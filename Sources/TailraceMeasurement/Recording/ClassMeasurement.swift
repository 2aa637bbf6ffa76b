import TailraceCore

/// A class of jobs: by type, priority or both.
package struct ClassKey: Sendable, Hashable, Codable {
  /// nil: every type.
  package var type: String?
  /// nil: every priority.
  package var priority: Priority?
  package init(type: String? = nil, priority: Priority? = nil) {
    self.type = type
    self.priority = priority
  }
  /// All jobs.
  package static let all = ClassKey()
  /// The type name for jobs of types unknown to the run. No declared name can equal it.
  package static let unknownType = "(unknown)"
  /// The name in files, unique per class: `all`, a type's name, `priority=high`, or `TYPE,priority=high`. A type that
  /// is itself called `all` is `type=all`.
  package var name: String {
    switch (type, priority) {
    case (nil, nil): "all"
    case (let type?, nil): type == "all" ? "type=all" : type
    case (nil, let priority?): "priority=\(priority.name)"
    case (let type?, let priority?): "\(type),priority=\(priority.name)"
    }
  }
}

/// The measurements of a class of jobs within the window.
package struct ClassMeasurement: Sendable, Hashable {
  package internal(set) var key: ClassKey
  package internal(set) var causes = CauseCounts()
  /// Attempts that started.
  package internal(set) var attempts = 0
  /// Attempts after the first.
  package internal(set) var retries = 0
  /// Jobs that finished after their deadline.
  package internal(set) var late = 0
  package internal(set) var parts = PartSums()
  var distributions = [Distribution?](repeating: nil, count: Quantity.allCases.count)

  init(key: ClassKey) { self.key = key }

  init(key: ClassKey, cells: [Cell]) {
    self.key = key
    let sum = Cell()
    for cell in cells { sum.merge(cell) }
    sum.close()
    causes = sum.causes
    attempts = sum.attempts
    retries = sum.retries
    late = sum.late
    parts = sum.parts
    distributions = sum.histograms.indices.map { sum.histograms[$0].distribution }
  }

  /// The samples of a quantity; nil if there are none.
  package subscript(quantity: Quantity) -> Distribution? { distributions[quantity.rawValue] }

  /// A figure of this class; nil for figures that exist only for a whole run.
  package func value(of figure: FigureName) -> Double? {
    switch figure {
    case .success: causes.success
    case .submitted: Double(causes.submitted)
    case .completed: Double(causes[.succeeded])
    case .deadLettered: Double(causes.deadLettered)
    case .cancelled: Double(causes.cancelled)
    case .rejected: Double(causes[.rejected])
    case .shed: Double(causes[.shed])
    case .dropped: Double(causes[.dropped])
    case .retried: Double(retries)
    case .late: Double(late)
    case .throughput, .utilization, .makespan, .speedup, .timeSaved, .lost, .duplicated, .leftRunning, .earlyStarts,
      .concurrencyMax, .startsPerSecondMax, .queueDepthMax, .offeredLoad, .offeredRate, .achievedRate, .jobsInSystem,
      .processorTime, .peakMemory, .bytesPerJob, .liveBytesWarm, .liveBytesEnd, .allocationsPerJob, .hostSteal,
      .wakeUpP50, .wakeUpP99, .otherPrograms, .runDelay, .spinSpeed, .inversions, .shareError, .recovery,
      .runTwice, .completedTwice, .recoveryP50, .recoveryP99, .recoveryMax:
      nil
    }
  }
}

extension ClassMeasurement: Codable {
  private enum CodingKeys: String, CodingKey {
    case key = "class"
    case causes
    case attempts
    case retries
    case late
    case parts
    case quantities
  }
  private struct QuantityKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ quantity: Quantity) { stringValue = quantity.name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }
  package init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    key = try box.decode(ClassKey.self, forKey: .key)
    causes = try box.decode(CauseCounts.self, forKey: .causes)
    attempts = try box.decode(Int.self, forKey: .attempts)
    retries = try box.decode(Int.self, forKey: .retries)
    late = try box.decodeIfPresent(Int.self, forKey: .late) ?? 0
    parts = try box.decode(PartSums.self, forKey: .parts)
    let quantities = try box.nestedContainer(keyedBy: QuantityKey.self, forKey: .quantities)
    distributions = try Quantity.allCases.map {
      try quantities.decodeIfPresent(Distribution.self, forKey: QuantityKey($0))
    }
  }
  package func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    try box.encode(key, forKey: .key)
    try box.encode(causes, forKey: .causes)
    try box.encode(attempts, forKey: .attempts)
    try box.encode(retries, forKey: .retries)
    if late > 0 { try box.encode(late, forKey: .late) }
    try box.encode(parts, forKey: .parts)
    var quantities = box.nestedContainer(keyedBy: QuantityKey.self, forKey: .quantities)
    for quantity in Quantity.allCases {
      if let samples = self[quantity] { try quantities.encode(samples, forKey: QuantityKey(quantity)) }
    }
  }
}
