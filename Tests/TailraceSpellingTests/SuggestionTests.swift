// Goal: whatever somebody writes instead of a known name, the name that was meant is found, and nothing far-fetched.
import Testing

@testable import TailraceSpelling

@Suite struct SuggestionTests {
  private static let keys = ["workers", "thread_workers", "policy", "queue", "retries", "timeout"]
  private static let distributions = ["bimodal", "constant", "empirical", "exponential", "lognormal", "pareto"]
  private static let paths = ["name", "scheduler.workers", "scheduler.timeout", "load.poisson", "load.constant"]

  /// A word, what is known, and what is suggested.
  @Test(arguments: [
    ("wokers", keys, ["workers"]), ("Workers", keys, ["workers"]), ("thread-workers", keys, ["thread_workers"]),
    ("polciy", keys, ["policy"]), ("threads", keys, ["workers"]), ("workers", paths, ["scheduler.workers"]),
    ("concurrency", paths, ["scheduler.workers"]), ("rate", paths, ["load.poisson", "load.constant"]),
    ("wrkers", paths, ["scheduler.workers"]), ("runn", ["run", "list", "plan"], ["run"]),
    ("urgent", ["critical", "high", "normal", "low", "batch"], ["critical"]),
    ("xyzzy", keys, []), ("", keys, []), ("b", ["a"], ["a"]), ("simul", ["live", "simulated"], ["simulated"]),
    ("latency", ["response", "waiting"], ["response"]), ("vus", ["clients", "think"], ["clients"]),
    ("lognorml", distributions, ["lognormal"]), ("exp", distributions, ["exponential"]),
    ("normal", distributions, ["lognormal"]), ("fixed", distributions, ["constant"]),
    ("med", ["median", "p99"], ["median"]),
    ("load.workers", paths, ["scheduler.workers"]), ("schedulr.workers", paths, ["scheduler.workers"]),
    ("sec", ["ns", "us", "ms", "s"], ["s"]),
  ])
  func whatWasMeantIsFound(_ word: String, _ known: [String], _ meant: [String]) {
    #expect(closestNames(to: word, among: known) == meant)
  }

  @Test func letters() {
    #expect(editDistance("kitten", "sitting") == 3)
    #expect(editDistance("", "abc") == 3 && editDistance("abc", "abc") == 0)
    // Two letters that changed places are one mistake.
    #expect(editDistance("runn", "run") == 1 && editDistance("lits", "list") == 1)
    #expect(closestNames(to: "Mial", among: ["mail", "nail", "resize"]) == ["mail"])
  }

  @Test func partsAreWhatTheSeparatorSays() {
    let zones = ["America/Belize", "America/Port-au-Prince", "Europe/Berlin", "Europe/London"]
    #expect(closestNames(to: "America/Berlin", among: zones, separator: "/") == ["Europe/Berlin"])
    #expect(closestNames(to: "port_au_prince", among: zones, separator: "/") == ["America/Port-au-Prince"])
    #expect(closestNames(to: "Lodnon", among: zones, separator: "/") == ["Europe/London"])
  }

  @Test func aQuestionNamesEach() {
    #expect(didYouMean("rate", among: Self.paths) == "did you mean 'load.poisson' or 'load.constant'? ")
    #expect(didYouMean("xyzzy", among: Self.paths).isEmpty)
  }
}
