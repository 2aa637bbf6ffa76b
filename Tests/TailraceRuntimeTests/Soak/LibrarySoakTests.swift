// Goal: the library keeps its promises whatever is asked of it at once. In each round sixteen threads and tasks make
// random public calls to one scheduler, with errors, payloads, values and callbacks that call it back, until it is shut
// down in the middle; then every job must have settled once, every await and callback been answered once, and all
// memory been given back.
//
// `make soak-library SECONDS=1800` goes on for as long as it is told, from a random seed; `make test` plays a few
// rounds, always the same. The variables are TAILRACE_LIBRARY_SOAK_SECONDS and TAILRACE_LIBRARY_SOAK_SEED. A round that
// does not end within TAILRACE_LIBRARY_SOAK_PATIENCE seconds (default: 120) ends the process, after it has said what is
// missing. Time in which tasks get no thread, since other tests hold all of them, counts a tenth.

import Foundation
import Glibc
import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

@Suite(.serialized) struct LibrarySoakTests {
  private static let environment = ProcessInfo.processInfo.environment

  @Test func everyPublicCallAtOnceKeepsItsPromises() async throws {
    let seconds = Self.environment["TAILRACE_LIBRARY_SOAK_SECONDS"].flatMap(Double.init)
    let given = Self.environment["TAILRACE_LIBRARY_SOAK_SEED"].flatMap(UInt64.init)
    let patience = Self.environment["TAILRACE_LIBRARY_SOAK_PATIENCE"].flatMap(Double.init) ?? 120
    let first = given ?? (seconds == nil ? 1 : UInt64.random(in: 1...999_999_999))
    print("library soak: first seed \(first); TAILRACE_LIBRARY_SOAK_SEED=\(first) repeats it")
    let watchdog = SoakWatchdog(patience: patience)
    defer { watchdog.stop() }
    let end = Date().addingTimeInterval(seconds ?? 0)
    let last = seconds == nil ? first + 4 : first
    var (seed, faults, total) = (first, 0, SoakTally())
    var resident: [Int] = []
    repeat {
      let round = SoakRound(seed: seed, length: .milliseconds(seconds == nil ? 150 : 1_000))
      watchdog.watch(round)
      let problems = await round.play()
      if !problems.isEmpty {
        faults += 1
        Issue.record("seed \(seed): \(problems.joined(separator: "; "))")
        guard faults < 20 else { break }
      }
      total.add(round.ledger)
      resident.append(SoakMemory.residentBytes())
      seed &+= 1
    } while Date() < end || seed < last
    if let growth = SoakMemory.growth(of: resident), growth > 64 << 20 {
      Issue.record(
        "the process grew by \(growth >> 20) MiB over \(resident.count) rounds: \(resident.map { $0 >> 20 })")
    }
    print("library soak: \(total), \((resident.last ?? 0) >> 20) MiB resident; next seed \(seed)")
  }
}

/// What all rounds came to.
struct SoakTally: CustomStringConvertible {
  private var (rounds, jobs, awaits, callbacks) = (0, 0, 0, 0)

  mutating func add(_ ledger: SoakLedger) {
    rounds += 1
    jobs += ledger.settledJobs
    awaits += ledger.awaitsAnswered
    callbacks += ledger.callbackCount
  }

  var description: String {
    "\(rounds) rounds, \(jobs) jobs settled, \(awaits) awaits and \(callbacks) callbacks answered"
  }
}

/// Resident memory of the process.
enum SoakMemory {
  /// As the system counts it, what the allocator keeps for later included.
  static func residentBytes() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
      let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return 0 }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }

  /// The median of the last third less that of the second: the first warms up. Nil: too few rounds to say.
  static func growth(of resident: [Int]) -> Int? {
    guard resident.count >= 30 else { return nil }
    let third = resident.count / 3
    func median(_ part: ArraySlice<Int>) -> Int { part.sorted()[part.count / 2] }
    return median(resident.suffix(third)) - median(resident.dropFirst(third).prefix(third))
  }
}

/// Ends the process when a round does not end: nothing else ends a hang.
final class SoakWatchdog: Sendable {
  private struct State {
    var round: SoakRound?
    /// Seconds that the round has had.
    var waited = 0.0
    /// Whether a task has got a thread since the last look.
    var gotThread = true
    var isStopped = false
  }
  private let state = Locked(State())

  init(patience: Double) {
    Thread.detachNewThread { [weak self] in
      var last = Date()
      while true {
        usleep(200_000)
        guard let self, !self.state.withLock(\.isStopped) else { return }
        let now = Date()
        self.count(now.timeIntervalSince(last))
        last = now
        guard let round = self.state.withLock({ $0.waited > patience ? $0.round : nil }) else { continue }
        FileHandle.standardError.write(Data("library soak: round \(round.seed) hangs: \(round.whatIsMissing)\n".utf8))
        abort()
      }
    }
  }

  /// Adds to what the round has had, and asks for a thread again.
  private func count(_ seconds: Double) {
    let asks = state.withLock { state in
      defer { state.gotThread = false }
      state.waited += state.gotThread ? seconds : seconds / 10
      return state.gotThread
    }
    if asks { Task.detached { self.state.withLock { $0.gotThread = true } } }
  }

  func watch(_ round: SoakRound) {
    state.withLock { ($0.round, $0.waited) = (round, 0) }
  }

  func stop() { state.withLock { ($0.round, $0.isStopped) = (nil, true) } }
}
