#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A result that reports its memory size, for ``ResultRetention``.
///
/// Strings, data, arrays, sets, dictionaries and optionals conform. A result of any other type counts only the bytes of
/// the value itself, not what it refers to; conform types that refer to much memory.
public protocol SizedResult {
  /// The approximate size in bytes, including everything that only this value refers to. Called once, on the worker.
  var resultBytes: Int { get }
}

extension String: SizedResult {
  /// The size of its UTF-8 code units.
  public var resultBytes: Int { MemoryLayout<Self>.size + utf8.count }
}

extension Substring: SizedResult {
  /// The size of the string that it keeps alive.
  public var resultBytes: Int { MemoryLayout<Self>.size + base.utf8.count }
}

extension Data: SizedResult {
  /// The size of its bytes.
  public var resultBytes: Int { MemoryLayout<Self>.size + count }
}

extension Optional: SizedResult {
  /// The size of the wrapped value.
  public var resultBytes: Int { map { ResultSize.of($0) } ?? 0 }
}

extension Array: SizedResult {
  /// The size of its elements.
  public var resultBytes: Int { MemoryLayout<Self>.size + ResultSize.ofElements(self) }
}

extension ContiguousArray: SizedResult {
  /// The size of its elements.
  public var resultBytes: Int { MemoryLayout<Self>.size + ResultSize.ofElements(self) }
}

extension ArraySlice: SizedResult {
  /// The size of its elements.
  public var resultBytes: Int { MemoryLayout<Self>.size + ResultSize.ofElements(self) }
}

extension Set: SizedResult {
  /// The size of its elements.
  public var resultBytes: Int { MemoryLayout<Self>.size + ResultSize.ofElements(self) }
}

extension Dictionary: SizedResult {
  /// The size of its keys and values.
  public var resultBytes: Int {
    MemoryLayout<Self>.size + ResultSize.ofElements(keys) + ResultSize.ofElements(values)
  }
}

/// Computes the sizes of values.
enum ResultSize {
  static func of<Value>(_ value: Value) -> Int {
    (value as? any SizedResult)?.resultBytes ?? inline(value)
  }

  /// The size of the value itself.
  static func inline<Value>(_ value: Value) -> Int { MemoryLayout<Value>.size }

  static func ofElements<Elements: Collection>(_ elements: Elements) -> Int {
    // Elements without references, such as bytes, all have the same size.
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
  /// The size of a handler's value. Remembers the last type without a size of its own, because the check is costlier.
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
