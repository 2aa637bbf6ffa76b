/// The state of one job: 128 bytes, reused once the job is forgotten.
///
/// The fields that dispatch reads come first and fit one cache line, so that touching a neighbor in a long list costs
/// one cache miss.
struct JobSlot {
  static let none = UInt32.max
  /// A sentinel count: a dependency of a job that is not admitted yet has failed.
  static let dependencyHasFailed = UInt32.max
  /// A sentinel rank: none was given.
  static let unranked = Int64.min
  /// A sentinel type: the slot is free.
  static let free = UInt16.max

  /// Links of the list that contains the job: a lane, the waiting submitters, the settled jobs or the free list.
  var next = JobSlot.none
  var previous = JobSlot.none
  /// ``delay``, ``eligible`` and ``settled``, one after the other.
  private var first = TimelineRecord.never
  /// ``notBefore``, then ``started``.
  private var second = TimelineRecord.never
  var generation: UInt32 = 0
  var timerPosition: Int32 = -1
  /// Order of becoming eligible; wraps.
  var sequence: UInt32 = 0
  /// Reserved memory in KiB.
  var memory: UInt32 = 0
  var unsettledDependencies: UInt32 = 0
  var firstDependent = JobSlot.none
  var lane: UInt32 = 0
  var retryPolicy: UInt16 = 0
  var type: UInt16 = 0
  var attempt: UInt16 = 1
  var worker: UInt16 = TimelineRecord.noWorker
  var state = JobState.cancelled
  var priority = Priority.normal
  var pool = PoolID.async
  /// ``crashes``, then ``cause``.
  private var third: UInt8 = 0

  var batch = JobSlot.none
  /// Position in the lane's heap if the policy sorts within lanes, or -1.
  var heapPosition: Int32 = -1
  var intended = Instant.zero
  var submitted = Instant.zero
  var accepted = TimelineRecord.never
  var previousFinished = TimelineRecord.never
  var timeout = Nanoseconds(.max)
  var number: UInt64 = 0
  /// A further sort key of the policy: the deadline or the expected service time in nanoseconds; ``unranked`` if none
  /// was given.
  var rank = JobSlot.unranked

  // A job is not admitted, then unsettled, then settled. What only one of these phases needs shares its room, so that a
  // slot keeps its size.

  /// Until admission: the delay between admission and eligibility.
  var delay: Nanoseconds {
    @inline(__always) get { Nanoseconds(first.nanoseconds) }
    @inline(__always) set { first = Instant(nanoseconds: newValue.rawValue) }
  }

  /// Until admission: the earliest start that was asked for; `never`: none.
  var notBefore: Instant {
    @inline(__always) get { second }
    @inline(__always) set { second = newValue }
  }

  /// From admission to settlement: when the current attempt became eligible or, while the job is blocked or scheduled,
  /// when it does at the earliest; `never` for a job that settled before.
  var eligible: Instant {
    @inline(__always) get { first }
    @inline(__always) set { first = newValue }
  }

  /// From admission to settlement: when the current attempt was handed out, corrected by the driver's report of its
  /// start; `never` if none is running.
  var started: Instant {
    @inline(__always) get { second }
    @inline(__always) set { second = newValue }
  }

  /// From admission to settlement: attempts that crashed their worker, saturating at 254.
  var crashes: Int {
    get { Int(third) }
    set { third = UInt8(min(newValue, 254)) }
  }

  /// After settlement: when.
  var settled: Instant {
    @inline(__always) get { first }
    @inline(__always) set { first = newValue }
  }

  /// After settlement: why.
  var cause: SettlementCause {
    get { SettlementCause(rawValue: third) ?? .dropped }
    set { third = newValue.rawValue }
  }
}

/// Job slots in pages that never move, with a free list.
struct JobTable: ~Copyable {
  private static var pageBits: UInt32 { 12 }
  private static var pageSize: Int { 1 << 12 }
  /// Bytes per slot: two cache lines.
  private static var stride: Int { 128 }

  private var pages: UnsafeMutablePointer<UnsafeMutableRawPointer>
  private var pageCapacity = 64
  private var pageCount = 0
  private var firstFree = JobSlot.none
  /// Slots below this index have been used at least once.
  private(set) var highWater: UInt32 = 0
  /// The first generation of a slot that was never used.
  var firstGeneration: UInt32 = 0

  init() { pages = .allocate(capacity: pageCapacity) }

  deinit {
    for page in 0..<pageCount { pages[page].deallocate() }
    pages.deallocate()
  }

