import TailraceCore

/// What the scheduler knows about a job type, beside the core's settings of it.
struct JobTypeEntry {
  /// The name. It changes only while the type has no handler and no known job.
  var name: String
  /// The handler with its middleware, as called.
  fileprivate(set) var handler: Handler
  /// The handler as registered.
  fileprivate var registered: RegisteredHandler
  /// The Swift type of the parameters that the handler takes; nil: any.
  var parameters: (any Job.Type)?
  /// Checks payloads at submission; see ``Scheduler/validates``.
  var validate: JobValidation?
  /// Whether the observer knows it. Jobs of it are possible from then on.
  var isAnnounced = false
  /// Whether it has no handler, so that its jobs wait.
  fileprivate(set) var isParked: Bool
}

/// All job types by number, in chunks that never move: adding one copies nothing, and workers read without a lock.
///
/// It is written under the scheduler's lock. Without the lock, a worker reads the handler and the name of a type, and
/// only after receiving an attempt of the type, which happens under the same lock after registration. Attempts of
/// parked types are not handed out. So no entry is read while it is written.
final class JobTypeTable: @unchecked Sendable {
  private static let chunkSize = 256
  private static let chunkCount = (SchedulerCore.mostTypes + chunkSize - 1) / chunkSize
  private let chunks: UnsafeMutablePointer<UnsafeMutablePointer<JobTypeEntry>?>
  private(set) var count = 0
  /// The numbers by name, without freed ones.
  @exclusivity(unchecked) private(set) var numbers: [String: JobTypeID] = [:]
  /// The types without a handler.
  @exclusivity(unchecked) private(set) var parked: Set<JobTypeID> = []
  private var middleware: [any AttemptMiddleware] = []

  init() {
    chunks = .allocate(capacity: Self.chunkCount)
    chunks.initialize(repeating: nil, count: Self.chunkCount)
  }

  deinit {
    for index in 0..<Self.chunkCount {
      guard let chunk = chunks[index] else { break }
      chunk.deinitialize(count: min(Self.chunkSize, count - index * Self.chunkSize))
      chunk.deallocate()
    }
    chunks.deallocate()
  }

  /// The entry of a type.
  @inline(__always)
  subscript(type: JobTypeID) -> JobTypeEntry {
    @inline(__always) unsafeAddress { UnsafePointer(place(of: type)) }
    @inline(__always) unsafeMutableAddress { place(of: type) }
  }

  @inline(__always)
  private func place(of type: JobTypeID) -> UnsafeMutablePointer<JobTypeEntry> {
    let type = Int(type.rawValue)
    return chunks[type / Self.chunkSize]! + type % Self.chunkSize
  }

  /// The number of a parked type; nil: there is none with this name.
  func parked(named name: String) -> JobTypeID? {
    guard let type = numbers[name], self[type].isParked else { return nil }
    return type
  }

  /// Whether jobs of the type are possible.
  func isAnnounced(_ name: String) -> Bool { numbers[name].map { self[$0].isAnnounced } ?? false }

  /// The number of a type that the observer does not know yet; nil: there is none with this name.
  func unannounced(named name: String) -> JobTypeID? {
    guard let type = numbers[name], !self[type].isAnnounced else { return nil }
    return type
  }

  /// Adds the next type under its number in the core. Jobs of it are possible once it is announced.
  ///
  /// - Parameter handler: nil: the type is parked.
  func add(_ name: String, _ type: JobTypeID, _ handler: RegisteredHandler?) {
    let (chunk, place) = count.quotientAndRemainder(dividingBy: Self.chunkSize)
    if place == 0 { chunks[chunk] = .allocate(capacity: Self.chunkSize) }
    let registered = handler ?? RegisteredHandler(handler: .unregistered)
    (chunks[chunk]! + place).initialize(
      to: JobTypeEntry(
        name: name, handler: registered.wrapped(in: middleware), registered: registered, isParked: handler == nil))
    count += 1
    numbers[name] = type
    if handler == nil { parked.insert(type) }
  }

  /// Gives the freed number of a parked type to another parked type.
  func reuse(_ type: JobTypeID, for name: String) {
    self[type].name = name
    self[type].isAnnounced = false
    numbers[name] = type
    parked.insert(type)
  }

  /// Frees the number of a parked type. Its entry stays, because records may still have the number.
  func free(_ type: JobTypeID) {
    numbers[self[type].name] = nil
    parked.remove(type)
  }

  /// Gives a parked type its handler, before any of its attempts is handed out.
  func open(_ type: JobTypeID, with handler: RegisteredHandler) {
    self[type].handler = handler.wrapped(in: middleware)
    self[type].registered = handler
    self[type].isParked = false
    parked.remove(type)
  }

  /// Wraps every handler in middleware, before any worker has begun.
  ///
  /// - Parameter isOutermost: whether to wrap outside existing middleware; otherwise inside.
  func use(_ added: any AttemptMiddleware, isOutermost: Bool = false) {
    middleware.insert(added, at: isOutermost ? 0 : middleware.count)
    for number in 0..<count {
      let type = JobTypeID(rawValue: UInt16(number))
      self[type].handler = self[type].registered.wrapped(in: middleware)
    }
  }

  /// Removes all user code once no worker is left to run it. Returns it, to be released outside the lock.
  func removeUserCode() -> [Any] {
    var removed: [Any] = [middleware]
    middleware = []
    removed.reserveCapacity(count + 1)
    for number in 0..<count {
      let type = JobTypeID(rawValue: UInt16(number))
      removed.append((self[type].handler, self[type].registered, self[type].validate))
      self[type].handler = .unregistered
      self[type].registered = RegisteredHandler(handler: .unregistered)
      self[type].validate = nil
    }
    return removed
  }
}
