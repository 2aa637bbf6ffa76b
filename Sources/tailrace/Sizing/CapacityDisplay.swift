import TailraceReport
import TailraceStudies

/// Shows the progress of a search on standard error.
struct CapacityDisplay: Sendable {
  private let display: ProgressDisplay

  init(_ style: ProgressStyle) {
    display = ProgressDisplay(style)
  }

  func show(_ progress: CapacityProgress) {
    var text = "[\(progress.runs + 1)] "
    if !progress.configuration.isEmpty { text += "\(progress.configuration), " }
    text += "\(progress.system) at \(CapacityWords.rate(progress.rate)), round \(progress.round)"
    if let limit = progress.limit { text += "; the limit is about \(CapacityWords.rate(limit))" }
    display.show(line: text)
  }

  func finish() { display.finish() }
}
