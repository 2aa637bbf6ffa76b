/// Distinguishes identifiers of different schedulers.
enum Identifiers {
  /// The top bit stays clear, because drivers may use it to mark an identifier.
  static let mask: UInt32 = 0x7fff_ffff
}

extension SchedulerCore {
  /// Sets the start of the generations of jobs and schedules and of batch numbers. With a random `start`, an identifier
  /// of another scheduler or an earlier process is unknown here with a probability of 1 − 2⁻³¹.
  ///
  /// The caller supplies the number, because the scheduler itself uses no randomness. Only its lower 31 bits are used.
  /// A driver MUST call this before anything else.
  public mutating func startIdentifiers(at start: UInt32) {
    precondition(jobs.highWater == 0, "identifiers were given out before their start was set")
    jobs.firstGeneration = start & Identifiers.mask
    batches.nextNumber = start & Identifiers.mask
    schedules.firstGeneration = start & Identifiers.mask
  }
}
