/// How a load generator waits for the next intended arrival.
package enum Pacing: String, Sendable, Codable, CaseIterable {
  /// Sleeps until the arrival. Uses no CPU time; late by the machine's sleep error, about 50 to 150 µs.
  case sleep
  /// Sleeps until shortly before the arrival, then spins the last stretch, which follows how late sleeps have ended.
  /// The default: late by less than a microsecond in the median, at 15 to 50 % of a core at 1,000 jobs/s, and a whole
  /// core from about 7,000 jobs/s.
  case hybrid
  /// Spins all the way: the most punctual, and takes a whole core from the system under test.
  case spin
}
