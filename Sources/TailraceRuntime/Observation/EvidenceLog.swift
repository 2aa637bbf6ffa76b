import Logging
import TailraceCore
import TailracePlatform

/// An error of an evidence log.
public enum EvidenceLogError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The file cannot be opened for writing.
  case cannotOpen(path: String, reason: String)
  /// Another scheduler already uses the log.
  case inUse(path: String)
  /// Configuration are out of range.
  case invalidSettings(InvalidValues)
  /// The system refused a thread for the log; `error` is the error number.
  case noThread(path: String, error: Int32)

  /// What happened, and what to do.
  public var description: String {
    switch self {
    case .cannotOpen(let path, let reason):
      "cannot write evidence to '\(path)': \(reason); use a path in an existing, writable directory"
    case .invalidSettings(let invalid): "invalid settings of the evidence log: \(invalid)"
    case .inUse(let path): "another scheduler already writes to '\(path)'; use one log per scheduler"
    case .noThread(let path, let error):
      "cannot write evidence to '\(path)': cannot start a thread: \(systemError(error)); raise the limit of processes "
        + "(ulimit -u, or the container's pids limit)"
    }
  }
}

/// Line counts of an evidence log.
public struct EvidenceCounts: Sendable, Hashable {
  /// Lines written to the files, including lines about dropped ones.
  public var written = 0
  /// Lines dropped because the writer fell too far behind. A line in the file reports when.
  public var dropped = 0
  /// Lines lost to write errors.
  public var refused = 0

  /// Creates counts, for comparison.
  public init(written: Int = 0, dropped: Int = 0, refused: Int = 0) {
    (self.written, self.dropped, self.refused) = (written, dropped, refused)
  }
}

/// A JSON Lines log with one line for each ended attempt, each job that settled without one, and each rejected job.
///
/// The log formats and writes lines on its own thread, so the scheduler never waits. If more than
/// ``Configuration/waitingLines`` wait, the oldest are dropped, and a line reports how many and when. Full files are
/// rotated, and a bounded number of files is kept. ``Scheduler/shutdown(grace:stopping:)`` returns after everything is
/// flushed to disk.
public final class EvidenceLog: Sendable {
  /// The settings of an evidence log.
  public struct Configuration: Sendable, Hashable {
    /// The path of the file; 1 to 4,090 bytes of UTF-8. Rotated files get the suffix `.1`, `.2`, …, with `.1` the
    /// latest.
    public var path: String
    /// Maximum file size in bytes; 1 or more. A single line may be larger. Default: 64 MiB.
    public var maximumBytes = 64 << 20
    /// Maximum number of files, including the current one; 1 to 1,000. Default: 5.
    public var files = 5
    /// Maximum lines waiting to be written; 1 to 10,000,000. Default: 16,384, about 300 bytes each.
    public var waitingLines = 16_384
    /// Whether to measure the growth of the process's resident memory during each attempt, from `/proc/self/statm`.
    /// Costs two system calls of 1 to 2 µs per attempt. The value includes the effect of concurrent attempts. If false,
    /// or if the system has no such file, the lines contain null. Default: false.
    public var measuresMemory = false

    /// Creates the default settings for a path.
    public init(path: String) { self.path = path }

    /// Checks that every setting is in range. Does not open the file.
    ///
    /// - Throws: every value that is out of range, with its allowed range.
    public func validate() throws(InvalidValues) {
      var check = ValueCheck()
      check.check("path", length: path, in: 1...longestPath)
      // The system would truncate the path at the zero byte.
      check.require(!path.utf8.contains(0), "path", "a text with a zero byte", "a text without zero bytes")
      check.check("maximumBytes", maximumBytes, in: 1...Int.max)
      check.check("files", files, in: 1...1_000)
      check.check("waitingLines", waitingLines, in: 1...Scheduler.mostBuffered)
      try check.throwFound()
    }
  }

  let settings: Configuration
  let buffer: EventBuffer
  private let parker = Parker()
  private struct State {
    var counts = EvidenceCounts()
    var hasBegun = false
    var isClosed = false
    var onClosed: [UnsafeContinuation<Void, Never>] = []
  }
  private let state = Locked(State())
  /// Moved to the thread when it starts.
  private let file: Locked<EvidenceFileBox>

  /// Opens the file and appends to what is there.
  ///
  /// - Throws: ``EvidenceLogError/cannotOpen(path:reason:)``, ``EvidenceLogError/invalidSettings(_:)``.
  public init(_ settings: Configuration) throws(EvidenceLogError) {
    do throws(InvalidValues) { try settings.validate() } catch { throw .invalidSettings(error) }
    self.settings = settings
    buffer = EventBuffer(capacity: settings.waitingLines, isEvidence: true)
    file = Locked(
      EvidenceFileBox(
        try EvidenceFile(path: settings.path, limit: settings.maximumBytes, kept: settings.files)))
  }

