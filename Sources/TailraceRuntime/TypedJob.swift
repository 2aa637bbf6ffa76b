import TailraceCore

/// The parameters of a job, which name its type: handler, submission and result are checked by the compiler.
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
/// Within the process the value itself is handed to the handler; nothing is encoded. `Codable` is for what leaves it:
/// the dead letters show the parameters as JSON.
public protocol Job: Codable, Sendable {
  /// What the handler returns. Default: nothing.
  associatedtype Output: Sendable = Void
  /// The job type's name in reports, logs and events, one for each registered type. Default: the Swift type's name,
  /// without its module or the type around it.
  static var name: String { get }
  /// Priority, pool, time-out, retries and limits of the type. Default: the scheduler's. Its name is not looked at:
  /// ``name`` is what counts.
  static var configuration: JobTypeConfiguration { get }
  /// Whether the parameters make sense: called when the job is submitted, before it waits. What it throws sends the job
  /// to the dead letters at once, as ``/TailraceCore/SettlementCause/invalid``, without an attempt. Default: they do.
  func validate() throws
}

extension Job {
  /// The Swift type's name.
  public static var name: String { String(describing: Self.self) }
  /// The scheduler's defaults.
  public static var configuration: JobTypeConfiguration { JobTypeConfiguration(name: name) }
  /// Nothing is wrong.
  public func validate() throws {}
}

/// Why a job did not complete, as whoever awaits its value is told.
public struct JobFailure: Error, Sendable, CustomStringConvertible {
  /// The job's identifier.
  public var job: JobID
  /// The name of its type.
  public var type: String
  /// `deadLettered` or `cancelled`.
  public var state: JobState
  /// Why it settled so.
  public var cause: SettlementCause
  /// What the last failed attempt threw; nil when none threw anything, as after a time-out.
  public var error: (any Error)?
  /// Attempts started.
  public var attempts: Int

  /// What happened, in words.
  public var description: String {
    """
    job \(job.rawValue) of type '\(type)' did not complete: \(cause.name) after \(attempts) \
    \(attempts == 1 ? "attempt" : "attempts")\(error.map { ": \($0)" } ?? "")
    """
  }
}

/// A job whose parameters are not of the type that its handler takes: it goes to the dead letters at once.
public struct WrongParameters: PermanentFailure, Hashable, CustomStringConvertible {
  /// The name of the job's type.
  public var type: String
  /// The Swift type that its handler takes.
  public var expected: String
  /// What the job has instead.
  public var found: String

  /// What happened and what to do.
  public var description: String {
    "job type '\(type)' takes a \(expected), this job has \(found): submit a \(expected) itself"
  }

  init(type: String, expected: any Job.Type, found payload: (any Sendable)?) {
    self.type = type
    self.expected = "\(expected)"
    found = payload.map { "a payload of type \(Swift.type(of: $0))" } ?? "no payload"
  }
}

extension Job {
  /// The parameters that a job carries.
  static func parameters(in context: JobContext) throws -> Self {
    guard let parameters = context.payload as? Self else {
      throw WrongParameters(type: context.type, expected: Self.self, found: context.payload)
    }
    return parameters
  }

  /// What is kept of a handler's result; nothing is no value.
  static func kept(_ output: Output) -> (any Sendable)? { Output.self == Void.self ? nil : output }

  /// The other way round; nil: the value is of another type.
  static func output(from value: (any Sendable)?) -> Output? {
    Output.self == Void.self ? () as? Output : value as? Output
  }

  /// Whether a payload is what a handler of this type takes.
  static func accepts(_ payload: (any Sendable)?) -> Bool { payload is Self }

  static var namedConfiguration: JobTypeConfiguration {
    var configuration = configuration
    configuration.name = name
    return configuration
  }
}

extension JobRequest {
  /// Describes a job by its parameters; what else can be said of it is as for any other job.
  public init<Parameters: Job>(_ job: Parameters) {
    self.init(Parameters.name, payload: job)
    jobType = Parameters.self
  }
}
