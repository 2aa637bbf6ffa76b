import Synchronization
import TailraceHarness
import TailraceReport

/// Shows how far a search is, on standard error.
final class CapacityDisplay: Sendable {
  private let style: ProgressStyle
  private let terminal = Terminal.error
  /// Columns that the line drawn last takes.
  private let drawn = Mutex(0)

  init(_ style: ProgressStyle) {
    // A search has nothing for a screenful: one line says it.
    let resolved = style.resolved(for: .error)
    self.style = resolved == .tui ? .line : resolved
  }

  func show(_ progress: CapacityProgress) {
    guard !Interruption.hasCome else { return }
    var text = "[\(progress.runs + 1)] "
    if !progress.configuration.isEmpty { text += "\(progress.configuration), " }
    text += "\(progress.system) at \(CapacityWords.rate(progress.rate)), round \(progress.round)"
    if let limit = progress.limit { text += "; the limit is about \(CapacityWords.rate(limit))" }
    switch style {
    case .none, .auto, .always, .tui: break
    case .plain: terminal.write(text + "\n")
    case .line:
      let line = String(text.prefix(terminal.width - 1))
      drawn.withLock { drawn in
        terminal.write("\r" + line.padded(to: drawn))
        drawn = line.count
      }
    }
  }

  /// Takes the line away.
  func finish() {
    drawn.withLock { drawn in
      if drawn > 0 { terminal.write("\r" + String(repeating: " ", count: drawn) + "\r") }
      drawn = 0
    }
  }
}
