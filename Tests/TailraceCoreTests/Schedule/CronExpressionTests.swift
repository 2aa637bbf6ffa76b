// Goal: what is a cron expression is read as written, and what is none is refused with all its problems at once.
import TailraceCore
import Testing

@Suite struct CronExpressionTests {
  @Test func theTextIsKept() throws {
    for text in ["*/15 9-17 * jan MON-fri", "@Daily", "0 0 * * 7"] {
      #expect(try CronExpression(text).description == text)
    }
  }

  /// The expression, then each problem as field and part.
  @Test(arguments: [
    ("", ["none:"]),
    ("* * * *", ["none:* * * *"]),
    ("* * * * * *", ["none:* * * * * *"]),
    ("@reboot", ["none:@reboot"]),
    ("60 24 32 13 8", ["minute:60", "hour:24", "dayOfMonth:32", "month:13", "dayOfWeek:8"]),
    ("61,62 * * * *", ["minute:61", "minute:62"]),
    ("-1 * 0 0 *", ["minute:-1", "dayOfMonth:0", "month:0"]),
    ("a b c FOO BAR", ["minute:a", "hour:b", "dayOfMonth:c", "month:FOO", "dayOfWeek:BAR"]),
    ("17-9 * * * *", ["minute:17-9"]),
    ("* 1-2-3 * * *", ["hour:1-2-3"]),
    ("*/0 */24 * * *", ["minute:*/0", "hour:*/24"]),
    ("*/x 5/15 * * *", ["minute:*/x", "hour:5/15"]),
    ("1,,2 , * * *", ["minute:", "hour:", "hour:"]),
    ("JAN * * * *", ["minute:JAN"]),
    ("+5 * * * 1.5", ["minute:+5", "dayOfWeek:1.5"]),
    ("0 0 30 2 *", ["dayOfMonth:30 in month 2"]),
    ("0 0 31 FEB,APR,jun *", ["dayOfMonth:31 in month FEB,APR,jun"]),
    ("0 0 30 2 */2", ["dayOfMonth:30 in month 2"]),
    ("0 0 L * ?", ["dayOfMonth:L", "dayOfWeek:?"]),
  ])
  func problemsAreNamedAllAtOnce(_ text: String, _ problems: [String]) {
    do {
      _ = try CronExpression(text)
      Issue.record("'\(text)' was read")
    } catch {
      #expect(error.problems.map { "\($0.field.map { "\($0)" } ?? "none"):\($0.text)" } == problems)
      #expect(error.expression == text)
      #expect(error.description.hasPrefix("cron expression '\(text)': "))
      for problem in error.problems { #expect(problem.allowed.count > 10, "no word of what is allowed: \(problem)") }
    }
  }

  @Test func problemsSayWhatIsAllowed() {
    let error = #expect(throws: CronError.self) { try CronExpression("0 25 * FOO 5/2") }
    #expect(
      error?.description
        == "cron expression '0 25 * FOO 5/2': hour '25': '25' is none of its values; write 0 to 23; "
        + "month 'FOO': 'FOO' is none of its values; write 1 to 12 or JAN to DEC; "
        + "day of the week '5/2': a step needs a range; write 5-7/2")
  }

  /// Whatever the bytes, reading ends, and what is read fires.
  @Test func randomTextsNeverTrap() throws {
    let words = [
      "*", "/", "-", ",", "0", "5", "7", "29", "59", "99999999999999999999", "MON", "feb", "@", " ", "\t", "é",
    ]
    for seed in 1...2_000 as ClosedRange<UInt64> {
      var random = SwarmRandom(seed: seed)
      let text = (0..<random.number(0...12)).map { _ in random.pick(words) }.joined()
      if let expression = try? CronExpression(text) {
        #expect(Recurrence.cron(expression, .utc).next(after: .epoch) != nil, "seed \(seed): '\(text)' never fires")
      }
    }
  }
}
