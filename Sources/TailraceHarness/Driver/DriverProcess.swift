import CPlatform
import Glibc
import Subprocess
import TailraceCore
import TailraceHost
import TailracePlatform
import TailraceSpelling

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A driver's process and the pipes to it.
///
/// Sending never blocks: what the pipe does not take at once, a thread writes later. So a driver that reads slowly
/// delays its own jobs, not the load generator.
final class DriverProcess: @unchecked Sendable {
  /// What a pipe holds, if the system allows it.
  private static let pipeSize: Int32 = 1 << 20
  /// Bytes that may wait for a driver that does not read.
  private static let backlogLimit = 256 << 20
  /// The longest line from a driver.
  private static let lineLimit = 64 << 10
  /// Bytes of the driver's log that are kept.
  private static let logKept = 16 << 10

  private struct Outgoing {
    var waiting: [UInt8] = []
    var isClosed = false
    var isWriting = false
    var isTooLong = false
  }

  private let input: Int32
  private let output: Int32
  private let error: Int32
  /// The child's ends, until it has started.
  private let childEnds: Locked<[Int32]>
  private let outgoing = Locked(Outgoing())
  private let wake = Parker()
  private let log = Locked<[UInt8]>([])
  private let readsOn = StopFlag()
  private let writerIsOver = StopFlag()
  private let family = ProcessFamily()

  /// Opens the pipes.
  ///
  /// - Throws: ``SystemRefusal``.
  init() throws(SystemRefusal) {
    _ = Self.brokenPipesAreErrors
    var ends: [Int32] = []
    for _ in 0..<3 {
      var pair: [Int32] = [-1, -1]
      guard cplatform_pipe(&pair, Self.pipeSize) == 0 else {
        let code = errno
        for end in ends { Glibc.close(end) }
        throw SystemRefusal("open a pipe", error: code)
      }
      ends += pair
    }
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    _ = fcntl(ends[2], F_SETFL, O_NONBLOCK)
    _ = fcntl(ends[4], F_SETFL, O_NONBLOCK)
    (input, output, error) = (ends[1], ends[2], ends[4])
    childEnds = Locked([ends[0], ends[3], ends[5]])
  }

  /// Writing to a driver that has ended must not end this process. Unlike an ignored signal, a handler is not inherited
  /// by programs that it starts.
  private static let brokenPipesAreErrors: Void = {
    let before = signal(SIGPIPE) { _ in }
    if unsafeBitCast(before, to: Int.self) != unsafeBitCast(SIG_DFL, to: Int.self) { signal(SIGPIPE, before) }
  }()

  deinit {
    closeChildEnds()
    for end in [input, output, error] { Glibc.close(end) }
  }

  private func closeChildEnds() {
    let ends = childEnds.withLock { ends in
      defer { ends = [] }
      return ends
    }
    for end in ends { Glibc.close(end) }
  }

  /// Runs the program to its end; cancelling the task ends it.
  func run(
    _ program: String, _ arguments: [String], environment: [Environment.Key: String?], grace: Duration,
    onStart: @escaping @Sendable (pid_t) -> Void
  ) async throws -> TerminationStatus {
    defer { closeChildEnds() }
    let ends = childEnds.withLock { $0 }.map { FileDescriptor(rawValue: $0) }
    return try await family.run(
      .path(FilePath(program)), arguments, environment: environment, grace: grace,
      input: .fileDescriptor(ends[0], closeAfterSpawningProcess: false),
      output: .fileDescriptor(ends[1], closeAfterSpawningProcess: false),
      error: .fileDescriptor(ends[2], closeAfterSpawningProcess: false)
    ) { [self] process in
      closeChildEnds()
      onStart(process)
    }.terminationStatus
  }

  /// Kills what the driver has left running.
  func endFamily() { family.end() }

  // MARK: - To the driver

  /// Starts the thread that writes what a pipe did not take at once.
  func startWriter() throws(DedicatedThread.Refused) {
    try DedicatedThread.start { [self] in
      writeWaiting()
      writerIsOver.stop()
    }
  }

  /// Sends whole lines.
  func send(_ lines: UnsafeRawBufferPointer) {
    let mustWake = outgoing.withLock { outgoing in
      guard !outgoing.isClosed, !outgoing.isTooLong else { return false }
      var sent = 0
      if outgoing.waiting.isEmpty, !outgoing.isWriting {
        let count = Self.write(input, lines)
        if count < 0 {
          // The driver has closed its input; its end says why.
          outgoing.isClosed = true
          return false
        }
        sent = count
      }
      guard sent < lines.count else { return false }
      guard outgoing.waiting.count < Self.backlogLimit else {
        outgoing.isTooLong = true
        return false
      }
      outgoing.waiting.append(contentsOf: lines[sent...])
      return true
    }
    if mustWake { wake.unpark() }
  }

  func send(_ lines: [UInt8]) { lines.withUnsafeBytes { send($0) } }

