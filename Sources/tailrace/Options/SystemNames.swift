import TailraceHarness
import TailraceReplay

/// The names of the systems that can replay a tape.
enum SystemNames {
  /// `live` comes first; the user's own program comes last.
  static let all: [(name: String, summary: String)] =
    Composition.systems.all.map { ($0.name, $0.summary) } + [(Composition.systems.external, ExternalSystem.summary)]
}
