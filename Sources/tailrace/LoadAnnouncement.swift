import Foundation
import TailraceCore
import TailraceHarness
import TailraceReport
import TailraceStudies
import TailraceWorkload

/// What is said of a large load before it is replayed, and of one that is too large to be.
enum LoadAnnouncement {
  /// Computing for less than this is not worth a word.
  private static let shortest = Nanoseconds.seconds(30)
  /// Jobs, bytes and real time beyond which a replay is announced.
  private static let manyJobs = 10e6
  private static let muchMemory = 1e9
  private static let longRun = Nanoseconds.seconds(3_600)

  /// Why a scenario is not replayed; nil: it may be.
  static func refusal(of scenario: Scenario) -> String? { LoadForecast(scenario).refusal }

  /// Says what is to come where it is much.
  ///
  /// - Parameters:
  ///   - scenarios: as they will be replayed.
  ///   - systems: on which; empty: live.
  ///   - replays: of each scenario on each system.
  static func write(_ scenarios: [Scenario], systems: [String], replays: Int = 1, timeScale: Double = 1) {
    for scenario in scenarios {
      let scaled = scenario.isScalable ? scenario.scaled(by: timeScale) : scenario
      if let words = words(scaled, systems: systems, replays: replays) { Terminal.error.write(words + "\n") }
    }
  }

  /// One line; nil: the load is an ordinary one.
  static func words(_ scenario: Scenario, systems: [String], replays: Int) -> String? {
    let forecast = LoadForecast(scenario)
    let memory = RunNeeds.jobBytes(forecast)
    let isVirtual = !systems.isEmpty && systems.allSatisfy { $0.hasPrefix("simulated") }
    let real = realTime(forecast, scenario)
    let isMuch =
      forecast.jobs * Double(replays) >= manyJobs || memory >= muchMemory || !isVirtual && real >= longRun
    guard isMuch else { return nil }
    // Only then is the machine asked how fast it is.
    let computing = Nanoseconds(seconds: min(9e9, forecast.attempts * SimulationPace.measure().seconds))
    let each = isVirtual ? computing : real
    guard memory >= muchMemory || each.seconds * Double(replays) >= shortest.seconds else { return nil }
    let time = HumanUnits.time(Double(each.rawValue))
    return "\(scenario.name): about \(LoadForecast.short(forecast.jobs)) jobs, "
      + "\(time) of \(isVirtual ? "computing" : "real time") and \(LoadForecast.bytes(memory)) of memory"
      + (replays > 1 ? " for each of up to \(replays) replays" : "") + "; Ctrl-C ends it early"
  }

  /// Until the last arrival, and then until the work is done or the time to drain is over.
  private static func realTime(_ forecast: LoadForecast, _ scenario: Scenario) -> Nanoseconds {
    let arrivals = forecast.arrivals ?? .zero
    guard let work = forecast.work, work > arrivals else { return arrivals }
    return min(work, arrivals + scenario.drain)
  }
}