  /// The counts so far.
  public var counts: EvidenceCounts { state.withLock(\.counts) }

  /// Starts the thread.
  func begin(_ logger: Logger) throws(EvidenceLogError) {
    let isFirst = state.withLock { state in
      defer { state.hasBegun = true }
      return !state.hasBegun
    }
    guard isFirst else { throw EvidenceLogError.inUse(path: settings.path) }
    do throws(StartedThread.Refused) {
      try StartedThread.start { [self] in run(logger) }.detach()
    } catch {
      state.withLock { $0.hasBegun = false }
      throw EvidenceLogError.noThread(path: settings.path, error: error.error)
    }
  }

  private func run(_ logger: Logger) {
    let box = file.withLock { $0 }
    var writer = EvidenceWriter(path: settings.path, logger: logger)
    while let event = buffer.nextOnThread(parker, idle: { write(&writer, box) }) {
      let line = EvidenceLine(event).bytes
      if !box.file.hasRoom(for: line.count, after: writer.pending.count) {
        write(&writer, box)
        if !box.file.hasRoom(for: line.count) { writer.record(box.file.rotate()) }
      }
      writer.add(line)
      if case .dropped(let count, _) = event.kind { state.withLock { $0.counts.dropped += count } }
      if writer.pending.count >= 1 << 16 { write(&writer, box) }
    }
    write(&writer, box)
    box.file.synchronize()
    let waiting = state.withLock { state in
      state.isClosed = true
      defer { state.onClosed = [] }
      return state.onClosed
    }
    for continuation in waiting { continuation.resume() }
  }

  private func write(_ writer: inout EvidenceWriter, _ box: EvidenceFileBox) {
    let lines = writer.lines
    guard lines > 0 else { return }
    let isWritten = writer.flush(into: &box.file)
    state.withLock { state in
      if isWritten { state.counts.written += lines } else { state.counts.refused += lines }
    }
  }

  /// Returns when everything is written, after the buffer was finished.
  func closed() async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let isClosed = state.withLock { state in
        if !state.isClosed { state.onClosed.append(continuation) }
        return state.isClosed
      }
      if isClosed { continuation.resume() }
    }
  }
}

/// The system's maximum path length, minus room for the suffix of rotated files.
private let longestPath = 4_090

/// Lines to be written. Used by the log's thread only.
private struct EvidenceWriter {
  let path: String
  let logger: Logger
  private(set) var pending: [UInt8] = []
  private(set) var lines = 0
  private var hasFailed = false
  /// The current error, if the file cannot be written.
  private var obstacle: String?

  init(path: String, logger: Logger) {
    (self.path, self.logger) = (path, logger)
  }

  mutating func add(_ line: [UInt8]) {
    pending += line
    lines += 1
  }

  /// Logs the first error; further ones are only counted.
  mutating func record(_ error: String?) {
    obstacle = error
    guard let error, !hasFailed else { return }
    hasFailed = true
    logger.error("cannot write evidence", metadata: ["path": "\(path)", "error": "\(error)"])
  }

  /// Returns whether the lines were written; if not, they are lost.
  mutating func flush(into file: inout EvidenceFile) -> Bool {
    // A file that could not be rotated must not keep growing.
    if obstacle != nil, !file.hasRoom(for: pending.count) { record(file.rotate()) }
    let error = obstacle != nil && !file.hasRoom(for: pending.count) ? obstacle : file.write(pending)
    record(error)
    pending.removeAll(keepingCapacity: true)
    lines = 0
    return error == nil
  }
}

/// The file. Once the log's thread has it, only that thread uses it.
private final class EvidenceFileBox: @unchecked Sendable {
  var file: EvidenceFile
  init(_ file: consuming EvidenceFile) { self.file = file }
}

extension Scheduler {
  /// Records this scheduler's jobs in an evidence log until the shutdown is complete.
  ///
  /// - Throws: ``SchedulerError/alreadyStarted`` after ``start()``, ``EvidenceLogError/inUse(path:)``.
  public func record(to log: EvidenceLog) throws {
    guard withState({ state in state.startInstant == nil && !state.isShuttingDown }) else {
      throw SchedulerError.alreadyStarted
    }
    try log.begin(logger)
    withState { state in
      state.evidence.append(log)
      guard log.settings.measuresMemory else { return }
      // Outermost, so that it includes everything the attempt does.
      state.types.use(MemoryMeter(), isOutermost: true)
    }
    subscribe(log.buffer)
  }
}
