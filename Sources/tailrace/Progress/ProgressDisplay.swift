import TailraceCore
import TailraceHarness
import TailracePlatform
import TailraceSpelling

/// Shows how far a suite, a comparison or a search is, on standard error.
final class ProgressDisplay: Sendable {
  /// Between two plain lines of one run.
  private static let interval = Nanoseconds.seconds(5)
  private let style: ProgressStyle
  private let isSilent: Bool
  private let terminal = Terminal.error
  private let state: Locked<State>

  private struct State {
    /// Columns that the line drawn last takes; blanks must cover them.
    var drawn = 0
    /// The run that was announced last, and when the next plain line of it is due.
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

  /// Whether what is shown goes beyond how far the run is.
  var needsFigures: Bool { style == .tui || style == .plain }

  /// Draws the progress; called several times a second from any thread.
  func show(_ progress: SuiteProgress) {
    state.withLock { state in
      // After an interruption a frame would only cover what was said about it.
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

  /// Draws how far a comparison is; called when a round is over, or more often for the time left.
  func show(_ progress: ComparisonProgress) {
    state.withLock { state in
      guard !state.isFinished, !Interruption.hasCome else { return }
      switch style {
      case .none, .auto, .always: break
      case .plain:
        // A line for each round.
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

  /// Draws what one line says whole; called when there is something new.
  func show(line: String) {
    state.withLock { state in
      guard !state.isFinished, !Interruption.hasCome else { return }
      switch style {
      case .none, .auto, .always: break
      case .plain: terminal.write(VisibleText.line(line) + "\n")
      // One line says it: there is nothing for a screenful.
      case .line, .tui: drawLine(line, &state)
      }
    }
  }

  /// Says something that stays, unless nothing is to be said at all.
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
    // Blanks rather than an escape sequence: it works on every terminal.
    terminal.draw("\r" + text.padded(to: state.drawn))
    state.drawn = text.count
  }

  /// Takes away what was drawn: what follows starts on a clean line.
  func finish() {
    state.withLock { state in
      guard !state.isFinished else { return }
      state.isFinished = true
      if state.drawn > 0 { terminal.draw("\r" + String(repeating: " ", count: state.drawn) + "\r") }
      // What was said of an interruption stands below the frame, and both stay.
      if !Interruption.hasCome { state.drawer.clear() }
    }
  }
}
