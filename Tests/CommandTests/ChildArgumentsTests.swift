// Goal: a process that repeats a run is told every flag of it. A new option of `run` that nobody thought of fails here,
// instead of being left out of comparisons without a word.

import ArgumentParser
import Testing

@testable import tailrace

struct ChildArgumentsTests {
  private static let declared = DeclaredArgument.all(of: RunCommand.self)

  /// A value other than the default for each option that is passed on.
  private static let samples: [String: [String]] = [
    "set": ["scheduler.workers=3", "jobs.a.service=-1"], "duration": ["7s"], "time-scale": ["0.5"],
    "system": ["sequential"], "target": ["lost == 0", "response.p99 < 3ms"], "pacer": ["spin"], "max-lag": ["1500ms"],
    "grace": ["4s"], "force": [], "plant": ["mail=1.5"],
  ]

  @Test func everyOptionOfRunIsPassedOnOrSaysWhyNot() {
    let keys = Set(Self.declared.map(\.key))
    let ruled = Set(ChildArguments.rules.keys)
    #expect(keys.count >= 20)
    #expect(keys.subtracting(ruled).isEmpty, "ChildArguments says nothing of \(keys.subtracting(ruled))")
    #expect(ruled.subtracting(keys).isEmpty, "'run' has no \(ruled.subtracting(keys))")
    for (key, rule) in ChildArguments.rules {
      switch rule {
      case .notPassed(let reason): #expect(reason.count > 20, "--\(key)")
      case .values, .flag: #expect(Self.samples[key] != nil, "give this test a value for --\(key)")
      }
    }
  }

  /// Each option, given alone, is among the flags with its value, and parsing these gives the same flags again.
  @Test(arguments: samples.keys.sorted()) func whatIsGivenIsPassedOn(_ key: String) throws {
    let values = Self.samples[key] ?? []
    let given = values.isEmpty ? ["--\(key)"] : values.flatMap { ["--\(key)", $0] }
    let flags = try Self.flags(of: given)
    if values.isEmpty {
      #expect(flags.contains("--\(key)"))
      #expect(try !Self.flags(of: []).contains("--\(key)"))
    }
    for value in values {
      #expect(zip(flags, flags.dropFirst()).contains { $0 == ("--\(key)", value) }, "\(flags)")
      #expect(try !Self.flags(of: []).contains(value))
    }
    #expect(try Self.flags(of: flags) == flags)
  }

  @Test func flagsComeInTheOrderOfTheDeclaration() throws {
    let flags = try Self.flags(
      of: Self.samples.keys.sorted().reversed().flatMap { key in
        let values = Self.samples[key] ?? []
        return values.isEmpty ? ["--\(key)"] : values.flatMap { ["--\(key)", $0] }
      })
    let order = Self.declared.map(\.shown)
    let places = flags.filter { $0.hasPrefix("--") }.compactMap(order.firstIndex)
    #expect(places == places.sorted() && places.count == 12)
  }

  @Test func namesThatLookLikeFlagsStayNames() throws {
    let run = try #require(try Tailrace.parseAsRoot(["run", "--target=-x < 3", "--", "-a.yaml"]) as? RunCommand)
    let arguments = run.load.childArguments(run.scenarios, run.changes, system: "live")
    #expect(arguments.last == "./-a.yaml" && arguments.contains("--target=-x < 3"))
    #expect(run.load.judgingFlags == ["--target=-x < 3"])
  }

  private static func flags(of words: [String]) throws -> [String] {
    let run = try #require(try Tailrace.parseAsRoot(["run", "a.yaml"] + words) as? RunCommand)
    return ChildArguments(load: run.load, changes: run.changes, system: run.load.systems.first ?? "live").flags
  }
}
