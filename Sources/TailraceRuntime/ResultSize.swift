#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A result that says how much memory it takes, for ``ResultRetention``.
///
/// Strings, data, arrays, sets, dictionaries and optionals of such values are measured by themselves. What says nothing
/// counts with the bytes of the value itself, without what it refers to: let results that refer to much conform.
public protocol SizedResult {
  /// About how many bytes it keeps, with everything that only it refers to. Asked for once, on the worker that made it.
  var resultBytes: Int { get }
}

extension String: SizedResult {
  /// Its code units.
  public var resultBytes: Int { MemoryLayout<Self>.size + utf8.count }
}

extension Substring: SizedResult {
  /// The string that it is a part of, which it keeps.
  public var resultBytes: Int { MemoryLayout<Self>.size + base.utf8.count }
}

extension Data: SizedResult {
  /// Its bytes.
  public var resultBytes: Int { MemoryLayout<Self>.size + count }
}

extension Optional: SizedResult {
  /// That of what it holds.
  public var resultBytes: Int { map { ResultSize.of($0) } ?? 0 }
}

extension Array: SizedResult {
  /// Its elements.
  public var resultBytes: Int { MemoryLayout<Self>.size + ResultSize.ofElements(self) }
}

extension ContiguousArray: SizedResult {
  /// Its elements.
  public var resultBytes: Int { MemoryLayout<Self>.size + ResultSize.ofElements(self) }
}

extension ArraySlice: SizedResult {
  /// Its elements.
  public var resultBytes: Int { MemoryLayout<Self>.size + ResultSize.ofElements(self) }
}

extension Set: SizedResult {
  /// Its elements.
  public var resultBytes: Int { MemoryLayout<Self>.size + ResultSize.ofElements(self) }
}

extension Dictionary: SizedResult {
  /// Its keys and values.
  public var resultBytes: Int {
    MemoryLayout<Self>.size + ResultSize.ofElements(keys) + ResultSize.ofElements(values)
  }
}

/// What values measure.
enum ResultSize {
  static func of<Value>(_ value: Value) -> Int {
    (value as? any SizedResult)?.resultBytes ?? inline(value)
  }

  /// The bytes of the value itself.
  static func inline<Value>(_ value: Value) -> Int { MemoryLayout<Value>.size }

  static func ofElements<Elements: Collection>(_ elements: Elements) -> Int {
    // Elements without references, such as bytes, need no look each.
    if _isPOD(Elements.Element.self) {
      return elements.count * MemoryLayout<Elements.Element>.stride
    }
    return elements.reduce(0) { sum, element in
      let (next, overflow) = sum.addingReportingOverflow(max(0, of(element)))
      return overflow ? .max : next
    }
  }
}

extension Worker {
  /// What a handler's value measures. Types that say nothing are remembered, the last one: their look costs more.
  @inline(__always)
  func measure(_ value: any Sendable) -> Int {
    ObjectIdentifier(type(of: value)) == plainType ? plainBytes : look(at: value)
  }

  @inline(never)
  private func look(at value: any Sendable) -> Int {
    if let sized = value as? any SizedResult { return max(0, sized.resultBytes) }
    func inline<Value>(_ value: Value) -> Int { ResultSize.inline(value) }
    plainBytes = inline(value)
    plainType = ObjectIdentifier(type(of: value))
    return plainBytes
  }
}
