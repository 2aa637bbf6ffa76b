import CPlatform
import Glibc
import Subprocess
import TailracePlatform

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// The way to every child process: only so many start at once, and only where the library that starts them has what it
/// needs.
///
/// Without a free file descriptor swift-subprocess stops the program (it opened a part of the child's standard streams
/// and cannot hand it back), or waits for ever (it did not get the descriptor by which it hears of the child's end);
/// without a thread of its own it waits for ever too. So both are looked at before, with some to spare, and what the
/// system refuses is an error with its reason.
package final class ChildLaunch: Sendable {
  /// Children that start at once: the library starts them one after another.
  private static let width = 4
  /// Descriptors that must be free: four for each child that starts (its streams, and that by which its end is heard
  /// of), and some to spare.
  private static let files: Int32 = 24
  /// The library's threads, and one for good measure.
  private static let threads: Int32 = 4

  private struct State {
    var starting = 0
    /// Those that wait for their turn, the oldest at `next`.
    var waiting: [UnsafeContinuation<Void, Never>] = []
    var next = 0
    /// Whether the library has its threads.
    var isWarm = false
    /// `/dev/null`, open for reading and writing: what is duplicated to see what is free. It stays open.
    var null: Int32 = -1
  }
  private static let state = Locked(State())

  private let isOver = Locked(false)

  private init() {}

  /// Waits for a turn, and looks for what a child's start needs. Call ``end()`` when the child has started, or could
  /// not be.
  ///
  /// - Throws: ``SystemRefusal``, or `CancellationError`.
  package static func begin() async throws -> ChildLaunch {
    await takeTurn()
    do {
      try Task.checkCancellation()
      let isWarm = state.withLock { $0.isWarm }
      let null = try openNull()
      try check(cplatform_descriptors_probe(null, files))
      if !isWarm { try await warmUp(null) }
      // The process is ending: a retry of a job whose child was killed must not start another.
      guard cplatform_child_begin() == 0 else { throw CancellationError() }
      return ChildLaunch()
    } catch {
      passTurn()
      throw error
    }
  }

  /// The turn is the next one's. What is called again does nothing.
  package func end() {
    let isFirst = isOver.withLock { isOver in
      defer { isOver = true }
      return !isOver
    }
    guard isFirst else { return }
    cplatform_child_started()
    Self.passTurn()
  }

  /// Does something unless a child starts meanwhile.
  static func whileNoneStarts(_ body: () -> Void) { state.withLock { if $0.starting == 0 { body() } } }

  private static func takeTurn() async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let isFree = state.withLock { state in
        // The first is alone: the library gets its threads with it.
        if state.starting < (state.isWarm ? width : 1) {
          state.starting += 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  private static func passTurn() {
    let next = state.withLock { state -> [UnsafeContinuation<Void, Never>] in
      state.starting -= 1
      var next: [UnsafeContinuation<Void, Never>] = []
      while state.starting < (state.isWarm ? width : 1), state.next < state.waiting.count {
        next.append(state.waiting[state.next])
        state.next += 1
        state.starting += 1
      }
      if state.next == state.waiting.count {
        state.waiting.removeAll(keepingCapacity: true)
        state.next = 0
      }
      return next
    }
    for continuation in next { continuation.resume() }
  }

  private static func openNull() throws(SystemRefusal) -> Int32 {
    var error: Int32 = 0
    let null = state.withLock { state in
      if state.null < 0 { state.null = open("/dev/null", O_RDWR | O_CLOEXEC) }
      error = errno
      return state.null
    }
    guard null >= 0 else { throw SystemRefusal(SystemRefusal.startingProcess, error: error) }
    return null
  }

  /// Starts a child that does nothing, so that the library has its threads and descriptors from now on: where it gets
  /// them only in part, it fails for as long as the program runs.
  private static func warmUp(_ null: Int32) async throws {
    var started: Int32 = 0
    try check(cplatform_threads_probe(threads, &started))
    let stream = FileDescriptor(rawValue: null)
    // Whether there is such a program does not matter.
    _ = try? await Subprocess.run(
      .name("true"), input: .fileDescriptor(stream, closeAfterSpawningProcess: false),
      output: .fileDescriptor(stream, closeAfterSpawningProcess: false),
      error: .fileDescriptor(stream, closeAfterSpawningProcess: false))
    state.withLock { $0.isWarm = true }
  }

  private static func check(_ error: Int32) throws(SystemRefusal) {
    guard error == 0 else { throw SystemRefusal(SystemRefusal.startingProcess, error: error) }
  }
}

extension SystemRefusal {
  /// What the system refused a child; nil: it refused nothing.
  package init?(_ error: SubprocessError) {
    guard let number = error.underlyingError?.rawValue, [EMFILE, ENFILE, EAGAIN, ENOMEM].contains(number) else {
      return nil
    }
    self.init(error.code == .failedToMonitorProcess ? "watch a process" : Self.startingProcess, error: number)
  }
}
