import TailraceCore
import TailraceSpelling
import TailraceTimeZones

extension ScenarioReader {
  /// Parses `starts_at:`, a time in UTC.
  mutating func readStart(_ node: YAMLNode?) -> UnixTime {
    let allowed = "write a time in UTC from 1970 to 2199, such as 2026-03-29T00:00:00Z"
    guard let node, let text = text(node, "starts_at", allowed: allowed) else { return Scenario.usualStart }
    guard let time = UnixTime(text), time >= .epoch, time < Self.latestStart else {
      report(node.place, "starts_at: '\(text)' is not a valid time; \(allowed)")
      return Scenario.usualStart
    }
    return time
  }

  /// 2200-01-01T00:00:00Z, which leaves room for decades of arrivals.
  private static let latestStart = UnixTime(nanoseconds: 7_258_118_400_000_000_000)

  /// Parses `interval:` or `cron:` with its `time_zone:`.
  mutating func readRecurring(_ kind: String, _ value: YAMLNode, _ zone: YAMLNode?, _ what: String) -> Arrivals? {
    if kind == "interval" {
      return span(value, "\(what).interval").map {
        .recurring(RecurringArrivals(recurrence: .every($0.duration), zero: startsAt))
      }
    }
    if case .scalar(let text) = value.content, text.lowercased().hasPrefix("@every") {
      return every(text, value.place, "\(what).cron", zone)
    }
    let expression = cronExpression(value, "\(what).cron")
    let offsets = zone.map { timeZone($0, "\(what).time_zone") } ?? .utc
    guard let expression, let offsets else { return nil }
    return .recurring(RecurringArrivals(recurrence: .cron(expression, offsets), zero: startsAt))
  }

  /// Parses `@every 5m`, as in Go's cron packages: the first slot is one interval after the start of the run.
  private mutating func every(_ text: String, _ place: Place, _ what: String, _ zone: YAMLNode?) -> Arrivals? {
    if let zone { report(zone.place, "\(what): @every has no time zone; remove time_zone:") }
    do throws(QuantityProblem) {
      let interval = try QuantityText.duration(text.dropFirst("@every".count))
      if interval <= .zero { throw QuantityProblem("'\(text)' is zero", allowed: "write an interval above zero") }
      let recurrence = Recurrence.every(interval.duration, anchor: startsAt + interval)
      return .recurring(RecurringArrivals(recurrence: recurrence, zero: startsAt))
    } catch {
      report(place, "\(what): \(error.description)")
      return nil
    }
  }

  private mutating func cronExpression(_ node: YAMLNode, _ what: String) -> CronExpression? {
    let allowed = "write a cron expression in quotes, such as \"*/15 9-17 * * MON-FRI\""
    guard let text = text(node, what, allowed: allowed) else { return nil }
    guard text.utf8.count <= 200, VisibleText.line(text) == text else {
      report(node.place, "\(what): '\(text)' is not a cron expression; \(allowed)")
      return nil
    }
    do {
      return try CronExpression(text)
    } catch {
      let once = "; for a single arrival write batch: 1"
      report(
        node.place,
        "\(what): " + error.problems.map(\.description).joined(separator: "; ")
          + (text.lowercased() == "@reboot" ? once : ""))
      return nil
    }
  }

  private mutating func timeZone(_ node: YAMLNode, _ what: String) -> TimeZoneOffsets? {
    let allowed = "write a name from the IANA database, such as Europe/Berlin"
    guard let name = text(node, what, allowed: allowed) else { return nil }
    do {
      return try TimeZoneFiles.load(name)
    } catch {
      report(node.place, "\(what): \(error.description)")
      return nil
    }
  }
}
