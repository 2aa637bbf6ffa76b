/// How identifiers of one scheduler are told from those of another.
enum Identifiers {
  /// The top bit stays clear: drivers may use it to mark an identifier.
  static let mask: UInt32 = 0x7fff_ffff
}

extension SchedulerCore {
  /// Begins the generations of jobs and schedules, and the numbers of batches, at `start` in place of 0: an identifier
  /// of another scheduler, or of an earlier process, is then unknown here but for one chance in 2³¹.
  ///
  /// The number comes from outside, since the scheduler draws none. Only its lower 31 bits count. A driver MUST call
  /// this before anything else.
  public mutating func startIdentifiers(at start: UInt32) {
    precondition(jobs.highWater == 0, "identifiers were given out before their start was set")
    jobs.firstGeneration = start & Identifiers.mask
    batches.nextNumber = start & Identifiers.mask
    schedules.firstGeneration = start & Identifiers.mask
  }
}
