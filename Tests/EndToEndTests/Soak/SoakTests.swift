// Goal: the program keeps working whatever it is given. Random attacks, each drawn from a printed seed, must end in
// time with a documented status, within their memory, and leave no process and no file behind.
//
// `make soak SECONDS=1800` attacks for as long as it is told, from a random seed; `make test` tries a few seeds, always
// the same. The variables are TAILRACE_SOAK_SECONDS and TAILRACE_SOAK_SEED. The folder of a fault is kept.

import Foundation
import Testing

@Suite(.serialized) struct SoakTests {
  private static let environment = ProcessInfo.processInfo.environment

  @Test func noAttackFindsAFault() async throws {
    let seconds = Self.environment["TAILRACE_SOAK_SECONDS"].flatMap(Double.init)
    let given = Self.environment["TAILRACE_SOAK_SEED"].flatMap(UInt64.init)
    let first = given ?? (seconds == nil ? 1 : UInt64.random(in: 1...999_999_999))
    print("soak: first seed \(first); TAILRACE_SOAK_SEED=\(first) repeats it")
    let end = Date().addingTimeInterval(seconds ?? 0)
    let last = seconds == nil ? first + 2 * UInt64(Attack.Kind.allCases.count) : first
    var seed = first
    var counts: [Attack.Kind: Int] = [:]
    repeat {
      var random = SoakRandom(seed: seed)
      // Each kind has its turn, so that a short soak has tried all of them.
      let kind = Attack.Kind.allCases[Int(seed % UInt64(Attack.Kind.allCases.count))]
      let folder = try SoakFolder(seed: seed)
      let attack = try Attack(kind, in: folder, &random)
      let faults = try await attack.run(in: folder, &random)
      counts[kind, default: 0] += 1
      if faults.isEmpty {
        folder.remove()
      } else {
        Issue.record(
          """
          seed \(seed), \(kind): \(faults.joined(separator: "; "))
          kept in \(folder.path), the command in 'command'; TAILRACE_SOAK_SEED=\(seed) repeats it
          """)
        // One is enough to work on; many only hide it.
        guard seed &- first < 200 else { return }
      }
      seed &+= 1
    } while Date() < end || seed < last
    let tried = counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key)" }
    print("soak: \(tried.joined(separator: ", ")); next seed \(seed)")
  }
}

/// A generator whose numbers follow from a seed on every machine: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct SoakRandom: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<max(1, limit), using: &self) }
  mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// What one attack works on, kept where it found a fault.
final class SoakFolder {
  let path: String
  init(seed: UInt64) throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("tailrace-soak-\(seed)").path
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path + "/tmp", withIntermediateDirectories: true)
  }
  func remove() { try? FileManager.default.removeItem(atPath: path) }
  func write(_ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
  }
  func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }
}
