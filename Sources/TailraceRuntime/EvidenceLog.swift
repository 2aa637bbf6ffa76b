import CPlatform
import Glibc
import Logging
import TailraceCore
import TailracePlatform

/// Why an evidence log cannot be used.
public enum EvidenceLogError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Its file cannot be opened for writing.
  case cannotOpen(path: String, reason: String)
  /// A scheduler writes to it already.
  case inUse(path: String)
  /// Settings that are out of range.
  case invalidSettings(InvalidValues)
  /// The system refused the thread that writes; `error` is the error number.
  case noThread(path: String, error: Int32)

  /// What happened, and what to do.
  public var description: String {
    switch self {
    case .cannotOpen(let path, let reason):
      "cannot write evidence to '\(path)': \(reason); name a file in a directory that exists and may be written to"
    case .invalidSettings(let invalid): "the evidence log's settings cannot be used: \(invalid)"
    case .inUse(let path): "a scheduler writes evidence to '\(path)' already; make a log for each scheduler"
    case .noThread(let path, let error):
      "cannot write evidence to '\(path)': no thread is to be had: \(systemError(error)); raise the limit of processes "
        + "(ulimit -u, or the container's pids limit)"
    }
  }
}

/// What an evidence log has written, and what it has not.
public struct EvidenceCounts: Sendable, Hashable {
  /// Lines in the files, those about dropped ones included.
  public var written = 0
  /// Lines that were never made since the writer was behind by more than it may be. A line in the file says when.
  public var dropped = 0
  /// Lines that the disk refused.
  public var refused = 0

  /// Makes counts, to compare others with.
  public init(written: Int = 0, dropped: Int = 0, refused: Int = 0) {
    (self.written, self.dropped, self.refused) = (written, dropped, refused)
  }
}

/// One line of JSON for each attempt that ended, for each job that settled without one, and for each refused job.
///
/// The lines are made and written on a thread of the log's own. The scheduler hands over what happened and never waits:
/// beyond a bound the oldest are dropped, and a line says how many and when. The file is set aside when it is full; a
/// bounded number of files is kept. ``Scheduler/shutdown(grace:stopping:)`` returns when everything is on disk.
public final class EvidenceLog: Sendable {
  /// Where the lines go, and how many.
  public struct Settings: Sendable, Hashable {
    /// The file that is written to; 1 to 4,090 bytes of UTF-8. Those set aside are called the same with `.1`, `.2`, …
    /// added, `.1` the latest.
    public var path: String
    /// How large a file may become, in bytes; 1 or more. A single line may be larger. Default: 64 MiB.
    public var maximumBytes = 64 << 20
    /// How many files are kept, the one that is written to included; 1 to 1,000. Default: 5.
    public var files = 5
    /// How many lines may wait to be written; 1 to 10,000,000. Default: 16,384, of some 300 bytes each.
    public var waitingLines = 16_384
    /// Whether to measure by how much the resident memory of the whole process grows during each attempt, from
    /// `/proc/self/statm`: two system calls of a microsecond or two each. What other attempts do meanwhile is in it.
    /// False: the lines say null, as they do where the system has no such file. Default: false.
    public var measuresMemory = false

    /// Makes the default settings for a file.
    public init(path: String) { self.path = path }

    /// Whether the settings can be used, as far as they show themselves: the file is not opened.
    ///
    /// - Throws: all that are out of range, with their values and ranges.
    public func validate() throws(InvalidValues) {
      var check = ValueCheck()
      check.check("path", length: path, in: 1...longestPath)
      // The system would take what stands before it for the whole.
      check.require(!path.utf8.contains(0), "path", "a text with a zero byte", "a text without zero bytes")
      check.check("maximumBytes", maximumBytes, in: 1...Int.max)
      check.check("files", files, in: 1...1_000)
      check.check("waitingLines", waitingLines, in: 1...Scheduler.mostBuffered)
      try check.throwFound()
    }
  }

  let settings: Settings
  let buffer: EventBuffer
  private let parker = Parker()
  private struct State {
    var counts = EvidenceCounts()
    var hasBegun = false
    var isClosed = false
    var onClosed: [UnsafeContinuation<Void, Never>] = []
  }
  private let state = Locked(State())
  /// Handed to the thread when it begins.
  private let file: Locked<EvidenceFileBox>

