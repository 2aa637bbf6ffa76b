import TailraceCore

/// The parameters of a job type. The compiler checks the types of handler, submission and result.
///
/// ```swift
/// struct ResizeImage: Job {
///   typealias Output = Thumbnail
///   var path: String
///   var width: Int
/// }
/// try scheduler.register(ResizeImage.self) { job, context in try await resize(job.path, to: job.width) }
/// let handle = try await scheduler.submit(ResizeImage(path: "a.png", width: 64), priority: .high)
/// let thumbnail = try await handle.value(timeout: .seconds(60))
/// ```
///
/// Within the process the value itself is passed to the handler, without encoding. `Codable` is used to show parameters
/// of dead letters as JSON.
public protocol Job: Codable, Sendable {
  /// What the handler returns. Default: nothing.
  associatedtype Output: Sendable = Void
  /// The name of the job type in reports, logs and events; unique per scheduler. Default: the Swift type's name,
  /// without its module or enclosing type.
  static var name: String { get }
  /// Priority, pool, timeout, retries and limits of the type, without a name. Default: the scheduler's.
  static var configuration: JobTypeConfiguration { get }
  /// Checks the parameters at submission. If it throws, the job is dead-lettered immediately as
  /// ``/TailraceCore/SettlementCause/invalid``, without an attempt. Default: no check.
  func validate() throws
}

extension Job {
  /// The Swift type's name.
  public static var name: String { String(describing: Self.self) }
  /// The scheduler's defaults.
  public static var configuration: JobTypeConfiguration { JobTypeConfiguration() }
  /// Accepts all parameters.
  public func validate() throws {}
}

/// The error for a job that did not complete, thrown when its value is awaited.
public struct JobFailure: Error, Sendable, CustomStringConvertible {
  /// The job's identifier.
  public var job: JobID
  /// The name of its type.
  public var type: String
  /// `deadLettered` or `cancelled`.
  public var state: JobState
  /// Why it settled.
  public var cause: SettlementCause
  /// The error of the last failed attempt; nil if none threw, for example after a timeout.
  public var error: (any Error)?
  /// The number of started attempts.
  public var attempts: Int

  /// A description of the failure.
  public var description: String {
    """
    job \(job.rawValue) of type '\(type)' did not complete: \(cause.name) after \(attempts) \
    \(attempts == 1 ? "attempt" : "attempts")\(error.map { ": \($0)" } ?? "")
    """
  }
}

/// The error for a payload of another type than the handler takes. The job is dead-lettered immediately.
public struct WrongParameters: PermanentFailure, Hashable, CustomStringConvertible {
  /// The name of the job's type.
  public var type: String
  /// The Swift type that the handler takes.
  public var expected: String
  /// The payload of the job.
  public var found: String

  /// What happened and what to do.
  public var description: String {
    "job type '\(type)' takes a \(expected), but this job has \(found); submit a \(expected)"
  }

  init(type: String, expected: any Job.Type, found payload: (any Sendable)?) {
    self.type = type
    self.expected = "\(expected)"
    found = payload.map { "a payload of type \(Swift.type(of: $0))" } ?? "no payload"
  }
}

extension Job {
  /// The parameters of a job.
  static func parameters(in context: JobContext) throws -> Self {
    guard let parameters = context.payload as? Self else {
      throw WrongParameters(type: context.type, expected: Self.self, found: context.payload)
    }
    return parameters
  }

  /// The value to keep from a handler's result; nil for Void.
  static func kept(_ output: Output) -> (any Sendable)? { Output.self == Void.self ? nil : output }

  /// What keeps the result for the job's handle; nil for Void: there is nothing to keep.
  static func heldWatch() -> JobWatch? { Output.self == Void.self ? nil : JobWatch(held: true) }

  /// The reverse of ``kept(_:)``; nil: the value has another type.
  static func output(from value: (any Sendable)?) -> Output? {
    Output.self == Void.self ? () as? Output : value as? Output
  }

  /// Whether a payload has this type.
  static func accepts(_ payload: (any Sendable)?) -> Bool { payload is Self }

  static var namedConfiguration: JobTypeConfiguration {
    var configuration = configuration
    configuration.name = name
    return configuration
  }
}

extension JobRequest {
  /// Describes a job by its parameters.
  public init<Parameters: Job>(_ job: Parameters) {
    self.init(Parameters.name, payload: job)
    jobType = Parameters.self
  }
}
