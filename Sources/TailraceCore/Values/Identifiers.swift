/// Identifies an admitted job of a scheduler while the scheduler keeps the job.
///
/// It consists of a slot in the scheduler's table and the slot's generation, so an identifier of a forgotten job is
/// never mistaken for the job that reuses its slot. A live scheduler starts its generations at a random number, so it
/// recognizes an identifier of another scheduler with a probability of only 2⁻³¹.
public struct JobID: RawRepresentable, Hashable, Sendable, Codable {
  /// The generation in the high 32 bits, the slot in the low 32 bits.
  public var rawValue: UInt64
  /// Creates an identifier from a stored ``rawValue``.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
  @inlinable init(slot: UInt32, generation: UInt32) { rawValue = UInt64(generation) << 32 | UInt64(slot) }
  /// The slot in the scheduler's table: a dense index for data that a driver stores per job.
  @inlinable public var slot: Int { Int(rawValue & 0xffff_ffff) }
  @inlinable var generation: UInt32 { UInt32(rawValue >> 32) }
  /// Represents a dependency that was rejected at admission: a job that depends on it is cancelled immediately.
  public static let refused = JobID(rawValue: .max)
}

extension JobID: CustomStringConvertible {
  /// ``rawValue``, as in logs.
  public var description: String { "\(rawValue)" }
}

/// Identifies a registered job type by its index in order of registration.
public struct JobTypeID: RawRepresentable, Hashable, Sendable, Codable {
  /// The index, from 0.
  public var rawValue: UInt16
  /// Creates an identifier from an index.
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
}

extension JobTypeID: CustomStringConvertible {
  /// ``rawValue``.
  public var description: String { "\(rawValue)" }
}

/// Identifies a batch: a set of jobs that settle together.
public struct BatchID: RawRepresentable, Hashable, Sendable, Codable {
  /// The number of the batch.
  public var rawValue: UInt32
  /// Creates an identifier from a number.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
}

extension BatchID: CustomStringConvertible {
  /// ``rawValue``.
  public var description: String { "\(rawValue)" }
}
