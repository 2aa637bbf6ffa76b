// Goal: nothing that a run says becomes markup; axes carry round numbers; colours can be read on their paper.

import Testing

@testable import TailraceReport

struct HypertextTests {
  @Test func wordsAndAttributesAreEscaped() {
    var html = HTML()
    html.element("p", ["title": "a \"b\" <c>"], "1 < 2 & 'x'\u{0}")
    #expect(html.text == #"<p title="a &quot;b&quot; &lt;c&gt;">1 &lt; 2 &amp; &#39;x&#39;\u{0}</p>"# + "\n")
  }

  @Test func marksBecomeElements() {
    func prose(_ words: String) -> String { HTML(prose: words).text }
    #expect(prose("**a** and `b<c` *d*") == "<strong>a</strong> and <code>b&lt;c</code> <em>d</em>")
    #expect(prose("2 * 3 ** 4 `open") == "2 * 3 ** 4 `open")
    #expect(prose("`a*b*c`") == "<code>a*b*c</code>")
    #expect(prose("") == "")
  }

  @Test func identifiersHaveNoMarkup() {
    #expect(HTML.identifier("Queue depth <1>") == "queue-depth--1-")
  }
}

struct ScaleTests {
  @Test func linearTicksAreRound() {
    let scale = Scale.linear(to: 873, label: Scale.shortNumber)
    #expect(scale.ticks.map(\.label) == ["0", "500", "1,000"])
    #expect(scale.high == 1_000 && scale.place(500) == 0.5)
    #expect(Scale.linear(to: 0, label: Scale.shortNumber).place(0) == 0)
    #expect(Scale.linear(from: -0.1, to: 0.1, label: { HumanUnits.share($0) }).low <= -0.1)
  }

  @Test func openAxesEndWhereTheDataDo() {
    let scale = Scale.time(to: 5.03e9, count: 5, isOpen: true)
    #expect(scale.high == 5.03e9)
    #expect(scale.ticks.map(\.label) == ["0", "2 s", "4 s"])
  }

  @Test func longTimesAreCutAsClocksAre() {
    #expect(Scale.time(to: 3_600e9, count: 4).ticks.map(\.label) == ["0", "20 min", "40 min", "60 min"])
    #expect(Scale.time(to: 100e9, count: 4).ticks.map(\.label) == ["0", "30 s", "60 s", "90 s", "2 min"])
    #expect(Scale.time(to: 12 * 86_400e9, count: 4).high >= 12 * 86_400e9)
  }

  @Test func logarithmicAxesHaveDecadesOrTheirParts() {
    let wide = Scale.logarithmic(from: 900, to: 4e9, label: Scale.shortTime)
    #expect(wide.low == 500 && wide.high == 5e9)
    #expect(wide.ticks.map(\.label).contains("1 ms"))
    #expect(wide.ticks.count <= 8)
    let narrow = Scale.logarithmic(from: 1e6, to: 9e6, label: Scale.shortTime)
    #expect(narrow.ticks.map(\.label) == ["1 ms", "2 ms", "5 ms", "10 ms"])
    #expect(abs(narrow.place(1e6 * 10.squareRoot()) - 0.5) < 1e-9)
    #expect(narrow.place(0) == 0, "what cannot be on it is put at its end")
  }

  @Test func everyNineHasTheSameRoom() {
    let scale = Scale.percentile(samples: 9_999)
    #expect(scale.ticks.map(\.label) == ["50 %", "90 %", "99 %", "99.9 %", "99.99 %"])
    let places = [0, 90, 99, 99.9, 99.99].map(scale.place)
    for (index, place) in places.enumerated() { #expect(abs(place - Double(index) / 4) < 1e-6) }
    #expect(Scale.percentile(samples: 1).ticks.last?.label == "90 %", "few samples still have an axis")
  }

  @Test(arguments: [(0.0013, 0.002), (1, 1), (3, 5), (7, 10), (0.5, 0.5)])
  func stepsAreOneTwoOrFive(step: Double, nice: Double) { #expect(abs(Scale.niceStep(step) / nice - 1) < 1e-9) }
}

struct PaletteTests {
  @Test func textStandsOutFromItsPaper() {
    for tone in Palette.texts {
      for (paper, shade, colour) in [
        (Palette.paper.light, Palette.shade.light, tone.light), (Palette.paper.dark, Palette.shade.dark, tone.dark),
      ] {
        #expect(Palette.contrast(colour, paper) >= 4.5, "\(tone.name)")
        #expect(Palette.contrast(colour, shade) >= 4.5, "\(tone.name) on a shade")
      }
    }
  }

  @Test func linesStandOutFromTheirPaper() {
    for tone in Palette.series {
      // Names of lines have their colour too.
      #expect(Palette.contrast(tone.light, Palette.paper.light) >= 4.5, "\(tone.name), light")
      #expect(Palette.contrast(tone.dark, Palette.paper.dark) >= 4.5, "\(tone.name), dark")
    }
    #expect(Set(Palette.dashes).count == Palette.series.count, "each line has a dash of its own")
  }

  @Test func contrastIsThatOfTheStandard() {
    #expect(abs(Palette.contrast("#000000", "#ffffff") - 21) < 1e-9)
    #expect(abs(Palette.contrast("#777777", "#ffffff") - 4.48) < 0.01)
  }
}
