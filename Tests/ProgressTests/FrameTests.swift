// Goal: what is drawn while a run or a comparison goes on says the same in every size of terminal, with and without
// colours, and never overflows it.

import TailraceCore
import TailraceHarness
import TailraceMeasurement
import Testing

@testable import tailrace

struct FrameTests {
  @Test(arguments: [FrameSize(width: 80, height: 24), .init(width: 40, height: 12), .init(width: 200, height: 50)])
  func aRunIsAsRecorded(_ size: FrameSize) throws {
    try expectGolden(plain(RunFrame.lines(Samples.history(), in: size)), "run-\(size.width)x\(size.height).txt")
  }

  @Test(arguments: [FrameSize(width: 80, height: 24), .init(width: 40, height: 12), .init(width: 120, height: 50)])
  func aComparisonIsAsRecorded(_ size: FrameSize) throws {
    let frames = [2, 5, 12].map { plain(ComparisonFrame.lines(Samples.comparison(round: $0), in: size)) }
    try expectGolden(frames.joined(separator: "\n"), "comparison-\(size.width)x\(size.height).txt")
  }

  @Test func terminalsWithoutUnicodeGetPlainCharacters() throws {
    let size = FrameSize(width: 80, height: 24)
    let run = plain(RunFrame.lines(Samples.history(), in: size, glyphs: .ascii))
    let comparison = plain(ComparisonFrame.lines(Samples.comparison(round: 5), in: size, glyphs: .ascii))
    try expectGolden(run + "\n" + comparison, "ascii-80x24.txt")
  }

  @Test func aFrameFitsEverySize() {
    let history = Samples.history()
    for width in 1...130 {
      for height in 1...30 {
        let size = FrameSize(width: width, height: height)
        for lines in [RunFrame.lines(history, in: size), ComparisonFrame.lines(Samples.comparison(round: 3), in: size)]
        {
          #expect(lines.count <= max(1, height - 1), "\(size)")
          #expect(lines.allSatisfy { $0.width < max(1, width) || $0.width == 0 }, "\(size)")
        }
      }
    }
  }

  @Test func verdictsAreWordsBesideTheirColours() {
    let lines = RunFrame.lines(Samples.history(), in: FrameSize(width: 80, height: 24))
    let colored = lines.map { $0.text(hasColor: true) }.joined(separator: "\n")
    #expect(colored.contains("\u{1B}[32m✓ met       \u{1B}[0m"))
    #expect(colored.contains("\u{1B}[31m✗ missed    \u{1B}[0m"))
    let text = plain(lines)
    #expect(!text.contains("\u{1B}"))
    for word in ["✓ met", "✗ missed", "· no samples", "… at the end"] { #expect(text.contains(word)) }
  }

  @Test func missedTargetsAreShownWhereNotAllFit() {
    let history = Samples.history { progress in
      progress.figures!.targets =
        (0..<30).map { TargetSoFar(expression: "easy\($0)", verdict: .met, unit: .time) } + [Samples.targets[1]]
    }
    let text = plain(RunFrame.lines(history, in: FrameSize(width: 80, height: 14)))
    #expect(text.contains("targets so far: 30 met, 1 missed; 5 shown\n✗ missed"), "\(text)")
  }

  @Test func missedTargetsAreShownInTheLowestTerminals() {
    for height in 4...10 {
      let text = plain(RunFrame.lines(Samples.history(), in: FrameSize(width: 60, height: height)))
      #expect(text.contains("targets so far: 1 met, 1 missed") == (height >= 7), "\(text)")
      #expect(text.contains("✗ missed") == (height >= 8), "\(text)")
    }
  }

  @Test func whatIsNotKnownIsNotInvented() {
    let history = Samples.history { $0.figures = nil }
    let text = plain(RunFrame.lines(history, in: FrameSize(width: 80, height: 24)))
    #expect(text.contains("throughput             –"))
    #expect(text.contains("queue depth            –"))
    #expect(!text.contains("targets"))
    #expect(RunFrame.lines(ProgressHistory(), in: FrameSize(width: 80, height: 24)).isEmpty)
  }

  @Test func virtualTimeWarmUpAndPartsAreNamed() {
    let history = Samples.history { progress in
      progress.virtualTime = .seconds(90)
      progress.figures!.isWarmingUp = true
      progress.figures!.share = 0.12
      progress.figures!.turnedAway = 7
    }
    let text = plain(RunFrame.lines(history, in: FrameSize(width: 100, height: 24)))
    #expect(text.contains("90.0 s of virtual time"))
    #expect(text.contains("warming up"))
    #expect(text.contains("from 12.0 % of the jobs"))
    #expect(text.contains("7 turned away"))
  }

  @Test func namesCannotMoveTheCursor() {
    #expect(FrameLine("a\u{1B}[2Jb\n\u{9B}c").text(hasColor: true) == #"a\u{1b}[2Jb\u{a}\u{9b}c"#)
  }

  @Test func intervalsNarrowOnAnAxisThatStays() {
    let size = FrameSize(width: 120, height: 30)
    func lengths(_ round: Int) -> (axis: String, length: Int) {
      let lines = ComparisonFrame.lines(Samples.comparison(round: round), in: size).map { $0.text(hasColor: false) }
      let row = lines.first { $0.hasPrefix("throughput") }!
      return (lines.first { $0.contains("0") && $0.hasPrefix("   ") }!, row.filter { "├─┼┤●".contains($0) }.count)
    }
    let rounds = [2, 4, 8, 12].map(lengths)
    #expect(Set(rounds.map(\.axis)).count == 1)
    #expect(zip(rounds, rounds.dropFirst()).allSatisfy { $0.length > $1.length })
  }

  @Test func plainLinesSayWhatIsKnown() {
    let history = Samples.history()
    #expect(
      ProgressText.plain(history.latest!) == """
        [1/2] orders on live: 30 s, 12,000 jobs submitted, 11,850 settled, 400 /s, queue 0, running 4, \
        response p99 12.3 ms, targets so far: 1 met 1 missed 1 no samples 1 at the end \
        (waiting{priority=high}.p99 < 5ms), 1 min 00 s left
        """)
    #expect(
      Samples.comparison(round: 5).plain == """
        main → candidate: round 5 of 12; throughput -2.40 % to +2.40 % unclear; response.p99 +7.20 % to +8.80 % worse; \
        waiting{priority=high}.p99 -30.0 % to -10.0 % better; processor_time –; 3 min 10 s left
        """)
  }

  @Test func theLastMinuteIsKept() {
    var history = ProgressHistory()
    for step in 0..<1_000 {
      var progress = SuiteProgress(
        scenario: "s", system: "live", index: 1, count: 1, jobs: 0, elapsed: .milliseconds(Int64(step) * 200), left: nil
      )
      progress.figures = LiveFigures()
      progress.figures!.throughput = Double(step)
      history.add(progress)
    }
    #expect(history.moments.count < 400)
    let columns = history.columns(6) { $0.throughput }
    #expect(columns.count == 6 && columns == columns.sorted { $0! < $1! })
    #expect(columns.first!! > 700 && columns.last!! < 1_000)
    let young = Samples.history().columns(60) { $0.throughput }
    #expect(young.prefix(29).allSatisfy { $0 == nil } && young.suffix(30).allSatisfy { $0 != nil })
  }
}
