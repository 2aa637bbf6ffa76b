// Goal: every example that the documentation shows of the libraries is repeated, word for word, in a test that runs it.

import Foundation
import Testing

struct ExampleTests {
  /// Which tests repeat the examples of which page: the page's fenced Swift blocks, all of them.
  private static let pages = [
    (page: "docs/embedding.md", tests: "Tests/TailraceRuntimeTests", prefix: "EmbeddingExamples"),
    (page: "docs/observability.md", tests: "Tests/TailraceObservabilityTests", prefix: "ObservabilityExamples"),
  ]

  /// The articles of the libraries; their examples are in the tests of each.
  private static let articles = ["TailraceCore", "TailraceRuntime", "TailraceObservability"].flatMap { module in
    Repository.files(in: "Sources/\(module)/\(module).docc", endings: [".md"]).map { file in
      (page: file.path, tests: "Tests/\(module)Tests", prefix: "ArticleExamples")
    }
  }

  @Test func everyConceptHasAnArticleWithExamples() {
    let withExamples = Self.articles.filter { article in
      (try? String(contentsOf: Repository.root.appendingPathComponent(article.page), encoding: .utf8))
        .map { !Self.examples(in: $0).isEmpty } ?? false
    }
    // The first pages of the scheduler and of its core are lists of links.
    #expect(withExamples.count == Self.articles.count - 2 && withExamples.count >= 12)
  }

  @Test(arguments: articles)
  func everyExampleOfAnArticleIsATest(page: String, tests: String, prefix: String) throws {
    try compare(page, tests, prefix)
  }

  /// The first page, and the comments on what the libraries declare: whatever an example needs may stand elsewhere.
  @Test func everyExampleOfTheFirstPageAndOfACommentIsATest() throws {
    let tests = "Tests/TailraceRuntimeTests/CommentExamples.swift"
    let code = Self.withoutIndentation(try Self.text(of: tests))
    var count = 0
    for example in Self.examples(in: try Self.text(of: "README.md")) {
      count += 1
      let body = example.split(separator: "\n").filter { !$0.hasPrefix("import ") }.joined(separator: "\n")
      #expect(code.contains(Self.withoutIndentation(body)), "README.md: \(tests) does not repeat:\n\(body)")
    }
    for module in ["TailraceCore", "TailraceRuntime", "TailraceObservability"] {
      for file in Repository.files(in: "Sources/\(module)", endings: [".swift"]) {
        let comments = file.text.split(separator: "\n").map { $0.drop { $0 == " " } }.filter { $0.hasPrefix("///") }
          .map { $0.dropFirst($0.hasPrefix("/// ") ? 4 : 3) }
        for example in Self.examples(in: comments.joined(separator: "\n")) {
          count += 1
          #expect(
            code.contains(Self.withoutIndentation(example)), "\(file.path): \(tests) does not repeat:\n\(example)")
        }
      }
    }
    #expect(count >= 6)
  }

  private static func text(of path: String) throws -> String {
    try String(contentsOf: Repository.root.appendingPathComponent(path), encoding: .utf8)
  }

  @Test(arguments: pages)
  func everyExampleIsATest(page: String, tests: String, prefix: String) throws {
    let examples = try compare(page, tests, prefix)
    #expect(examples > 0, "\(page) has no examples")
  }

  /// Returns how many examples the page has.
  @discardableResult
  private func compare(_ page: String, _ tests: String, _ prefix: String) throws -> Int {
    let text = try String(contentsOf: Repository.root.appendingPathComponent(page), encoding: .utf8)
    let code = Repository.files(in: tests, endings: [".swift"])
      .filter { $0.path.dropFirst(tests.count + 1).hasPrefix(prefix) }
      .map { Self.withoutIndentation($0.text) }.joined(separator: "\n")
    let examples = Self.examples(in: text)
    // A reader has the page alone: what an example names is declared there too.
    let shown = examples.joined(separator: "\n")
    let declaration = /\b(?:struct|class|enum|actor|protocol) (\w+)/
    let declared = Set(shown.matches(of: declaration).map { $0.1 })
    for name in Set(code.matches(of: declaration).map { $0.1 }).subtracting(declared)
    where shown.contains(try Regex("\\b\(name)\\b")) {
      Issue.record("\(page): an example names \(name), which the page does not declare")
    }
    for example in examples where !code.contains(Self.withoutIndentation(example)) {
      Issue.record("\(page): no test in \(tests)/\(prefix)*.swift repeats this example:\n\(example)")
    }
    return examples.count
  }

  static func examples(in text: String) -> [String] {
    text.components(separatedBy: "```swift\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
  }

  /// Tests are indented by their struct and function.
  static func withoutIndentation(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.drop { $0 == " " } }.joined(separator: "\n")
      .trimmingCharacters(in: .newlines)
  }

  @Test func thePageOfTheProgramsShowsWhatTheyPrint() throws {
    let expected = Repository.files(in: "Examples/Expected", endings: [".txt"])
    #expect(expected.count == 2)
    let page = try String(contentsOf: Repository.root.appendingPathComponent("Examples/README.md"), encoding: .utf8)
    for file in expected where !page.contains("```\n" + file.text + "```") {
      Issue.record("Examples/README.md does not show what is in \(file.path)")
    }
  }

  @Test func examplesAreFoundAndComparedWithoutTheirIndentation() {
    let page = "text\n```swift\nlet a = 1\nif a > 0 {\n  a()\n}\n```\nmore\n```yaml\nno: swift\n```\n"
    #expect(Self.examples(in: page) == ["let a = 1\nif a > 0 {\n  a()\n}\n"])
    let test = "  @Test func x() {\n    let a = 1\n    if a > 0 {\n      a()\n    }\n  }\n"
    #expect(Self.withoutIndentation(test).contains(Self.withoutIndentation(Self.examples(in: page)[0])))
  }
}
