import TailraceTimeZones

/// The known names that a misspelt word may have meant, the closest first: those within a third of its length.
///
/// - Parameter limit: At most so many.
package func closestNames(to word: String, among known: [String], limit: Int = 3) -> [String] {
  let word = word.lowercased()
  let near = known.enumerated()
    .map { (name: $0.element, order: $0.offset, distance: editDistance(word, $0.element.lowercased())) }
    .filter { $0.distance <= max(1, word.count / 3) || ($0.name.hasPrefix(word) && word.count > 1) }
  return near.sorted { ($0.distance, $0.order) < ($1.distance, $1.order) }.prefix(limit).map(\.name)
}
