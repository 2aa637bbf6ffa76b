// Goal: what a failed system said is kept line by line, and read from results that kept it as one text.

import Foundation
import Testing

@testable import TailraceMeasurement

@Suite struct RunFailureTests {
  private let failure = RunFailure(
    system: "exec:./d", words: "exec:./d failed; it said last:\none\r\n\n\ttwo\rthree\nfour\n", isPrimary: true)

  @Test func eachLineIsOne() {
    #expect(failure.lines == ["exec:./d failed; it said last:", "one", "    two", "three", "four"])
    #expect(failure.line == "exec:./d failed; it said last: one;     two; three; and 1 more")
    #expect(failure.lines(in: "s").first == "s: exec:./d failed; it said last:")
    #expect(RunFailure(system: "live", words: "no", isPrimary: true).line(in: "s") == "s on live: no")
    #expect(RunFailure(system: "live", words: "", isPrimary: true).words(in: "s") == "s on live: ")
  }

  @Test func itIsReadAsItWasWritten() throws {
    #expect(try JSONDecoder().decode(RunFailure.self, from: JSONEncoder().encode(failure)) == failure)
    let former = #"{"system": "live", "isPrimary": true, "words": "a\\u{a}b"}"#
    #expect(try JSONDecoder().decode(RunFailure.self, from: Data(former.utf8)).lines == ["a", "b"])
  }
}
