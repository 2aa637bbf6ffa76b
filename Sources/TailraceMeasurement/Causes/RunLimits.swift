/// What may hold jobs back in a run besides its workers, as the scenario sets it.
package struct RunLimits: Sendable, Hashable {
  /// The limits of a job type.
  package struct OfType: Sendable, Hashable {
    /// Attempts that may run at once; nil: no limit.
    package var concurrency: Int?
    /// Starts per second; nil: no limit.
    package var rate: Double?
    /// In bytes; 0: needs none of the budget.
    package var memory: Int

    package init(concurrency: Int? = nil, rate: Double? = nil, memory: Int = 0) {
      self.concurrency = concurrency
      self.rate = rate
      self.memory = memory
    }
  }

  /// By job type; types beyond the last have no limits.
  package var types: [OfType]
  /// Attempts that may run at once in a pool; nil: one per worker.
  package var concurrency: Int?
  /// Starts per second in a pool; nil: no limit.
  package var rate: Double?
  /// The memory budget in bytes; nil: there is none.
  package var memory: Int?
  /// Whether the scheduler itself changes how many attempts may run at once.
  package var isAdaptive: Bool

  package init(
    types: [OfType] = [], concurrency: Int? = nil, rate: Double? = nil, memory: Int? = nil, isAdaptive: Bool = false
  ) {
    self.types = types
    self.concurrency = concurrency
    self.rate = rate
    self.memory = memory
    self.isAdaptive = isAdaptive
  }

  subscript(type: Int) -> OfType { types.indices.contains(type) ? types[type] : OfType() }
}
