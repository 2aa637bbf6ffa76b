import Synchronization
import TailraceCore
import TailraceHarness

/// Shows how far a suite is, on standard error.
final class ProgressDisplay: Sendable {
  private let style: ProgressStyle
  private let terminal = Terminal.error
  private let state = Mutex(State())

  private struct State {
    /// Columns that the line drawn last takes; blanks must cover them.
    var drawn = 0
    /// The run that was announced last.
    var announced = 0
    var isFinished = false
  }

  init(_ style: ProgressStyle) {
    let isInteractive = Terminal.error.isInteractive
    switch style {
    case .auto: self.style = isInteractive ? .line : .none
    case .always: self.style = isInteractive ? .line : .plain
    case .line, .plain, .none: self.style = style
    }
  }

  /// Draws the progress; called several times a second from any thread.
  func show(_ progress: SuiteProgress) {
    state.withLock { state in
      // After an interruption the line would only cover what was said about it.
      guard !state.isFinished, !Interruption.hasCome else { return }
      switch style {
      case .none: break
      case .plain, .always, .auto:
        guard progress.index != state.announced else { return }
        state.announced = progress.index
        terminal.write(Self.head(progress) + "\n")
      case .line:
        let text = String(Self.line(progress).prefix(terminal.width - 1))
        // Blanks rather than an escape sequence: it works on every terminal.
        terminal.write("\r" + text.padded(to: state.drawn))
        state.drawn = text.count
      }
    }
  }

  /// Takes the line away: what follows starts on a clean one.
  func finish() {
    state.withLock { state in
      state.isFinished = true
      if state.drawn > 0 { terminal.write("\r" + String(repeating: " ", count: state.drawn) + "\r") }
    }
  }

  private static func head(_ progress: SuiteProgress) -> String {
    "[\(progress.index)/\(progress.count)] \(progress.scenario) on \(progress.system)"
  }

  private static func line(_ progress: SuiteProgress) -> String {
    var text = head(progress) + ", \(counted(progress.jobs, "job")), \(time(progress.elapsed))"
    if let left = progress.left { text += ", \(time(left)) left" }
    return text
  }

  /// Whole seconds: `1 min 05 s`.
  static func time(_ span: Nanoseconds) -> String {
    let seconds = max(0, Int((Double(span.rawValue) / 1e9).rounded()))
    if seconds < 60 { return "\(seconds) s" }
    let rest = "\(seconds % 60)"
    return "\(seconds / 60) min \(rest.count == 1 ? "0" + rest : rest) s"
  }
}
