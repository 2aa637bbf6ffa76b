/// The parts of a table, for every kind of document. Documents recognize numbers and verdicts by these types, never by
/// the text of a title or a cell.
enum Table {
  struct Column: Hashable, ExpressibleByStringInterpolation {
    enum Kind {
      case words
      /// Right-aligned.
      case number
      /// Its cells are verdicts.
      case verdict
    }
    var title: String
    var kind = Kind.words

    init(_ title: String, _ kind: Kind) {
      self.title = title
      self.kind = kind
    }
    init(stringLiteral title: String) { self.title = title }

    static func number(_ title: String) -> Column { Column(title, .number) }
    static func verdict(_ title: String) -> Column { Column(title, .verdict) }
  }

  enum Cell: Hashable, ExpressibleByStringInterpolation {
    case words(String)
    case verdict(VerdictLabel)

    init(stringLiteral words: String) { self = .words(words) }

    /// The cell's text in a Markdown table.
    var markdown: String {
      switch self {
      case .words(let words): words
      case .verdict(let label): label.markdown
      }
    }
  }
}

extension [Table.Cell] {
  init(words: [String]) { self = words.map { .words($0) } }
}
