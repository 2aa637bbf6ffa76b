import TailraceHarness
import TailraceReplay

/// The systems that a tape can be replayed on, as people name them.
enum SystemNames {
  /// `live` first, and last a program of the user.
  static let all: [(name: String, summary: String)] =
    Composition.systems.all.map { ($0.name, $0.summary) } + [(Composition.systems.external, ExternalSystem.summary)]
}
