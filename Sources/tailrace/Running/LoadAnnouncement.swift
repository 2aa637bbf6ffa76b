import Foundation
import TailraceCore
import TailraceHarness
import TailraceReport
import TailraceStudies
import TailraceWorkload

/// Announces large loads before they are replayed, and rejects loads that are too large.
enum LoadAnnouncement {
  /// Loads that compute for less time than this are not announced.
  private static let shortest = Nanoseconds.seconds(30)
  /// Thresholds of jobs, bytes and real time above which a replay is announced.
  private static let manyJobs = 10e6
  private static let muchMemory = 1e9
  private static let longRun = Nanoseconds.seconds(3_600)

  /// The reason for not replaying a scenario; nil: it may be replayed.
  static func refusal(of scenario: Scenario) -> String? { LoadForecast(scenario).refusal }

  /// Announces large loads.
  ///
  /// - Parameters:
  ///   - scenarios: The scenarios, with all changes applied.
  ///   - systems: The systems; empty: live.
  ///   - replays: The number of replays of each scenario on each system.
  static func write(_ scenarios: [Scenario], systems: [String], replays: Int = 1, timeScale: Double = 1) {
    for scenario in scenarios {
      let scaled = scenario.isScalable ? scenario.scaled(by: timeScale) : scenario
      if let words = words(scaled, systems: systems, replays: replays) { Terminal.error.write(words + "\n") }
    }
  }

  /// One line; nil: the load is not large.
  static func words(_ scenario: Scenario, systems: [String], replays: Int) -> String? {
    let forecast = LoadForecast(scenario)
    let memory = RunNeeds.jobBytes(forecast)
    let isVirtual = !systems.isEmpty && systems.allSatisfy { $0.hasPrefix("simulated") }
    let real = realTime(forecast, scenario)
    let isMuch =
      forecast.jobs * Double(replays) >= manyJobs || memory >= muchMemory || !isVirtual && real >= longRun
    guard isMuch else { return nil }
    // Measure the machine's speed only if it is needed.
    let computing = Nanoseconds(seconds: min(9e9, forecast.attempts * SimulationPace.measure().seconds))
    let each = isVirtual ? computing : real
    guard memory >= muchMemory || each.seconds * Double(replays) >= shortest.seconds else { return nil }
    let time = HumanUnits.time(Double(each.rawValue))
    return "\(scenario.name): about \(LoadForecast.short(forecast.jobs)) jobs, "
      + "\(time) of \(isVirtual ? "computing" : "real time") and \(LoadForecast.bytes(memory)) of memory"
      + (replays > 1 ? " for each of up to \(replays) replays" : "") + "; Ctrl-C ends it early"
  }

  /// Time until the last arrival, plus the time until the work is done or the drain time is over.
  private static func realTime(_ forecast: LoadForecast, _ scenario: Scenario) -> Nanoseconds {
    let arrivals = forecast.arrivals ?? .zero
    guard let work = forecast.work, work > arrivals else { return arrivals }
    return min(work, arrivals + scenario.drain)
  }
}
