// Goal: the probes read what the system says, and the doctor turns figures into the right advice.

import Foundation
import Glibc
import TailraceCore
import Testing
@testable import TailraceHost
@testable import TailracePlatform

@testable import TailraceHarness

struct MachineTests {
  @Test func noiseIsSharesOfAllProcessorTime() throws {
    let start = try #require(HostTimes(procStat: "cpu  100 0 100 700 50 0 0 50 9 9\ncpu0 1 1 1 1 1 1 1 1\n"))
    let end = try #require(HostTimes(procStat: "cpu  150 0 150 1300 100 0 0 250 9 9\n"))
    let noise = try #require(HostNoise(from: start, to: end))
    // 950 ticks passed: 100 in use, 600 idle, 50 waiting for a disk, 200 stolen.
    #expect(abs(noise.steal - 200.0 / 950) < 1e-9)
    #expect(abs(noise.iowait - 50.0 / 950) < 1e-9)
    #expect(abs(noise.busy - 100.0 / 950) < 1e-9)
    #expect(HostNoise(from: start, to: start) == nil)
    #expect(HostTimes(procStat: "intr 1 2 3") == nil)
  }

  @Test func quantilesAreSamples() throws {
    let q = try #require(ProbeQuantiles((1...200).map { Nanoseconds($0) }.shuffled()))
    #expect(q.p50 == Nanoseconds(100))
    #expect(q.p99 == Nanoseconds(198))
    #expect(q.max == Nanoseconds(200))
    #expect(q.count == 200)
    #expect(ProbeQuantiles([]) == nil)
  }

  @Test func environmentNamesTheMachineAndTheBuild() {
    let environment = RunEnvironment.capture(allocator: "test allocator")
    let keys = environment.entries.map(\.key)
    #expect(Set(keys).count == keys.count)
    #expect(environment["allocator"] == "test allocator")
    #expect(environment["kernel"]?.hasPrefix("Linux") == true)
    #expect(environment.entries.allSatisfy { !$0.value.isEmpty })
    #expect(RunEnvironment.osName(osRelease: "ID=debian\nPRETTY_NAME=\"Debian 12\"\n") == "Debian 12")
  }

  @Test func commitIsFoundFromGitFilesAlone() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("commit-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let hash = String(repeating: "ab", count: 20)
    func write(_ text: String, to path: String) throws {
      let url = root.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: url, atomically: false, encoding: .utf8)
    }
    try write("ref: refs/heads/main\n", to: "main/.git/HEAD")
    try write("# pack-refs\n\(hash) refs/heads/main\n", to: "main/.git/packed-refs")
    try write("ref: refs/heads/side\n", to: "main/.git/worktrees/side/HEAD")
    try write("../..\n", to: "main/.git/worktrees/side/commondir")
    try write("\(hash.reversed().map(String.init).joined())\n", to: "main/.git/refs/heads/side")
    try write("gitdir: \(root.path)/main/.git/worktrees/side\n", to: "side/.git")
    try write("", to: "main/.build/release/tool")
    try write("", to: "side/tool")
    #expect(RunEnvironment.gitCommit(above: root.path + "/main/.build/release") == hash)
    #expect(RunEnvironment.gitCommit(above: root.path + "/side") == String(hash.reversed()))
    // Such as that of a working directory that was removed.
    for path in ["", ".", "..", "a/b", "/", "//"] { #expect(RunEnvironment.gitCommit(above: path) == nil) }
  }

  @Test func spinLoopGrowsWithItsIterations() {
    let calibration = SpinCalibration.measure()
    #expect(calibration.iterationsPerNanosecond > 0)
    #expect(calibration.iterationsPerNanosecond.isFinite)
    #expect(calibration.spread >= 0)
    // Steps must depend on each other: different lengths end in different values.
    #expect(SpinLoop.run(iterations: 10) != SpinLoop.run(iterations: 11))
  }

  @Test func spinUsesAtLeastTheProcessorTimeAskedFor() {
    let calibration = SpinCalibration.measure()
    let start = MonotonicClock.now()
    #expect(calibration.spin(for: .milliseconds(20)))
    // Processor time is never more than the time that passed, so this bound holds on a slow machine too.
    #expect(MonotonicClock.now() - start >= .milliseconds(19))
    #expect(!calibration.spin(for: .seconds(3_600), isCancelled: { true }))
  }

  @Test func wakeUpIsMeasuredForEachHandOff() throws {
    let cost = try #require(WakeUpCalibration.measure(samples: 20, pause: .microseconds(200)))
    #expect(cost.count > 0 && cost.count <= 20)
    #expect(cost.p50 >= .zero && cost.p50 <= cost.p99 && cost.p99 <= cost.max)
  }

