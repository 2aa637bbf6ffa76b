import TailraceCore

/// The handlers by job type, in chunks that never move: adding one copies nothing, and workers read without a lock.
///
/// It is written under the scheduler's lock. A worker reads a type's entry only after receiving an attempt of the type,
/// which happens under the same lock after registration. Attempts of parked types are not handed out. So no entry is
/// read while it is written.
final class HandlerTable: @unchecked Sendable {
  private struct Place {
    /// The handler with its middleware, as called.
    var handler: Handler
    /// The handler as registered.
    var bare: RegisteredHandler
  }

  private static let chunkSize = 256
  private static let chunkCount = (SchedulerCore.mostTypes + chunkSize - 1) / chunkSize
  private let chunks: UnsafeMutablePointer<UnsafeMutablePointer<Place>?>
  private(set) var count = 0
  private var middleware: [any AttemptMiddleware] = []

  /// Creates a table without handlers.
  ///
  /// - Parameter count: the number of types.
  init(unregistered count: Int = 0) {
    chunks = .allocate(capacity: Self.chunkCount)
    chunks.initialize(repeating: nil, count: Self.chunkCount)
    for _ in 0..<count { append(RegisteredHandler(handler: .unregistered)) }
  }

  deinit {
    for index in 0..<Self.chunkCount {
      guard let chunk = chunks[index] else { break }
      chunk.deinitialize(count: min(Self.chunkSize, count - index * Self.chunkSize))
      chunk.deallocate()
    }
    chunks.deallocate()
  }

  /// The handler of a type, with its middleware.
  @inline(__always)
  subscript(type: JobTypeID) -> Handler {
    let type = Int(type.rawValue)
    return chunks[type / Self.chunkSize]![type % Self.chunkSize].handler
  }

  /// Adds the handler of the next type.
  func append(_ bare: RegisteredHandler) {
    let (chunk, place) = count.quotientAndRemainder(dividingBy: Self.chunkSize)
    if place == 0 { chunks[chunk] = .allocate(capacity: Self.chunkSize) }
    (chunks[chunk]! + place).initialize(to: Place(handler: bare.wrapped(in: middleware), bare: bare))
    count += 1
  }

  /// Replaces the handler of a type before any of its attempts is handed out.
  func replace(_ type: JobTypeID, by bare: RegisteredHandler) {
    let type = Int(type.rawValue)
    chunks[type / Self.chunkSize]![type % Self.chunkSize] = Place(handler: bare.wrapped(in: middleware), bare: bare)
  }

  /// Wraps every handler in middleware, before any worker has begun.
  ///
  /// - Parameter isOutermost: whether to wrap outside existing middleware; otherwise inside.
  func add(_ added: any AttemptMiddleware, isOutermost: Bool = false) {
    middleware.insert(added, at: isOutermost ? 0 : middleware.count)
    for type in 0..<count {
      let bare = chunks[type / Self.chunkSize]![type % Self.chunkSize].bare
      chunks[type / Self.chunkSize]![type % Self.chunkSize].handler = bare.wrapped(in: middleware)
    }
  }
}
