// Goal: zones have the offsets that their rules say, in every year, and times are written and read as ISO 8601.
import TailraceCore
import Testing

@Suite struct TimeZoneOffsetsTests {
  private func offset(_ zone: String, _ time: String) throws -> Int {
    try #require(Zones.named(zone)).offset(at: try #require(UnixTime(time)))
  }

  @Test func clocksAreChangedInTheRightSecond() throws {
    #expect(try offset("Europe/Berlin", "2026-03-29T00:59:59Z") == 3_600)
    #expect(try offset("Europe/Berlin", "2026-03-29T01:00:00Z") == 7_200)
    #expect(try offset("Europe/Berlin", "2026-10-25T00:59:59Z") == 7_200)
    #expect(try offset("Europe/Berlin", "2026-10-25T01:00:00Z") == 3_600)
    #expect(try offset("Europe/Berlin", "2250-07-01T00:00:00Z") == 7_200)
    #expect(try offset("America/New_York", "2026-03-08T06:59:59Z") == -18_000)
    #expect(try offset("America/New_York", "2026-03-08T07:00:00Z") == -14_400)
    #expect(try offset("Australia/Lord_Howe", "2026-01-01T00:00:00Z") == 39_600)
    #expect(try offset("Australia/Lord_Howe", "2026-06-01T00:00:00Z") == 37_800)
    #expect(try offset("Asia/Kathmandu", "2026-06-01T00:00:00Z") == 20_700)
  }

  @Test func daysOfTheYearAreCountedWithAndWithoutTheLeapDay() throws {
    let julian = try #require(TimeZoneOffsets(name: "J", rule: "A0B,J60/0,J100/0"))
    let ordinal = try #require(TimeZoneOffsets(name: "n", rule: "A0B,59/0,99/0"))
    for (zone, time) in [
      (julian, "2027-03-01T00:00:00Z"), (julian, "2028-03-01T00:00:00Z"), (ordinal, "2027-03-01T00:00:00Z"),
      (ordinal, "2028-02-29T00:00:00Z"),
    ] {
      let begins = try #require(UnixTime(time))
      #expect(zone.offset(at: begins) == 3_600)
      #expect(zone.offset(at: UnixTime(nanoseconds: begins.nanoseconds - 1)) == 0)
    }
  }

  @Test(arguments: [
    "", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
    "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "CET-200", "<CET-1", "1", "é0",
  ])
  func whatIsNoRuleIsRefused(_ text: String) {
    #expect(TimeZoneOffsets(name: "x", rule: text) == nil)
  }

  @Test func timesAreWrittenAsTheyAreRead() throws {
    for text in ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2100-03-01T00:00:00Z", "1677-12-31T00:00:00Z"] {
      #expect(try #require(UnixTime(text)).description == text)
    }
    #expect(UnixTime("2026-01-01T00:00Z") == UnixTime("2026-01-01T00:00:00Z"))
    #expect(UnixTime(nanoseconds: -1).description == "1969-12-31T23:59:59.999999999Z")
    #expect(UnixTime(nanoseconds: 1_500_000_000).description == "1970-01-01T00:00:01.5Z")
    #expect(UnixTime(seconds: 1.5) == UnixTime(nanoseconds: 1_500_000_000))
    for text in [
      "", "2026-01-01", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
      "2026-01-01T00:00:00+01", "2026-01-01 00:00:00Z", "2263-01-01T00:00:00Z", "20260101T0000000000Z",
    ] {
      #expect(UnixTime(text) == nil, "\(text)")
    }
  }
}
