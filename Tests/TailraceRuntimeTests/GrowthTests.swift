// Goal: what an operation costs does not grow with how much a scheduler holds already.

import TailraceBenchmarkHooks
import Testing

@Suite(.serialized, .timeLimit(.minutes(5)))
struct GrowthTests {
  /// Each is done so many times at first, and then sixteen times as many: where each one looks at all others it takes
  /// sixteen times as long. A logarithm and colder caches may take a few times as long.
  @Test(arguments: Growth.allCases) func eachTakesAsLongAmongMany(operation: Growth) async throws {
    let many = min(8_000, operation.limit ?? .max)
    let few = many / 16
    var ratios: [Double] = []
    // Processor time of one thread: other work disturbs it little, and hardly three times in a row.
    for _ in 0..<3 {
      _ = try await operation.nanosecondsEach(count: few)
      let small = try await operation.nanosecondsEach(count: few)
      let large = try await operation.nanosecondsEach(count: many)
      ratios.append(large / small)
      if large < 5 * small { return }
    }
    Issue.record("\(operation.rawValue): \(many) take \(ratios) times as long each as \(few)")
  }
}
