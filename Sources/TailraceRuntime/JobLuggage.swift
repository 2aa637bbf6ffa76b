import TailraceCore
import TailracePlatform

/// Names a value that travels with a job from its submission to its attempts, beside the payload: for middleware, such
/// as the trace that a submission belongs to.
///
/// ```swift
/// enum TenantKey: JobValueKey { typealias Value = String }
/// request[TenantKey.self] = "school-7"
/// ```
public protocol JobValueKey {
  /// What is carried.
  associatedtype Value: Sendable
}

extension JobRequest {
  /// A value that the job's attempts find in ``JobContext/subscript(_:)``; nil: none. It is kept until the job settles.
  public subscript<Key: JobValueKey>(key: Key.Type) -> Key.Value? {
    get { values[ObjectIdentifier(key)] as? Key.Value }
    set { values[ObjectIdentifier(key)] = newValue }
  }
}

extension JobContext {
  /// What the submitter, or middleware on its behalf, sent along under this key; nil: nothing.
  public subscript<Key: JobValueKey>(key: Key.Type) -> Key.Value? {
    luggage?.values[ObjectIdentifier(key)] as? Key.Value
  }
}

/// A payload with what else travels with it. Most jobs have nothing else: theirs travels bare.
final class JobLuggage: Sendable {
  let payload: (any Sendable)?
  let tags: [String]
  let values: [ObjectIdentifier: any Sendable]

  private init(_ request: JobRequest) {
    payload = request.payload
    tags = request.tags
    values = request.values
  }

  /// What is handed to the worker with each attempt of the job.
  static func pack(_ request: JobRequest) -> (any Sendable)? {
    request.tags.isEmpty && request.values.isEmpty ? request.payload : JobLuggage(request)
  }

  /// Compares two addresses, where a cast would search for conformances.
  static func of(_ carried: (any Sendable)?) -> JobLuggage? {
    guard let carried, type(of: carried) == JobLuggage.self else { return nil }
    return carried as? JobLuggage
  }
}

extension JobLuggage {
  /// The payload, whatever travels with it.
  static func payload(of carried: (any Sendable)?) -> (any Sendable)? {
    if let luggage = of(carried) { luggage.payload } else { carried }
  }
}

/// The names of the registered job types, for whoever asks outside the scheduler's lock, and the way from a handler
/// back to its scheduler.
final class TypeDirectory: Sendable {
  /// Set before anything else can see the directory.
  nonisolated(unsafe) weak var scheduler: Scheduler?
  private let names = Locked<[String]>([])
  func append(_ name: String) { names.withLock { $0.append(name) } }
  /// A number is used again, for another name.
  func rename(_ type: JobTypeID, to name: String) { names.withLock { $0[Int(type.rawValue)] = name } }
  subscript(type: JobTypeID) -> String { names.withLock { $0[Int(type.rawValue)] } }
}
