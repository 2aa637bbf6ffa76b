// Goal: no sum, difference or product of instants and lengths of time traps; where the exact answer has no room it is
// the end of the range on its side.

import Testing

@testable import TailraceCore

@Suite struct TimeTests {
  private static let extremes: [Int64] = [
    .min, .min + 1, -Nanoseconds.longest.rawValue, -1, 0, 1, Nanoseconds.longest.rawValue,
    Instant.horizon.nanoseconds, .max - 1, .max,
  ]

  private func clamped(_ exact: Int128) -> Int64 { Int64(clamping: exact) }

  @Test(arguments: extremes, extremes) func sumsAndDifferencesSaturate(_ a: Int64, _ b: Int64) {
    let (sum, difference) = (clamped(Int128(a) + Int128(b)), clamped(Int128(a) - Int128(b)))
    #expect((Nanoseconds(a) + Nanoseconds(b)).rawValue == sum)
    #expect((Nanoseconds(a) - Nanoseconds(b)).rawValue == difference)
    #expect((Instant(nanoseconds: a) + Nanoseconds(b)).nanoseconds == sum)
    #expect((Instant(nanoseconds: a) - Nanoseconds(b)).nanoseconds == difference)
    #expect((Instant(nanoseconds: a) - Instant(nanoseconds: b)).rawValue == difference)
    var total = Nanoseconds(a)
    total += Nanoseconds(b)
    #expect(total.rawValue == sum)
    for count in [-3, -1, 0, 1, 7, 65_535] {
      #expect(Nanoseconds(a).times(count).rawValue == clamped(Int128(a) * Int128(count)))
    }
  }

  @Test func whatScenariosMayNameFitsBelowTheHorizon() {
    #expect(Instant.zero + .longest + .longest == .horizon)
    #expect(Instant.horizon + .longest == .distantFuture, "and what lies beyond is never")
    #expect(Instant.horizon < .distantFuture)
  }
}
