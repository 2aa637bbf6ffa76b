import TailraceCore

/// A type whose values have names in files.
package protocol NamedValue: CaseIterable, Codable, Hashable, Sendable {
  var name: String { get }
}

extension Quantity: NamedValue {}
extension PoolID: NamedValue {}

/// A value that is encoded as its name, even if its type has a number. The number of earlier versions is read too.
@propertyWrapper
package struct ByName<Value: NamedValue>: Hashable, Sendable, Codable {
  package var wrappedValue: Value

  package init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

  package init(from decoder: any Decoder) throws {
    let box = try decoder.singleValueContainer()
    if let value = try? box.decode(Value.self) {
      wrappedValue = value
      return
    }
    let name = try box.decode(String.self)
    guard let value = Value.allCases.first(where: { $0.name == name }) else {
      throw DecodingError.dataCorruptedError(
        in: box,
        debugDescription: "'\(name)' is not one of \(Value.allCases.map(\.name).joined(separator: ", "))")
    }
    wrappedValue = value
  }

  package func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    try box.encode(wrappedValue.name)
  }
}
