// Goal: the zones of this machine are read as they are, and what is none is refused with names that come close.
import Foundation
import TailraceCore
import TailraceTimeZones
import Testing

@Suite struct TimeZoneFilesTests {
  /// Offsets in seconds, from the announcements of the places themselves.
  @Test(arguments: [
    ("Europe/Berlin", "2026-03-29T00:59:59Z", 3_600), ("Europe/Berlin", "2026-03-29T01:00:00Z", 7_200),
    ("Europe/Berlin", "1979-07-01T00:00:00Z", 3_600), ("Europe/Berlin", "2200-07-01T00:00:00Z", 7_200),
    ("America/New_York", "2006-03-20T12:00:00Z", -18_000), ("America/New_York", "2026-03-20T12:00:00Z", -14_400),
    ("Australia/Lord_Howe", "2026-01-01T00:00:00Z", 39_600), ("Australia/Lord_Howe", "2045-06-01T00:00:00Z", 37_800),
    ("Asia/Kolkata", "2026-01-01T00:00:00Z", 19_800), ("Europe/Moscow", "2012-01-01T00:00:00Z", 14_400),
    ("Europe/Moscow", "2026-01-01T00:00:00Z", 10_800), ("Pacific/Apia", "2011-12-30T09:59:59Z", -36_000),
    ("Pacific/Apia", "2011-12-30T10:00:00Z", 50_400), ("UTC", "2026-01-01T00:00:00Z", 0),
  ])
  func offsetsAreThoseOfThePlaces(_ name: String, _ time: String, _ offset: Int) throws {
    #expect(try TimeZoneFiles.load(name).offset(at: try #require(UnixTime(time))) == offset)
  }

  @Test func misspeltNamesAreGuessed() {
    for (name, guess) in [
      ("Europe/Berln", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("Berlin", "Europe/Berlin"),
      ("America/NewYork", "America/New_York"), ("Austrialia/Sydney", "Australia/Sydney"),
      ("America/Berlin", "Europe/Berlin"), ("Berln", "Europe/Berlin"),
    ] {
      let error = #expect(throws: TimeZoneError.self) { try TimeZoneFiles.load(name) }
      guard case .unknown(name, let closest)? = error else {
        Issue.record("\(name): \(String(describing: error))")
        continue
      }
      #expect(closest.first == guess && closest.count <= 3)
      #expect(error?.description.hasPrefix("unknown time zone '\(name)'; did you mean '\(guess)'") == true)
    }
  }

  @Test(arguments: ["", "/etc/passwd", "../zoneinfo/UTC", "Europe", "tzdata.zi", "zone.tab", "Nowhere/At_All", "\0"])
  func whatIsNoZoneIsRefused(_ name: String) {
    #expect(throws: TimeZoneError.self) { try TimeZoneFiles.load(name) }
  }

  @Test func aFolderWithoutZonesIsNamed() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("zones-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(throws: TimeZoneError.noData(zone: "Europe/Berlin", folder: folder.path)) {
      try TimeZoneFiles.load("Europe/Berlin", from: folder.path)
    }
    try Data("TZif2 and nothing more".utf8).write(to: folder.appendingPathComponent("Broken"))
    #expect(throws: TimeZoneError.broken("Broken", file: "\(folder.path)/Broken")) {
      try TimeZoneFiles.load("Broken", from: folder.path)
    }
    #expect(try TimeZoneFiles.load("UTC", from: folder.path) == .utc)
  }

  /// Every zone is read, and agrees with its rule where both speak.
  @Test func everyZoneOfThisMachineIsRead() throws {
    let names = TimeZoneFiles.names(in: "/usr/share/zoneinfo")
    #expect(names.count > 300)
    for name in names { _ = try TimeZoneFiles.load(name) }
    let berlin = try TimeZoneFiles.load("Europe/Berlin")
    let rule = try #require(TimeZoneOffsets(name: "Berlin", rule: "CET-1CEST,M3.5.0,M10.5.0/3"))
    for hour in 0..<(24 * 365 * 3) {
      let time = try #require(UnixTime("2035-01-01T00:00:00Z")) + .seconds(Int64(hour) * 3_600)
      guard berlin.offset(at: time) != rule.offset(at: time) else { continue }
      Issue.record("Europe/Berlin at \(time)")
      return
    }
  }

  /// Bytes that are cut off or changed give a zone or nothing, and never a crash.
  @Test func brokenBytesNeverTrap() throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/America/New_York")))
    for length in stride(from: 0, to: bytes.count, by: 11) {
      #expect(TimeZoneOffsets(name: "cut", data: Array(bytes[..<length])) == nil)
    }
    for place in stride(from: 0, to: bytes.count, by: 3) {
      for value in [0, 0xff] as [UInt8] {
        var changed = bytes
        changed[place] = value
        _ = TimeZoneOffsets(name: "changed", data: changed)
      }
    }
  }
}
