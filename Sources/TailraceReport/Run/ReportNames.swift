import Foundation
import TailraceCore
import TailraceMeasurement

/// The names of keys in JSON reports: in snake case, with the unit at the end where a value has one (`busy_ns`).
///
/// Types have the same names in camel case (`busyNs`), except for the ones in ``fixed``.
enum ReportNames {
  /// Names that types write as they are in files.
  private static let fixed = Set(
    Quantity.allCases.map(\.name) + SettlementCause.allCases.map(\.name)
      + ["sum_ns", "squares_ns2", "min_ns", "max_ns", "sums_ns", "whole_ns"])

  /// The names of format 1 that are not the current ones in camel case, by the key of the object that has them.
  private static let former: [String: [String: String]] = [
    "measurement": [
      "windowStart": "windowStartNs", "windowEnd": "windowEndNs", "meanTimeInSystem": "meanTimeInSystemNs",
    ],
    "throughput": ["width": "widthNs"], "queueDepth": ["width": "widthNs"], "running": ["width": "widthNs"],
    "responseOverTime": ["width": "widthNs"], "workers": ["busy": "busyNs"],
    "observations": [
      "heldBack": "heldBackNs", "observedFor": "observedForNs", "processorTime": "processorTimeNs",
      "peakMemory": "peakMemoryBytes", "runDelay": "runDelayNs", "spinSpeed": "spinSpeedPerNs",
      "wakeUpP50": "wakeUpP50Ns", "wakeUpP99": "wakeUpP99Ns",
    ],
    // Never part of a released format 1.
    "scenarios": ["causes": "formerCauses"],
    "standstill": ["longest": "longestNs", "total": "totalNs", "suspended": "suspendedNs"],
  ]

  /// Names that earlier versions gave to current ones, by the key of the object that has them.
  private static let renamed: [String: [String: String]] = [
    "configurations": ["reliefs": "sensitivities"], "binding": ["reliefs": "sensitivities"],
  ]

  /// A name as the file has it.
  static func inFile(_ path: [any CodingKey]) -> any CodingKey {
    guard let key = path.last, key.intValue == nil else { return path.last ?? Name("") }
    return Name(snakeCase(key.stringValue))
  }

  /// A name as types have it.
  ///
  /// - Parameter format: The format of the file.
  static func inType(_ path: [any CodingKey], format: Int) -> any CodingKey {
    guard let key = path.last, key.intValue == nil else { return path.last ?? Name("") }
    let name = fixed.contains(key.stringValue) ? key.stringValue : camelCase(key.stringValue)
    let parent = path.dropLast().last { $0.intValue == nil }?.stringValue ?? ""
    if let current = renamed[parent]?[name] { return Name(current) }
    guard format == 1 else { return Name(name) }
    return Name(former[parent]?[name] ?? name)
  }

  static func snakeCase(_ name: String) -> String {
    name.reduce(into: "") { text, character in
      text += character.isUppercase ? "_\(character.lowercased())" : String(character)
    }
  }

  static func camelCase(_ name: String) -> String {
    let words = name.split(separator: "_", omittingEmptySubsequences: false)
    return words.dropFirst().reduce(into: words.first.map(String.init) ?? "") { text, word in
      text += word.prefix(1).uppercased() + word.dropFirst()
    }
  }

  private struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }
}
