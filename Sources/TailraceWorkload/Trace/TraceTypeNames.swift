/// Names of job types for the values of a log's column.
///
/// A name consists of at most 64 ASCII letters, digits, `_`, `-` and `.`. Other characters become `_`. A value that
/// would have no legible name, or share a name with another value, gets a suffix derived from the value itself, so the
/// name does not depend on the order of rows.
struct TraceTypeNames {
  /// By value, in the given order.
  private(set) var names: [String] = []

  /// - Parameter prefix: the column name to prepend; nil: none.
  init(of values: [String], prefix: String?) {
    let plain = values.map { value in
      Self.plain(prefix.map { "\($0)-\(value)" } ?? value, isEmpty: value.isEmpty)
    }
    let claims = Dictionary(grouping: plain, by: \.name).mapValues(\.count)
    var taken = Set(plain.filter { !$0.isChanged && claims[$0.name] == 1 }.map(\.name))
    // A value that is a valid name keeps it, whatever other values become.
    taken.formUnion(plain.filter { !$0.isChanged }.map(\.name))
    for (value, candidate) in zip(values, plain) {
      guard candidate.isChanged, !candidate.isLegible || claims[candidate.name]! > 1 || taken.contains(candidate.name)
      else {
        names.append(candidate.name)
        continue
      }
      let base = candidate.isLegible ? String(candidate.name.prefix(50)) : prefix ?? "type"
      var length = 4
      var name = "\(base)-\(Self.mark(value, length))"
      while !taken.insert(name).inserted {
        length += 1
        name = "\(base)-\(Self.mark(value, length))"
      }
      names.append(name)
    }
  }

  private static func plain(_ text: String, isEmpty: Bool) -> (name: String, isChanged: Bool, isLegible: Bool) {
    if text.isEmpty { return ("unnamed", true, true) }
    var (name, isChanged, legible) = ("", isEmpty, 0)
    for scalar in text.unicodeScalars {
      guard name.utf8.count < 64 else {
        isChanged = true
        break
      }
      if scalar.isASCII, scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
        name.unicodeScalars.append(scalar)
        legible += 1
      } else if "_-.".unicodeScalars.contains(scalar) {
        name.unicodeScalars.append(scalar)
      } else {
        name += "_"
        isChanged = true
      }
    }
    return (name, isChanged, legible > 0 || !isChanged)
  }

  /// Letters and digits derived from a value.
  private static func mark(_ value: String, _ length: Int) -> String {
    let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
    var (hash, text) = (StableHash(), "")
    hash.combine(value)
    for step in 0..<length {
      if step > 0, step % 12 == 0 { hash.combine(UInt64(step)) }
      text.append(letters[Int(hash.value >> UInt64(step % 12 * 5) & 31)])
    }
    return text
  }
}
