import TailraceMeasurement
import Testing

@testable import TailraceReport

/// Formatters answer for every number there is, briefly, and never trap: a report must not be lost to a large value.
@Suite struct HumanUnitsTests {
  /// Every power of ten and two, their neighbors, both signs, and what is no number.
  private static let values: [Double] = {
    var values: [Double] = [
      0, .nan, .signalingNaN, .infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .leastNormalMagnitude,
    ]
    for exponent in -330...308 {
      let power = Double("1e\(exponent)") ?? 0
      values += [power, power.nextUp, power.nextDown, power * 9.995, power * 9.9949, power * 5]
    }
    for exponent in -1_074...1_023 {
      let power = Double(sign: .plus, exponent: exponent, significand: 1)
      values += [power, power.nextUp, power.nextDown]
    }
    return values + values.map { -$0 }
  }()

  private static let formatters: [@Sendable (Double) -> String] =
    [
      HumanUnits.time, HumanUnits.bytes, HumanUnits.share, HumanUnits.count, HumanUnits.digits,
      { HumanUnits.exact($0) }, { HumanUnits.fixed($0, decimals: 2) },
    ]
    + [FigureUnit.time, .rate, .ratio, .count, .bytes, .factor].flatMap { unit -> [@Sendable (Double) -> String] in
      [{ HumanUnits.value($0, unit) }, { HumanUnits.difference($0, unit) }]
    }

  @Test func everyNumberHasAShortText() {
    for (index, format) in Self.formatters.enumerated() {
      for value in Self.values {
        let text = format(value)
        #expect(!text.isEmpty && text.count <= 40, "formatter \(index) makes '\(text)' of \(value)")
      }
    }
  }

  @Test(arguments: [0x5EED, 0x7A11])
  func everyBitPatternHasAShortText(seed: UInt64) {
    // A generator of its own, so that a failure can be repeated.
    var state = seed
    for _ in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = Double(bitPattern: state ^ (state >> 29))
      for (index, format) in Self.formatters.enumerated() {
        let text = format(value)
        #expect(!text.isEmpty && text.count <= 40, "formatter \(index) makes '\(text)' of \(value), seed \(seed)")
      }
    }
  }

  @Test func whatIsShownIsTheNumberToThreeDigitsOrFourDecimals() throws {
    for value in Self.values where value.isFinite && value != 0 {
      let shown = try #require(Double(HumanUnits.digits(value).filter { $0 != "," }))
      // At the ends of the range the last bits are gone before anything is shown.
      guard value.magnitude > 1e-300, value.magnitude < 1e300 else { continue }
      let isNear = abs(shown / value - 1) <= 0.0051 || (value.magnitude >= 0.0005 && abs(shown - value) <= 0.000_051)
      #expect(isNear, "\(HumanUnits.digits(value)) for \(value)")
    }
  }

  @Test func largeAndMissingNumbersAreNamed() {
    #expect(HumanUnits.count(999_999_999_999_999) == "999,999,999,999,999")
    #expect(HumanUnits.count(1e15) == "1.00e15")
    #expect(HumanUnits.value(-4.567e22, .count) == "-4.57e22")
    #expect(HumanUnits.digits(0.000_012_34) == "1.23e-5")
    #expect(HumanUnits.time(.infinity) == "∞")
    #expect(HumanUnits.digits(.nan) == "not a number")
    #expect(HumanUnits.bytes(5e12) == "4.55 TiB")
  }

  @Test(arguments: [
    (12_345_678_901.0, 12_340_000_000.0...12_350_000_000.0, "12.34568 s"),
    (1_500, 0...2_000, "1.500 µs"), (999, 0...999, "999 ns"), (5e12, 0...9e12, "5000 s"),
    (2_000_000, 1_000_000...9_000_000, "2.000 ms"),
  ])
  func instantsOfARangeDiffer(value: Double, range: ClosedRange<Double>, words: String) {
    #expect(HumanUnits.instant(value, in: range) == words)
  }
}
