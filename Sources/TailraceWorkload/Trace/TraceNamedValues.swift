import TailraceSpelling
import TailraceText

/// Values of a column that a scenario names, such as those of failures, and which of them no row has contained so far.
struct TraceNamedValues {
  private let key: String
  private let column: String
  private let place: Int
  private var unseen: [String]
  /// A sample of the column's values, with the number of rows so far.
  private var samples: [String] = []

  /// The values that a request names.
  static func all(in request: TraceRequest, _ places: TracePlaces) -> [TraceNamedValues] {
    var all: [TraceNamedValues] = []
    if let place = places.outcome, let column = request.outcome, !request.failures.isEmpty {
      all.append(TraceNamedValues("failed", column, place, request.failures.sorted()))
    }
    if let place = places.priority, let column = request.priority, !request.priorities.isEmpty {
      all.append(TraceNamedValues("priorities", column, place, request.priorities.keys.sorted()))
    }
    for (filter, found) in zip(request.filters, places.filters) {
      all.append(TraceNamedValues("where", filter.column, found.place, filter.values))
    }
    return all
  }

  private init(_ key: String, _ column: String, _ place: Int, _ values: [String]) {
    self.key = key
    self.column = column
    self.place = place
    unseen = values
  }

  /// Whether some values were not found yet.
  var isOpen: Bool { !unseen.isEmpty }

  mutating func see(_ row: TextRow, line: Int) throws(TextProblem) {
    let text = try row.text(place, column: column, line: line)
    unseen.removeAll { $0 == text }
    if samples.count < 8, !samples.contains(text) { samples.append(text) }
  }

  /// Like ``remark``, without the column's actual values.
  var remarkOnNames: String? {
    guard !unseen.isEmpty else { return nil }
    let values = unseen.map { "'\(VisibleText.quoted($0))'" }.joined(separator: ", ")
    return "\(key) names \(values), which no row has in the column \(VisibleText.quoted(column))"
  }

  /// A remark about values that occur in no row; nil: all occur.
  var remark: String? {
    guard let names = remarkOnNames else { return nil }
    let found = samples.map { "'\(VisibleText.quoted($0))'" }.joined(separator: ", ")
    return "\(names); " + (samples.isEmpty ? "it has no rows" : "it has \(found)\(samples.count == 8 ? ", …" : "")")
  }
}