  /// Opens the file and appends to what is there.
  ///
  /// - Throws: ``EvidenceLogError/cannotOpen(path:reason:)``, ``EvidenceLogError/invalidSettings(_:)``.
  public init(_ settings: Settings) throws(EvidenceLogError) {
    do throws(InvalidValues) { try settings.validate() } catch { throw .invalidSettings(error) }
    self.settings = settings
    buffer = EventBuffer(capacity: settings.waitingLines, isEvidence: true)
    file = Locked(
      EvidenceFileBox(
        try EvidenceFile(path: settings.path, limit: settings.maximumBytes, kept: settings.files)))
  }

  /// What has been written so far, and what has not.
  public var counts: EvidenceCounts { state.withLock(\.counts) }

  /// Starts the thread.
  func begin(_ logger: Logger) throws(EvidenceLogError) {
    let isFirst = state.withLock { state in
      defer { state.hasBegun = true }
      return !state.hasBegun
    }
    guard isFirst else { throw EvidenceLogError.inUse(path: settings.path) }
    let context = Unmanaged.passRetained(WriterStart(log: self, logger: logger))
    var handle = pthread_t()
    let result = cplatform_thread_start(
      &handle,
      { context in
        let start = Unmanaged<WriterStart>.fromOpaque(context!).takeRetainedValue()
        start.log.run(start.logger)
      }, context.toOpaque())
    guard result == 0 else {
      context.release()
      state.withLock { $0.hasBegun = false }
      throw EvidenceLogError.noThread(path: settings.path, error: result)
    }
    pthread_detach(handle)
  }

  private func run(_ logger: Logger) {
    let box = file.withLock { $0 }
    var writer = EvidenceWriter(path: settings.path, logger: logger)
    while let event = buffer.nextOnThread(parker, idle: { write(&writer, box) }) {
      let line = EvidenceLine(event).bytes
      if !box.file.hasRoom(for: line.count, after: writer.pending.count) {
        write(&writer, box)
        if !box.file.hasRoom(for: line.count) { writer.note(box.file.rotate()) }
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

/// The longest path that the system takes, less what the name of a file that is set aside has more.
private let longestPath = 4_090

/// Lines on their way to the file. Of the log's thread.
private struct EvidenceWriter {
  let path: String
  let logger: Logger
  private(set) var pending: [UInt8] = []
  private(set) var lines = 0
  private var hasFailed = false
  /// Why there is no file to write to.
  private var obstacle: String?

  init(path: String, logger: Logger) {
    (self.path, self.logger) = (path, logger)
  }

  mutating func add(_ line: [UInt8]) {
    pending += line
    lines += 1
  }

  /// Reports the first error; the others are counted.
  mutating func note(_ error: String?) {
    obstacle = error
    guard let error, !hasFailed else { return }
    hasFailed = true
    logger.error("evidence cannot be written", metadata: ["path": "\(path)", "error": "\(error)"])
  }

  /// Returns whether the lines are written; if not, they are lost.
  mutating func flush(into file: inout EvidenceFile) -> Bool {
    // A file that could not be set aside must not grow on.
    if obstacle != nil, !file.hasRoom(for: pending.count) { note(file.rotate()) }
    let error = obstacle != nil && !file.hasRoom(for: pending.count) ? obstacle : file.write(pending)
    note(error)
    pending.removeAll(keepingCapacity: true)
    lines = 0
    return error == nil
  }
}

/// The file, once the log's thread has it, is that thread's alone.
private final class EvidenceFileBox: @unchecked Sendable {
  var file: EvidenceFile
  init(_ file: consuming EvidenceFile) { self.file = file }
}

private final class WriterStart {
  let log: EvidenceLog
  let logger: Logger
  init(log: EvidenceLog, logger: Logger) {
    self.log = log
    self.logger = logger
  }
}

extension Scheduler {
  /// Writes what happens to this scheduler's jobs to an evidence log, from now until the shutdown is done.
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
      // So that it sees all that the attempt does.
      state.handlers.add(MemoryMeter(), isOutermost: true)
    }
    subscribe(log.buffer)
  }
}
