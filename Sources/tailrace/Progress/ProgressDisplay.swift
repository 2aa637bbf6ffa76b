import TailraceCore
import TailraceHarness
import TailracePlatform
import TailraceSpelling

/// Shows the progress of a suite, a comparison or a search on standard error.
final class ProgressDisplay: Sendable {
  /// The time between two plain lines of one run.
  private static let interval = Nanoseconds.seconds(5)
  private let style: ProgressStyle
  private let isSilent: Bool
  private let terminal = Terminal.error
  private let state: Locked<State>

  private struct State {
    /// The width of the last drawn line, which spaces must overwrite.
    var drawn = 0
    /// The last announced run, and when its next plain line is due.
    var announced = 0
    var due = Nanoseconds.zero
    var history = ProgressHistory()
    var drawer: FrameDrawer
    var isFinished = false
  }

  init(_ style: ProgressStyle) {
    self.style = style.resolved(for: .error)
    isSilent = style == .none
    state = Locked(State(drawer: FrameDrawer(.error)))
  }

  /// Whether the display shows live figures.
  var needsFigures: Bool { style == .tui || style == .plain }

  /// Draws the progress; called several times a second from any thread.
  func show(_ progress: SuiteProgress) {
    state.withLock { state in
      // After an interruption a frame would cover its message.
      guard !state.isFinished, !Interruption.hasCome else { return }
      switch style {
      case .none, .auto, .always: break
      case .plain:
        if progress.index != state.announced {
          (state.announced, state.due) = (progress.index, Self.interval)
          terminal.write(VisibleText.line(ProgressText.head(progress)) + "\n")
        } else if progress.elapsed >= state.due {
          while state.due <= progress.elapsed { state.due += Self.interval }
          terminal.write(VisibleText.line(ProgressText.plain(progress)) + "\n")
        }
      case .line:
        drawLine(ProgressText.line(progress), &state)
      case .tui:
        state.history.add(progress)
        let size = terminal.size
        state.drawer.draw(RunFrame.lines(state.history, in: size, glyphs: terminal.glyphs), in: size)
      }
    }
  }

  /// Draws a comparison's progress; called after each round, or more often to update the time left.
  func show(_ progress: ComparisonProgress) {
    state.withLock { state in
      guard !state.isFinished, !Interruption.hasCome else { return }
      switch style {
      case .none, .auto, .always: break
      case .plain:
        // One line per round.
        guard progress.round != state.announced else { return }
        state.announced = progress.round
        terminal.write(VisibleText.line(progress.plain) + "\n")
      case .line:
        let left = progress.left.map { ", \(ProgressText.time($0)) left" } ?? ""
        drawLine("\(progress.title), round \(progress.round) of \(progress.rounds)\(left)", &state)
      case .tui:
        let size = terminal.size
        state.drawer.draw(ComparisonFrame.lines(progress, in: size, glyphs: terminal.glyphs), in: size)
      }
    }
  }

  /// Draws progress that fits on one line; called when it changes.
  func show(line: String) {
    state.withLock { state in
      guard !state.isFinished, !Interruption.hasCome else { return }
      switch style {
      case .none, .auto, .always: break
      case .plain: terminal.write(VisibleText.line(line) + "\n")
      // One line is enough; there is nothing for a full screen.
      case .line, .tui: drawLine(line, &state)
      }
    }
  }

  /// Prints a line that stays, unless progress is off.
  func warn(_ words: String) {
    state.withLock { state in
      guard !isSilent, style != .tui else { return }
      if state.drawn > 0 { terminal.draw("\r" + String(repeating: " ", count: state.drawn) + "\r") }
      state.drawn = 0
      terminal.write(words + "\n")
    }
  }

  private func drawLine(_ line: String, _ state: inout State) {
    let text = String(VisibleText.line(line).prefix(terminal.width - 1))
    // Use spaces rather than an escape sequence; they work on every terminal.
    terminal.draw("\r" + text.padded(to: state.drawn))
    state.drawn = text.count
  }

  /// Removes the drawing, so that later output starts on a clean line.
  func finish() {
    state.withLock { state in
      guard !state.isFinished else { return }
      state.isFinished = true
      if state.drawn > 0 { terminal.draw("\r" + String(repeating: " ", count: state.drawn) + "\r") }
      // The interruption's message is below the frame; keep both.
      if !Interruption.hasCome { state.drawer.clear() }
    }
  }
}
