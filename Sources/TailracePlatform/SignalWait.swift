import CPlatform
import Glibc
import TailraceCore

/// Waits for one of some signals, whose usual action is switched off meanwhile.
package final class SignalWait: Sendable {
  private struct State {
    var received = false
    var onSignal: (@Sendable () -> Void)?
  }
  private let signals: [Int32]
  private let lock = Lock()
  /// Behind ``lock``.
  nonisolated(unsafe) private var state = State()

  /// Starts listening: no signal is missed from now on.
  ///
  /// - Throws: ``InvalidValues`` with the signals that cannot be caught.
  package init(_ signals: [Int32]) throws(InvalidValues) {
    var check = ValueCheck()
    check.check("signals.count", signals.count, in: 1...Int(CPLATFORM_SIGNALS) - 1)
    for (place, number) in signals.enumerated() {
      check.require(
        (1..<Int32(CPLATFORM_SIGNALS)).contains(number) && number != SIGKILL && number != SIGSTOP,
        "signals[\(place)]", "\(number)", "a signal that can be caught, such as SIGTERM (\(SIGTERM))")
    }
    try check.throwFound()
    self.signals = signals
    try SignalThread.shared.add(self, for: signals)
  }

  /// Stops listening. The last listener restores the signals' previous actions.
  package func end() { SignalThread.shared.remove(self, from: signals) }

  /// Calls `action` at the first signal; at once when one has come.
  package func onFirst(_ action: @escaping @Sendable () -> Void) {
    let already = lock.withLock {
      if !state.received { state.onSignal = action }
      return state.received
    }
    if already { action() }
  }

  /// Returns at the first signal, and stops listening.
  package func wait() async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      onFirst { continuation.resume() }
    }
    end()
  }

  fileprivate func arrived() {
    let action = lock.withLock { () -> (@Sendable () -> Void)? in
      state.received = true
      defer { state.onSignal = nil }
      return state.onSignal
    }
    action?()
  }
}

/// The thread that learns of signals: their handler can do no more than wake it.
private final class SignalThread: @unchecked Sendable {
  static let shared = SignalThread()

  private struct Caught {
    var before: sigaction
    var listeners: [SignalWait]
  }
  private let lock = Lock()
  /// By signal.
  private var caught: [Int32: Caught] = [:]

  private init() {
    cplatform_signals_init()
    guard !Self.start() else { return }
    // A task looks for signals until the system gives the thread.
    Task.detached {
      repeat {
        try? await Task.sleep(for: .milliseconds(20))
        SignalThread.shared.deliver()
      } while !Self.start()
    }
  }

  /// Returns whether the thread could be started.
  private static func start() -> Bool {
    do throws(StartedThread.Refused) {
      try StartedThread.start { SignalThread.shared.run() }.detach()
      return true
    } catch {
      return false
    }
  }

  func add(_ listener: SignalWait, for signals: [Int32]) throws(InvalidValues) {
    do throws(InvalidValues) {
      try lock.withLock { () throws(InvalidValues) in
        for (place, number) in signals.enumerated() {
          if caught[number] == nil {
            _ = cplatform_signal_take(number)
            var before = sigaction()
            // The C library keeps some for itself.
            guard cplatform_signal_catch(number, &before) == 0 else {
              throw InvalidValues([
                InvalidValue(name: "signals[\(place)]", value: "\(number)", range: "a signal that can be caught")
              ])
            }
            caught[number] = Caught(before: before, listeners: [])
          }
          caught[number]!.listeners.append(listener)
        }
      }
    } catch {
      remove(listener, from: signals)
      throw error
    }
  }

  func remove(_ listener: SignalWait, from signals: [Int32]) {
    lock.withLock {
      for number in signals {
        caught[number]?.listeners.removeAll { $0 === listener }
        guard var rest = caught[number], rest.listeners.isEmpty else { continue }
        _ = cplatform_signal_restore(number, &rest.before)
        caught[number] = nil
      }
    }
  }

  private func run() {
    while true {
      cplatform_signals_wait()
      deliver()
    }
  }

  /// Tells the listeners of what has come.
  private func deliver() {
    let listeners = lock.withLock {
      caught.keys.sorted().flatMap { cplatform_signal_take($0) > 0 ? caught[$0]!.listeners : [] }
    }
    for listener in listeners { listener.arrived() }
  }
}