  @Test func processorTimeIsThatOfTheProcessorsThatCount() throws {
    let text = """
      cpu  300 0 0 600 100 0 0 0 0 0
      cpu0 100 0 0 0 0 0 0 0 0 0
      cpu1 200 0 0 100 0 0 0 0 0 0
      cpu12 0 0 0 500 100 0 0 0 0 0
      """
    #expect(HostTimes(procStat: text)?.busy == 300)
    let two = try #require(HostTimes(procStat: text, processors: [1, 12]))
    #expect(two.busy == 200 && two.total == 900 && two.idle == 600 && two.iowait == 100)
    #expect(HostTimes(procStat: text, processors: [40])?.busy == 300)
    #expect(HostTimes.processors(inList: "\t0-2,12") == [0, 1, 2, 12])
    #expect(HostTimes.processors(inList: "0-x") == nil && HostTimes.processors(inList: "") == nil)
    let start = try #require(HostTimes(procStat: "cpu 0 0 0 0 0 0 0 0"))
    let end = try #require(HostTimes(procStat: "cpu 60 0 0 30 0 0 0 10"))
    let tick = 1e9 / OwnUse.ticksPerSecond
    // Of a hundred ticks the others had what was neither idle nor stolen nor ours.
    #expect(HostTimes.othersShare(from: start, to: end, own: Int64(20 * tick)) == 0.4)
    #expect(HostTimes.othersShare(from: start, to: end, own: Int64(62 * tick)) == 0)
    #expect(HostTimes.othersShare(from: start, to: start, own: 0) == nil)
    #expect(OwnUse.delay(inSchedstat: "123 456 7\n") == 456 && OwnUse.delay(inSchedstat: "") == nil)
  }

  /// What a child used is the run's own once the child has ended.
  @Test func childrenCountAsOurs() async throws {
    let start = OwnUse.now()
    try await ChildProcess.run(
      ["/bin/sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"], in: ProcessFamily())
    let end = OwnUse.now()
    let own = OwnUse.processorTime(from: start, to: end)
    // A hundred thousand turns of a shell take some 0.1 s of processor time on any machine.
    #expect(own > 20_000_000, "\(own) ns")
  }

  /// Two threads that share one processor wait for each other, and have ended before the second reading.
  @Test func threadsThatHaveEndedWaitedForTheProcessorToo() async throws {
    let start = OwnUse.now()
    let calibration = SpinCalibration.measure()
    @Sendable func spin() {
      // Not declared without _GNU_SOURCE.
      typealias SetAffinity = @convention(c) (pid_t, Int, UnsafePointer<UInt64>) -> Int32
      typealias GetAffinity = @convention(c) (pid_t, Int, UnsafeMutablePointer<UInt64>) -> Int32
      let set = unsafeBitCast(dlsym(nil, "sched_setaffinity"), to: SetAffinity.self)
      let get = unsafeBitCast(dlsym(nil, "sched_getaffinity"), to: GetAffinity.self)
      var words = [UInt64](repeating: 0, count: 16)
      let bytes = words.count * MemoryLayout<UInt64>.size
      _ = get(0, bytes, &words)
      guard let first = words.firstIndex(where: { $0 != 0 }) else { return }
      let bit = words[first] & (~words[first] &+ 1)
      words = words.indices.map { $0 == first ? bit : 0 }
      #expect(set(0, bytes, words) == 0)
      calibration.spin(for: .milliseconds(100))
    }
    async let one: Void = DedicatedThread.run { spin() }
    async let other: Void = DedicatedThread.run { spin() }
    _ = try await (one, other)
    // They tell what they waited when they end, a moment after they are done.
    try await Task.sleep(for: .milliseconds(100))
    let delay = try #require(OwnUse.runDelay(from: start, to: OwnUse.now()))
    #expect(delay > 30_000_000, "\(delay) ns")
  }

  @Test func doctorWarnsOfADebugBuildAndANoisyHost() {
    let text = report(build: "debug", steal: 0.2).text
    #expect(text.contains("This is a debug build"))
    #expect(text.contains("CPU steal was 20.0 %"))
    #expect(text.contains("waiting times below 60 us"))
  }

  @Test func doctorIsContentWithAQuietMachine() {
    let quiet = report(build: "release", steal: 0)
    #expect(quiet.advice.count == 2)
    #expect(quiet.advice[0].hasPrefix("Open loops of 1,000 jobs/s and more are possible"))
  }

  @Test func doctorExaminesThisMachine() {
    let report = Doctor.examine(allocator: "test")
    #expect(report.processors >= 1)
    #expect(report.clockCost > 0)
    #expect(report.sleepError?.count == 200)
    #expect(report.wakeUp != nil)
    #expect(report.text.contains("thread wake-up"))
  }

  private func report(build: String, steal: Double) -> DoctorReport {
    func quantiles(_ p50: Int64, _ p99: Int64) -> ProbeQuantiles? {
      ProbeQuantiles(
        Array(repeating: .microseconds(p50), count: 98) + Array(repeating: .microseconds(p99), count: 2))
    }
    return DoctorReport(
      environment: RunEnvironment(entries: [RunEnvironment.Entry(key: "build_configuration", value: build)]),
      processors: 8, clockCost: 20.5, timerSlack: .microseconds(50), hasFineTimer: true,
      sleepErrorDefault: quantiles(100, 200), sleepError: quantiles(40, 90), wakeUp: quantiles(20, 60),
      spin: SpinCalibration(iterationsPerNanosecond: 0.7, spread: 0.01), isRealTimeAllowed: true,
      noise: HostNoise(
        from: HostTimes(procStat: "cpu 0 0 0 0 0 0 0 0")!,
        to: HostTimes(procStat: "cpu 10 0 0 \(Int(90 - steal * 100)) 0 0 0 \(Int(steal * 100))")!))
  }
}