  @inline(__always)
  subscript(slot: UInt32) -> UnsafeMutablePointer<JobSlot> {
    let offset = Int(slot & UInt32(Self.pageSize - 1)) * Self.stride
    return (pages[Int(slot >> Self.pageBits)] + offset).assumingMemoryBound(to: JobSlot.self)
  }

  /// The slot of a known job, or nil.
  @inline(__always)
  func find(_ id: JobID) -> UInt32? {
    let slot = UInt32(truncatingIfNeeded: id.rawValue)
    guard slot < highWater, self[slot].pointee.generation == id.generation else { return nil }
    return slot
  }

  /// A known job, or nil.
  @inline(__always)
  func job(_ id: JobID) -> UnsafeMutablePointer<JobSlot>? { find(id).map { self[$0] } }

  @inline(__always)
  func id(of slot: UInt32) -> JobID { JobID(slot: slot, generation: self[slot].pointee.generation) }

  /// Takes a free slot with default values.
  mutating func take() -> UInt32 {
    if firstFree != JobSlot.none {
      let slot = firstFree
      let job = self[slot]
      firstFree = job.pointee.next
      let generation = job.pointee.generation
      job.pointee = JobSlot()
      job.pointee.generation = generation
      return slot
    }
    let slot = highWater
    if Int(slot >> Self.pageBits) == pageCount { addPage() }
    highWater += 1
    self[slot].initialize(to: JobSlot())
    self[slot].pointee.generation = firstGeneration
    return slot
  }

  /// Releases a slot; the identifier of its job becomes unknown.
  mutating func release(_ slot: UInt32) {
    let job = self[slot]
    // The top bit stays clear: drivers may use it to mark an identifier.
    job.pointee.generation = (job.pointee.generation &+ 1) & 0x7fff_ffff
    job.pointee.next = firstFree
    job.pointee.type = JobSlot.free
    firstFree = slot
  }

  private mutating func addPage() {
    if pageCount == pageCapacity {
      let larger = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: pageCapacity * 2)
      larger.moveInitialize(from: pages, count: pageCount)
      pages.deallocate()
      pages = larger
      pageCapacity *= 2
    }
    if MemoryLayout<JobSlot>.stride > Self.stride { invariantViolated("a slot does not fit its two cache lines") }
    pages[pageCount] = .allocate(byteCount: Self.pageSize * Self.stride, alignment: Self.stride)
    pageCount += 1
  }
}

/// A doubly linked list through the slots of a ``JobTable``.
struct JobList {
  var head = JobSlot.none
  var tail = JobSlot.none
  var count = 0

  @inline(__always)
  mutating func append(_ slot: UInt32, in jobs: borrowing JobTable) {
    let job = jobs[slot]
    job.pointee.next = JobSlot.none
    job.pointee.previous = tail
    if tail == JobSlot.none { head = slot } else { jobs[tail].pointee.next = slot }
    tail = slot
    count += 1
  }

  /// Inserts a job into a list sorted by sequence.
  ///
  /// - Parameter later: a job of the list that comes after it, from which to search toward the front; nil: searches
  ///   from the front.
  mutating func insertBySequence(_ slot: UInt32, before later: UInt32? = nil, in jobs: borrowing JobTable) {
    let job = jobs[slot]
    func isEarlier(_ other: UInt32) -> Bool {
      Int32(bitPattern: jobs[other].pointee.sequence &- job.pointee.sequence) < 0
    }
    var (before, after) = (JobSlot.none, head)
    if let later {
      (before, after) = (jobs[later].pointee.previous, later)
      while before != JobSlot.none, !isEarlier(before) { (before, after) = (jobs[before].pointee.previous, before) }
    } else {
      while after != JobSlot.none, isEarlier(after) { (before, after) = (after, jobs[after].pointee.next) }
    }
    job.pointee.previous = before
    job.pointee.next = after
    if before == JobSlot.none { head = slot } else { jobs[before].pointee.next = slot }
    if after == JobSlot.none { tail = slot } else { jobs[after].pointee.previous = slot }
    count += 1
  }

  @inline(__always)
  mutating func remove(_ slot: UInt32, in jobs: borrowing JobTable) {
    let job = jobs[slot]
    let (before, after) = (job.pointee.previous, job.pointee.next)
    if before == JobSlot.none { head = after } else { jobs[before].pointee.next = after }
    if after == JobSlot.none { tail = before } else { jobs[after].pointee.previous = before }
    count -= 1
  }
}

/// A dependency: an entry in the list of a job's dependents.
struct DependencyEdge {
  var dependent: UInt32
  var generation: UInt32
  var next: UInt32
}
