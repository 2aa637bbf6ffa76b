/// The known names that an unknown word may have meant, best match first.
///
/// These come first: the same word in another case or with other separators; the words of ``Synonyms``; names whose
/// last part is that of the word (`scheduler.workers` for `workers`). Where there are none: names within a third of
/// the word's length in edits, and those that begin with the word; then names that are a part of it.
///
/// - Parameters:
///   - separator: The separator between the parts of a name.
///   - limit: The maximum number of names.
package func closestNames(
  to word: String, among known: [String], separator: Character = ".", limit: Int = 3
) -> [String] {
  let plain = plainForm(word)
  guard !plain.isEmpty else { return [] }
  let exact = known.filter { plainForm($0) == plain }
  if !exact.isEmpty { return Array(exact.prefix(limit)) }
  let synonyms = Synonyms.of(plain).filter(known.contains)
  if !synonyms.isEmpty { return Array(synonyms.prefix(limit)) }
  func lastPart(of name: String) -> String { String(name.split(separator: separator).last ?? "") }
  let end = lastPart(of: plain)
  let parts = known.filter { name in name.contains(separator) && plainForm(lastPart(of: name)) == end }
  if !parts.isEmpty {
    return Array((end == plain ? parts : nearest(to: plain, among: parts) { _, _ in true }).prefix(limit))
  }
  let near = nearest(to: plain, among: known) { isNear(plain, $0, $1) }
  if !near.isEmpty { return Array(near.prefix(limit)) }
  // `concurrency_limit` for `concurrency`.
  let words = Set(plain.split(separator: "_").map(String.init))
  let within = known.filter { $0.count > 3 && words.contains(plainForm($0)) }
  if !within.isEmpty { return Array(within.prefix(limit)) }
  let nearParts = known.filter { name in
    let part = plainForm(lastPart(of: name))
    return name.contains(separator) && plain.count > 3 && editDistance(plain, part) <= max(1, plain.count / 4)
  }
  return Array(nearParts.prefix(limit))
}

/// `did you mean 'a' or 'b'? ` with a trailing space; empty if no name is similar.
package func didYouMean(_ word: String, among known: [String], limit: Int = 3) -> String {
  didYouMean(closestNames(to: word, among: known, limit: limit))
}

/// The same about names that were found.
package func didYouMean(_ names: [String]) -> String {
  names.isEmpty ? "" : "did you mean \(names.map { "'\($0)'" }.joined(separator: " or "))? "
}

/// The acceptable names that take the fewest edits: what is farther than these was hardly meant.
private func nearest(
  to word: String, among known: [String], where isAcceptable: (_ name: String, _ distance: Int) -> Bool
) -> [String] {
  let found = known.map { (name: $0, distance: editDistance(word, plainForm($0))) }
    .filter { isAcceptable($0.name, $0.distance) }
  let best = found.map(\.distance).min()
  return found.filter { $0.distance == best }.map(\.name)
}

private func isNear(_ word: String, _ name: String, _ distance: Int) -> Bool {
  if distance <= max(1, word.count / 3) { return distance < max(word.count, name.count) || word.count == 1 }
  return word.count > 1 && plainForm(name).hasPrefix(word)
}

/// Lower case, every separator as `_`.
func plainForm(_ word: String) -> String {
  String(word.lowercased().map { $0 == "-" || $0 == " " ? "_" : $0 })
}
