import CPlatform
import Glibc
import TailraceCore
import TailracePlatform

/// One thread that runs code of the user's for the timer thread, in the order in which it was handed over.
///
/// The timer thread runs none itself: a callback that takes a minute would hold up every time-out, delay and retry for
/// as long. The thread starts with the first piece; where the system refuses it, the pieces run where they come from.
final class DeliveryThread: @unchecked Sendable {
  /// A piece of work, and since when it waits.
  private struct Piece {
    let since: Instant
    let action: @Sendable () -> Void
  }

  private let lock = Lock()
  private let parker = Parker()
  private var waiting: [Piece] = []
  /// Since when the piece that runs has waited and run; nil: none runs.
  private var runningSince: Instant?
  private var isStarted = false
  private var isFinished = false
  private var onIdle: [@Sendable () -> Void] = []

  /// Runs `action` after everything that was handed over before.
  func deliver(_ action: @escaping @Sendable () -> Void) {
    if !handOver(action) { action() }
  }

  /// The same, unless the thread ends. Returns whether the action will run.
  func handOver(_ action: @escaping @Sendable () -> Void) -> Bool {
    let now = MonotonicClock.now()
    let (isTaken, mustStart) = lock.withLock {
      guard !isFinished else { return (false, false) }
      waiting.append(Piece(since: now, action: action))
      defer { isStarted = true }
      return (true, !isStarted)
    }
    guard isTaken else { return false }
    if mustStart { start() } else { parker.unpark() }
    return true
  }

  /// Lets the thread end when it has done what waits. What comes later runs where it comes from.
  func finish() {
    lock.withLock { isFinished = true }
    parker.unpark()
  }

  /// Calls `action` when nothing waits or runs; at once, if that is so.
  func whenIdle(_ action: @escaping @Sendable () -> Void) {
    let isIdle = lock.withLock {
      if waiting.isEmpty, runningSince == nil { return true }
      onIdle.append(action)
      return false
    }
    if isIdle { action() }
  }

  /// How many pieces wait or run, and since when the oldest does; nil: none.
  var backlog: (count: Int, since: Instant)? {
    lock.withLock {
      guard let oldest = runningSince ?? waiting.first?.since else { return nil }
      return (waiting.count + (runningSince == nil ? 0 : 1), oldest)
    }
  }

  private func start() {
    var handle = pthread_t()
    let context = Unmanaged.passRetained(self)
    let result = cplatform_thread_start(
      &handle,
      { context in Unmanaged<DeliveryThread>.fromOpaque(context!).takeRetainedValue().run() }, context.toOpaque())
    guard result != 0 else {
      pthread_detach(handle)
      return
    }
    context.release()
    lock.withLock { isFinished = true }
    runAll()
  }

  private func run() {
    while true {
      runAll()
      let isOver = lock.withLock { isFinished && waiting.isEmpty }
      if isOver { return }
      parker.park()
    }
  }

  private func runAll() {
    while true {
      let pieces = lock.withLock { () -> [Piece] in
        runningSince = waiting.first?.since
        defer { waiting = [] }
        return waiting
      }
      for (place, piece) in pieces.enumerated() {
        if place > 0 { lock.withLock { runningSince = piece.since } }
        piece.action()
      }
      guard pieces.isEmpty else { continue }
      let idle = lock.withLock {
        defer { onIdle = [] }
        return onIdle
      }
      for action in idle { action() }
      return
    }
  }
}

extension Scheduler {
  /// Returns when everything that was handed over is done, or when the time is over.
  func delivered(within time: Duration) async {
    for thread in [cancellations, deliveries] {
      let once = Once()
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let limit = Task.detached {
          try? await Task.sleep(for: time)
          if once.claim() { continuation.resume() }
        }
        thread.whenIdle {
          guard once.claim() else { return }
          limit.cancel()
          continuation.resume()
        }
      }
    }
  }
}
