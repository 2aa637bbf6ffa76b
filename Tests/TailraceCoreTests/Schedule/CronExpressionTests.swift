// Goal: what is a cron expression is read as written, and what is none is refused with all its problems at once.
import TailraceCore
import Testing

@Suite struct CronExpressionTests {
  @Test func theTextIsKept() throws {
    for text in [
      "*/15 9-17 * jan MON-fri", "@Daily", "0 0 * * 7", "0 0 12 ? * MON *", "*/5 * * * * *", "0 0 lw * ?",
      "0 0/5 14 * * ?",
    ] {
      #expect(try CronExpression(text).description == text)
    }
  }

  /// The expression, then each problem as field and part.
  @Test(arguments: [
    ("", ["none:"]),
    ("* * * *", ["none:* * * *"]),
    ("* * * * * * * *", ["none:* * * * * * * *"]), ("0 0 12 ? * MON 2026", ["none:2026"]),
    ("60 * * * * *", ["second:60"]), ("@every 5m", ["none:@every 5m"]), ("@daily 5", ["none:@daily 5"]),
    ("15 12 ? * MON-FRI *", ["none:15 12 ? * MON-FRI *"]), ("cron(0 10 * * ? *)", ["none:cron(0 10 * * ? *)"]),
    ("0 0 L-31 * *", ["dayOfMonth:L-31"]), ("0 0 L5 * *", ["dayOfMonth:L5"]), ("0 0 32W * *", ["dayOfMonth:32W"]),
    ("0 0 W * *", ["dayOfMonth:W"]), ("0 0 * * L", ["dayOfWeek:L"]), ("0 0 * * 8L", ["dayOfWeek:8L"]),
    ("0 0 * * FRI#6", ["dayOfWeek:FRI#6"]), ("0 0 * * #2", ["dayOfWeek:#2"]),
    ("0 0 * * FRI#2#1", ["dayOfWeek:FRI#2#1"]),
    ("? ? * ? *", ["minute:?", "hour:?", "month:?"]), ("0 0 12 ? * 2-6", ["dayOfWeek:2-6"]),
    ("0 0 12 ? * 6#3", ["dayOfWeek:6#3"]), ("0 0 31W 2 *", ["dayOfMonth:31W in month 2"]),
    ("H H(0-7) * * *", ["minute:H", "hour:H(0-7)"]),
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
        == "cron expression '0 25 * FOO 5/2': hour '25': '25' is not an allowed value; write 0 to 23; "
        + "month 'FOO': 'FOO' is not an allowed value; write 1 to 12 or JAN to DEC; "
        + "day of the week '5/2': a step needs a range; write 5-7/2")
  }

  /// Whatever the bytes, reading ends, and what is read fires.
  @Test func randomTextsNeverTrap() throws {
    let words = [
      "*", "/", "-", ",", "0", "5", "7", "29", "59", "99999999999999999999", "MON", "feb", "@", " ", "\t", "é",
      "L", "W", "#", "?", " * * ",
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
