import TailraceCore

/// The handlers by job type, in chunks that never move: adding one copies nothing, and workers read without a lock.
///
/// It is changed under the scheduler's lock. A worker reads a type's place only once it was handed an attempt of that
/// type, under the same lock and after the type was registered; no attempt of a parked type is handed out. So nobody
/// reads a place that is being written.
final class HandlerTable: @unchecked Sendable {
  private struct Place {
    /// As it is called, with the middleware around it.
    var handler: Handler
    /// As it was registered.
    var bare: RegisteredHandler
  }

  private static let chunkSize = 256
  private static let chunkCount = (SchedulerCore.mostTypes + chunkSize - 1) / chunkSize
  private let chunks: UnsafeMutablePointer<UnsafeMutablePointer<Place>?>
  private(set) var count = 0
  private var middleware: [any AttemptMiddleware] = []

  /// Makes a table without handlers.
  ///
  /// - Parameter count: of so many types, none of which has one.
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

  /// The handler of a type, as it is called.
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

  /// Changes the handler of a type none of whose attempts was handed out.
  func replace(_ type: JobTypeID, by bare: RegisteredHandler) {
    let type = Int(type.rawValue)
    chunks[type / Self.chunkSize]![type % Self.chunkSize] = Place(handler: bare.wrapped(in: middleware), bare: bare)
  }

  /// Puts middleware around every handler, before any worker has begun.
  ///
  /// - Parameter isOutermost: whether it goes around the middleware that is there; else within.
  func add(_ added: any AttemptMiddleware, isOutermost: Bool = false) {
    middleware.insert(added, at: isOutermost ? 0 : middleware.count)
    for type in 0..<count {
      let bare = chunks[type / Self.chunkSize]![type % Self.chunkSize].bare
      chunks[type / Self.chunkSize]![type % Self.chunkSize].handler = bare.wrapped(in: middleware)
    }
  }
}
