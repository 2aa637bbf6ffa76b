/// The known names that an unknown word may have meant, best match first.
///
/// These come first: the same word in another case or with other separators; the words of ``Synonyms``; names of which
/// the last part is the word (`scheduler.workers` for `workers`). Where there are none: names within a third of the
/// word's length in edits, and those that begin with the word; then names that are a part of it.
///
/// - Parameter limit: The maximum number of names.
package func closestNames(to word: String, among known: [String], limit: Int = 3) -> [String] {
  let plain = plainForm(word)
  guard !plain.isEmpty else { return [] }
  let exact = known.filter { plainForm($0) == plain }
  if !exact.isEmpty { return Array(exact.prefix(limit)) }
  let synonyms = Synonyms.of(plain).filter(known.contains)
  if !synonyms.isEmpty { return Array(synonyms.prefix(limit)) }
  let parts = known.filter { name in name.contains(".") && plainForm(lastPart(of: name)) == plain }
  if !parts.isEmpty { return Array(parts.prefix(limit)) }
  let near = known.enumerated()
    .map { (name: $0.element, order: $0.offset, distance: editDistance(plain, plainForm($0.element))) }
    .filter { isNear(plain, $0.name, $0.distance) }
    .sorted { ($0.distance, $0.order) < ($1.distance, $1.order) }
  if let best = near.first {
    // What is farther than the nearest was hardly meant.
    return near.prefix { $0.distance == best.distance }.prefix(limit).map(\.name)
  }
  // `concurrency_limit` for `concurrency`.
  let words = Set(plain.split(separator: "_").map(String.init))
  let within = known.filter { $0.count > 3 && words.contains(plainForm($0)) }
  if !within.isEmpty { return Array(within.prefix(limit)) }
  let nearParts = known.filter { name in
    let part = plainForm(lastPart(of: name))
    return name.contains(".") && plain.count > 3 && editDistance(plain, part) <= max(1, plain.count / 4)
  }
  return Array(nearParts.prefix(limit))
}

/// `did you mean 'a' or 'b'? ` with a trailing space; empty if no name is similar.
package func didYouMean(_ word: String, among known: [String], limit: Int = 3) -> String {
  let names = closestNames(to: word, among: known, limit: limit)
  return names.isEmpty ? "" : "did you mean \(names.map { "'\($0)'" }.joined(separator: " or "))? "
}

private func isNear(_ word: String, _ name: String, _ distance: Int) -> Bool {
  if distance <= max(1, word.count / 3) { return distance < max(word.count, name.count) || word.count == 1 }
  return word.count > 1 && plainForm(name).hasPrefix(word)
}

private func lastPart(of name: String) -> String {
  guard let dot = name.lastIndex(of: ".") else { return name }
  return String(name[name.index(after: dot)...])
}

/// Lower case, every separator as `_`.
func plainForm(_ word: String) -> String {
  String(word.lowercased().map { $0 == "-" || $0 == " " ? "_" : $0 })
}
