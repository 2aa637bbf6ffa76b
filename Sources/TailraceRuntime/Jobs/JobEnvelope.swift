import TailraceCore

/// A key for a value that is attached to a job from its submission to its attempts, beside the payload. Middleware uses
/// it, for example to propagate trace context.
///
/// ```swift
/// enum TenantKey: JobValueKey { typealias Value = String }
/// request[TenantKey.self] = "school-7"
/// ```
public protocol JobValueKey {
  /// The type of the value.
  associatedtype Value: Sendable
}

extension JobRequest {
  /// A value for the job's attempts to read with ``JobContext/subscript(_:)``; nil: none. Kept until the job settles.
  public subscript<Key: JobValueKey>(key: Key.Type) -> Key.Value? {
    get { values[ObjectIdentifier(key)] as? Key.Value }
    set { values[ObjectIdentifier(key)] = newValue }
  }
}

extension JobContext {
  /// The value that the submitter or submission middleware attached under this key; nil: none.
  public subscript<Key: JobValueKey>(key: Key.Type) -> Key.Value? {
    envelope?.values[ObjectIdentifier(key)] as? Key.Value
  }
}

/// Payload plus labels and attached values. Jobs without them store the payload directly.
final class JobEnvelope: Sendable {
  let payload: (any Sendable)?
  let labels: [String]
  let values: [ObjectIdentifier: any Sendable]

  private init(_ request: JobRequest) {
    payload = request.payload
    labels = request.labels
    values = request.values
  }

  /// The value passed to the worker with each attempt of the job.
  static func pack(_ request: JobRequest) -> (any Sendable)? {
    request.labels.isEmpty && request.values.isEmpty ? request.payload : JobEnvelope(request)
  }

  /// Compares type addresses, because a cast would search for conformances.
  static func of(_ carried: (any Sendable)?) -> JobEnvelope? {
    guard let carried, type(of: carried) == JobEnvelope.self else { return nil }
    return carried as? JobEnvelope
  }
}

extension JobEnvelope {
  /// The payload, stored directly or packed.
  static func payload(of carried: (any Sendable)?) -> (any Sendable)? {
    if let envelope = of(carried) { envelope.payload } else { carried }
  }
}