  /// Whether the driver has left more unread than any driver may.
  var isSwamped: Bool { outgoing.withLock { $0.isTooLong } }

  /// Bytes written; 0: the pipe is full; -1: it is closed.
  private static func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    while true {
      let count = Glibc.write(file, bytes.baseAddress, bytes.count)
      if count >= 0 { return count }
      if errno == EINTR { continue }
      return errno == EAGAIN ? 0 : -1
    }
  }

  private func writeWaiting() {
    while true {
      let lines = outgoing.withLock { outgoing -> [UInt8]? in
        if outgoing.isClosed { return nil }
        outgoing.isWriting = !outgoing.waiting.isEmpty
        defer { outgoing.waiting = [] }
        return outgoing.waiting
      }
      guard let lines else { return }
      if lines.isEmpty {
        wake.park()
        continue
      }
      let isOpen = lines.withUnsafeBytes { writeAll($0) }
      outgoing.withLock {
        $0.isWriting = false
        if !isOpen { $0.isClosed = true }
      }
    }
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes
    while rest.count > 0 {
      if outgoing.withLock({ $0.isClosed }) { return false }
      let count = Self.write(input, rest)
      if count < 0 { return false }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      guard rest.count > 0 else { break }
      var poll = pollfd(fd: input, events: Int16(POLLOUT), revents: 0)
      _ = Glibc.poll(&poll, 1, 50)
    }
    return true
  }

  // MARK: - From the driver

  /// Passes each line to `body` until the driver has closed its output, or ``stopReading()``.
  ///
  /// - Parameter body: Returns false to stop. The line is valid during the call.
  /// - Returns: What is wrong with the output as a whole; nil: nothing.
  func readLines(_ body: (UnsafeRawBufferPointer) -> Bool) -> String? {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * Self.lineLimit, alignment: 16)
    defer { buffer.deallocate() }
    var filled = 0
    var isOpen = true
    while isOpen {
      var files = [
        pollfd(fd: output, events: Int16(POLLIN), revents: 0), pollfd(fd: error, events: Int16(POLLIN), revents: 0),
      ]
      _ = Glibc.poll(&files, 2, 20)
      if files[1].revents != 0 { readLog() }
      let wasStopped = readsOn.isSet
      while true {
        let count = Glibc.read(output, buffer.baseAddress! + filled, buffer.count - filled)
        if count < 0, errno == EINTR { continue }
        if count == 0 { isOpen = false }
        guard count > 0 else { break }
        filled += count
        switch pass(buffer, &filled, body) {
        case .goesOn where filled <= Self.lineLimit: break
        case .stopped: return nil
        default: return "wrote a line of more than \(Self.lineLimit >> 10) KiB"
        }
      }
      if wasStopped { break }
    }
    readLog()
    return filled > 0 && !readsOn.isSet ? "ended its output in the middle of a line" : nil
  }

  /// Passes the whole lines in the buffer, and moves the rest to its start.
  private func pass(
    _ buffer: UnsafeMutableRawBufferPointer, _ filled: inout Int, _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Passed {
    var start = 0
    while start < filled, let end = memchr(buffer.baseAddress! + start, 0x0a, filled - start) {
      let length = end - (buffer.baseAddress! + start)
      if length > Self.lineLimit { return .foundLongLine }
      let line = UnsafeRawBufferPointer(start: buffer.baseAddress! + start, count: length)
      if length > 0, !body(line) { return .stopped }
      start += length + 1
    }
    if start > 0 {
      memmove(buffer.baseAddress!, buffer.baseAddress! + start, filled - start)
      filled -= start
    }
    return .goesOn
  }

  private enum Passed { case goesOn, stopped, foundLongLine }

  private func readLog() {
    withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 16) { piece in
      // A driver that floods its log must not keep the reader from its lines.
      for _ in 0..<16 {
        let count = Glibc.read(error, piece.baseAddress, piece.count)
        guard count > 0 else { return }
        log.withLock { log in
          log.append(contentsOf: piece[..<count])
          if log.count > 2 * Self.logKept { log.removeFirst(log.count - Self.logKept) }
        }
      }
    }
  }

  /// Stops ``readLines(_:)`` after it has read the lines that have arrived.
  func stopReading() { readsOn.stop() }

  /// Ends the writer's thread.
  func stopWriting() {
    outgoing.withLock {
      $0.isClosed = true
      $0.waiting = []
    }
    wake.unpark()
  }

  /// The last lines of the driver's log, in words for a message.
  var lastWords: String {
    let lines = log.withLock { $0 }.suffix(Self.logKept).split { $0 == 0x0a || $0 == 0x0d }.suffix(12)
      .map { VisibleText.lines($0) }.map { $0.prefix(400) + ($0.count > 400 ? "…" : "") }
    return lines.isEmpty
      ? "it wrote nothing to standard error" : "its log ends:\n" + lines.joined(separator: "\n")
  }
}
