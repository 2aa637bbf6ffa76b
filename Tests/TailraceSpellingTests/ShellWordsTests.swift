// Goal: a command line of a report, pasted into a shell or read back, has the words that it was made of.

import Testing
import TailraceSpelling

struct ShellWordsTests {
  @Test func plainWordsStayAsTheyAre() {
    #expect(
      ShellWords.line(["tailrace", "run", "a/b.yaml", "--set", "x=1,2:3%+@"])
        == "tailrace run a/b.yaml --set x=1,2:3%+@")
    #expect(ShellWords.line(["", "a b", "größe", "it's"]) == #"'' 'a b' 'größe' 'it'\''s'"#)
  }

  @Test func wordsAreReadBack() {
    for words in [
      ["tailrace", "run"], [""], ["", ""], ["it's", "'", "''", "a'b'c"], ["a b", " ", "  x  "],
      [#"back\slash"#, #"\"#],
      ["größe", "日本", "🙂", "e\u{301}"], ["a\nb", "$HOME", "\"q\"", "*"],
    ] {
      #expect(ShellWords.words(of: ShellWords.line(words)) == words)
    }
    #expect(ShellWords.words(of: "  a   b ") == ["a", "b"] && ShellWords.words(of: "").isEmpty)
    // Not made here.
    #expect(ShellWords.words(of: "a 'open") == ["a", "open"] && ShellWords.words(of: #"a\ b"#) == ["a b"])
  }
}
