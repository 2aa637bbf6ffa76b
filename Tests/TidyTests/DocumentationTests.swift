// Goal: everything that an embedding package can see says what it means. The formatter's rule looks at what is marked
// `public`; cases of public enumerations and requirements of public protocols are public without a mark.

import Foundation
import Testing

struct DocumentationTests {
  /// The library products that are meant for embedding, and what they export.
  private static let libraries = ["TailraceCore", "TailraceTimeZones", "TailraceRuntime", "TailraceObservability"]

  @Test(arguments: libraries)
  func publicDeclarationsSayWhatTheyMean(library: String) {
    let files = Repository.sources(in: "Sources/\(library)")
    #expect(files.count > 0)
    var declarations = 0
    for file in files {
      let (found, silent) = Self.declarations(in: file)
      declarations += found
      for line in silent {
        let text = file.lines[line].trimmingCharacters(in: .whitespaces)
        Issue.record("\(file.path):\(line + 1): say with /// what this means: \(text)")
      }
    }
    #expect(declarations > 0, "\(library) has no public declarations")
  }

  /// How many public declarations a file has, and the places of those without a comment.
  static func declarations(in file: SourceFile) -> (found: Int, silent: [Int]) {
    /// For each open brace the declarations directly within that are public without a mark.
    var open: [Set<String>] = []
    var (found, silent) = (0, [Int]())
    for (index, line) in file.code.enumerated() {
      let text = line.trimmingCharacters(in: .whitespaces)
      let words = text.split { !$0.isLetter }.prefix(5).map(String.init)
      let isMarked = words.contains("public") && !words.contains("import")
      let isImplied = !text.hasPrefix("@") && !(open.last ?? []).isDisjoint(with: words)
      // What an extension extends is described where it is declared.
      if isMarked && !words.contains("extension") || isImplied {
        found += 1
        if !isDocumented(index, in: file) { silent.append(index) }
      }
      var implied: Set<String> = []
      if isMarked && words.contains("enum") { implied = ["case"] }
      if isMarked && words.contains("protocol") { implied = ["var", "func", "init", "subscript", "associatedtype"] }
      for character in text {
        if character == "{" { open.append(implied) }
        if character == "}" { _ = open.popLast() }
        if character == "{" { implied = [] }
      }
    }
    return (found, silent)
  }

  /// Whether the lines before are a comment, attributes aside.
  private static func isDocumented(_ index: Int, in file: SourceFile) -> Bool {
    for line in file.lines[..<index].reversed() {
      let text = line.trimmingCharacters(in: .whitespaces)
      if text.hasPrefix("@") { continue }
      return text.hasPrefix("///")
    }
    return false
  }

  @Test func casesAndRequirementsCountAsPublic() {
    let text = """
      /// Said.
      public enum E {
        case silent
        /// Said.
        case said
        var internal: Int { switch self { case .silent: 0 case .said: 1 } }
      }
      /// Said.
      public protocol P {
        /// Said.
        @available(*, deprecated)
        func said()
        func silent()
      }
      enum F { case hidden }
      public func silent() {}
      extension E {
        public var silent: Int { 0 }
      }
      """
    let (found, silent) = Self.declarations(in: SourceFile(path: "Sources/A/b.swift", text: text))
    #expect(silent.map { $0 + 1 } == [3, 13, 16, 18])
    #expect(found == 8)
  }
}
