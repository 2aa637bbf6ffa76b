import TailraceCore
import TailracePlatform

/// A thread that runs user code on behalf of the timer thread, in order.
///
/// The timer thread runs no user code itself: a callback that takes a minute would delay every timeout, delay and retry
/// by a minute. The thread starts with the first action. If the system refuses the thread, actions run on the caller's.
final class DeliveryThread: @unchecked Sendable {
  /// An action and when it was enqueued.
  private struct Piece {
    let since: Instant
    let action: @Sendable () -> Void
  }

  private let lock = Lock()
  private let parker = Parker()
  private var waiting: [Piece] = []
  /// When the running action was enqueued; nil: none is running.
  private var runningSince: Instant?
  private var isStarted = false
  private var isFinished = false
  private var onIdle: [@Sendable () -> Void] = []

  /// Runs `action` after all previously enqueued actions.
  func deliver(_ action: @escaping @Sendable () -> Void) {
    if !handOver(action) { action() }
  }

  /// Like ``deliver(_:)``, unless the thread is ending. Returns whether the action will run.
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

  /// Lets the thread end after the enqueued actions. Later actions run on the caller's thread.
  func finish() {
    lock.withLock { isFinished = true }
    parker.unpark()
  }

  /// Calls `action` when nothing waits or runs, which may be immediately.
  func whenIdle(_ action: @escaping @Sendable () -> Void) {
    let isIdle = lock.withLock {
      if waiting.isEmpty, runningSince == nil { return true }
      onIdle.append(action)
      return false
    }
    if isIdle { action() }
  }

  /// The number of actions that wait or run, and when the oldest was enqueued; nil: none.
  var backlog: (count: Int, since: Instant)? {
    lock.withLock {
      guard let oldest = runningSince ?? waiting.first?.since else { return nil }
      return (waiting.count + (runningSince == nil ? 0 : 1), oldest)
    }
  }

  private func start() {
    do throws(StartedThread.Refused) {
      try StartedThread.start { [self] in run() }.detach()
    } catch {
      lock.withLock { isFinished = true }
      runAll()
    }
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
  /// Returns when all actions enqueued so far are done, or after `time`.
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
