// Quantities are read with their units, and refused with a reason and the allowed forms.

import TailraceCore
import TailraceWorkload
import Testing

@Suite struct QuantityTextTests {
  @Test(arguments: [
    ("0ns", 0), ("1ns", 1), ("100us", 100_000), ("100µs", 100_000), ("1.5ms", 1_500_000), ("2s", 2_000_000_000),
    ("0.231s", 231_000_000), ("5m", 300_000_000_000), ("5min", 300_000_000_000), ("1h", 3_600_000_000_000),
    ("1d", 86_400_000_000_000), ("1e3ms", 1_000_000_000), ("10 ms", 10_000_000), ("+3ms", 3_000_000),
    ("1m30s", 90_000_000_000), ("1h30m", 5_400_000_000_000), ("1d12h", 129_600_000_000_000), ("500us", 500_000),
    ("1s500ms", 1_500_000_000), ("1h 30m 15s", 5_415_000_000_000), ("1.5m0.5s", 90_500_000_000), ("0m0s", 0),
    ("1min1e3ms", 61_000_000_000), ("2h45m30.5s", 9_930_500_000_000),
  ])
  func readsDurations(_ text: String, _ nanoseconds: Int64) throws {
    #expect(try QuantityText.duration(text) == Nanoseconds(nanoseconds))
  }

  @Test(arguments: [
    ("100", "has no unit"), ("-5ms", "is negative"), ("5 weeks", "unknown unit 'weeks'"), ("ms", "is not a duration"),
    ("", "is not a duration"), ("0x10ms", "unknown unit 'x'"), ("nan ms", "is not a duration"),
    ("infs", "is not a duration"),
    ("1e300s", "is too long"), ("0.1ns", "is too short"), ("5ms3", "'3' has no unit"),
    ("30s1m", "after a unit that is not larger"), ("1m1m", "after a unit that is not larger"),
    ("1m-30s", "is negative"),
    ("00:01:30", "write 1m30s"), ("1:30", "write 1m30s"), ("30sec", "did you mean 's'?"),
    ("2 hours", "did you mean 'h'?"),
    ("5 Minutes", "did you mean 'min'?"), ("36524d48h", "is too long"),
    ("1e400s", "is not a duration"),
  ])
  func refusesOtherDurations(_ text: String, _ reason: String) {
    #expect { try QuantityText.duration(text) } throws: { error in
      let message = "\(error)"
      return message.contains(reason) && message.contains("; ")
    }
  }

  @Test(arguments: [("20/s", 20.0), ("100/min", 100.0 / 60), ("90/h", 0.025), ("0.5/ms", 500.0), (" 2 / s ", 2.0)])
  func readsRates(_ text: String, _ perSecond: Double) throws {
    #expect(abs(try QuantityText.rate(text).perSecond - perSecond) < 1e-12)
  }

  @Test(arguments: [("20rps", "'/s'"), ("20/sec", "'/s'"), ("20 per second", "'/s'"), ("5/minute", "'/min'")])
  func ratesOfOtherToolsGetTheirUnit(_ text: String, _ unit: String) {
    #expect { try QuantityText.rate(text) } throws: { "\($0)".contains("did you mean \(unit)?") }
  }

  @Test(arguments: ["20", "0/s", "-1/s", "20/", "/s", "20/fortnight", "1/s/s", "1e30/s", "x/s"])
  func refusesOtherRates(_ text: String) {
    #expect(throws: QuantityProblem.self) { try QuantityText.rate(text) }
  }

  @Test(arguments: [("64MiB", 67_108_864), ("1kB", 1_000), ("2KiB", 2_048), ("1.5GB", 1_500_000_000), ("0B", 0)])
  func readsSizes(_ text: String, _ bytes: Int) throws { #expect(try QuantityText.bytes(text) == bytes) }

  @Test(arguments: ["64", "-1B", "1TiB", "MiB", "9999999999GiB"])
  func refusesOtherSizes(_ text: String) { #expect(throws: QuantityProblem.self) { try QuantityText.bytes(text) } }

  @Test(arguments: [("5%", 0.05), ("0.25", 0.25), ("0", 0.0), ("100%", 1.0), ("1", 1.0), ("12.5 %", 0.125)])
  func readsShares(_ text: String, _ share: Double) throws { #expect(try QuantityText.share(text) == share) }

  @Test(arguments: ["101%", "1.1", "-1%", "%", "half", "nan"])
  func refusesOtherShares(_ text: String) { #expect(throws: QuantityProblem.self) { try QuantityText.share(text) } }

  @Test func readsCountsWithinTheirRange() throws {
    #expect(try QuantityText.count("1_000_000") == 1_000_000)
    #expect(try QuantityText.count("3", in: 1...5) == 3)
    #expect(throws: QuantityProblem.self) { try QuantityText.count("6", in: 1...5) }
    #expect(throws: QuantityProblem.self) { try QuantityText.count("2.5") }
    #expect(throws: QuantityProblem.self) { try QuantityText.count("99999999999999999999") }
  }
}
