// Goal: the limits of a machine are read as the system states them: on a machine made of files.

import Foundation
import Testing
@testable import TailraceHost

@Suite struct MachineLimitsReaderTests {
  /// A root with files in it.
  private final class Root {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("machine-\(UUID().uuidString)").path

    init(_ files: [String: String]) throws {
      for (name, text) in files {
        let file = URL(fileURLWithPath: path + name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
      }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  private static let limits = """
    Limit                     Soft Limit           Hard Limit           Units
    Max data size             unlimited            unlimited            bytes
    Max stack size            8388608              unlimited            bytes
    Max processes             60                   100                  processes
    Max open files            1024                 4096                 files
    Max address space         4294967296           unlimited            bytes

    """

  private static func status(user: Int, threads: Int, capabilities: String = "0000000000000000") -> String {
    """
    Name:\tx
    Uid:\t\(user)\t\(user)\t\(user)\t\(user)
    VmSize:\t  2048 kB
    Threads:\t\(threads)
    CapEff:\t\(capabilities)

    """
  }

  private static let plain = [
    "/proc/self/limits": limits, "/proc/self/status": status(user: 1000, threads: 3),
    "/proc/self/uid_map": "         0          0 4294967295\n", "/proc/self/fd/0": "", "/proc/self/fd/1": "",
    "/proc/self/maps": "a\nb\nc\n", "/proc/12/status": status(user: 1000, threads: 3),
    "/proc/13/status": status(user: 1000, threads: 20), "/proc/14/status": status(user: 0, threads: 500),
    "/proc/loadavg": "0.00 0.01 0.05 1/523 900\n", "/proc/sys/kernel/threads-max": "1000\n",
    "/proc/sys/kernel/pid_max": "32768\n", "/proc/sys/vm/max_map_count": "65530\n",
    "/proc/meminfo": "MemTotal:  8000000 kB\nMemFree: 1 kB\nMemAvailable:  6000000 kB\n",
  ]

  private func read(_ more: [String: String] = [:]) throws -> (MachineLimits, Root) {
    let root = try Root(Self.plain.merging(more) { $1 })
    return (MachineLimitsReader(root: root.path, processors: 2).read(), root)
  }

  private func room(_ name: String, in limits: MachineLimits) -> MachineLimits.Room? {
    limits.rooms.first { $0.name.contains(name) }
  }

  @Test func whatTheProcessHasAndMayHave() throws {
    let (limits, _) = try read()
    #expect(limits.openFiles == 2)
    #expect(limits.mappings == 3)
    #expect(limits.addressSpace == 2_048 << 10)
    #expect(limits.stackBytes == 8 << 20)
    #expect(room("ulimit -n", in: limits)?.limit == 1_024)
    #expect(room("ulimit -v", in: limits)?.limit == 4 << 30)
    #expect(room("ulimit -d", in: limits) == nil, "there is no such limit")
    #expect(room("max_map_count", in: limits)?.limit == 65_530)
    #expect(room("threads-max", in: limits)?.left == 1_000 - 520)
    let memory = try #require(room("memory of this machine", in: limits))
    #expect(memory.left == 6_000_000 << 10)
  }

  @Test func aPlainUsersProcessesAreCounted() throws {
    let (limits, _) = try read()
    // 23 threads of the user, of which 3 are this process's own.
    #expect(room("ulimit -u", in: limits)?.limit == 60)
    #expect(room("ulimit -u", in: limits)?.left == 40)
  }

  @Test(arguments: [
    (0, "0000000000000000", true), (1_000, "0000000001000000", true), (1_000, "0000000000200000", true),
    (1_000, "0000000000000400", false),
  ])
  func theLimitOfProcessesBindsPlainUsersOnly(user: Int, capabilities: String, isExempt: Bool) throws {
    let (limits, _) = try read(["/proc/self/status": Self.status(user: user, threads: 3, capabilities: capabilities)])
    #expect((room("ulimit -u", in: limits) == nil) == isExempt)
  }

  @Test func rootOfAContainerWithUsersOfItsOwnIsAPlainUser() throws {
    let (limits, _) = try read([
      "/proc/self/status": Self.status(user: 0, threads: 3, capabilities: "000001ffffffffff"),
      "/proc/self/uid_map": "0 100000 65536\n",
    ])
    #expect(room("ulimit -u", in: limits) != nil)
  }

  @Test func groupsOfTheUnifiedKindAndThoseAboveThem() throws {
    let (limits, _) = try read([
      "/proc/self/cgroup": "0::/system.slice/ci.service\n", "/sys/fs/cgroup/system.slice/ci.service/pids.max": "50\n",
      "/sys/fs/cgroup/system.slice/ci.service/pids.current": "5\n", "/sys/fs/cgroup/system.slice/pids.max": "max\n",
      "/sys/fs/cgroup/system.slice/memory.max": "1000000\n", "/sys/fs/cgroup/system.slice/memory.current": "700000\n",
      "/sys/fs/cgroup/system.slice/memory.stat": "anon 1\ninactive_file 200000\n",
    ])
    let pids = limits.rooms.filter { $0.name.contains("pids.max") }
    #expect(pids.map(\.left) == [48], "what is 'max' is no limit, and the process's own three are left out")
    #expect(room("memory.max", in: limits)?.left == 500_000)
  }

  @Test func groupsOfTheOlderKindInAContainer() throws {
    let (limits, _) = try read([
      // The path is that of the host; the container sees its own group as the top.
      "/proc/self/cgroup": "8:pids:/docker/abc\n4:memory:/docker/abc\n0::/\n", "/sys/fs/cgroup/pids/pids.max": "100\n",
      "/sys/fs/cgroup/pids/pids.current": "10\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    ])
    #expect(room("pids.max", in: limits)?.left == 93)
    #expect(room("memory.limit_in_bytes", in: limits) == nil, "the number of a group without a limit")
  }

  @Test func aMachineThatSaysNothingHasNoLimits() throws {
    let root = try Root([:])
    #expect(MachineLimitsReader(root: root.path, processors: 2).read().rooms == [])
  }

  @Test func thisMachineIsRead() {
    let limits = MachineLimitsReader().read()
    #expect(limits.openFiles > 2)
    #expect(limits.mappings > 10)
    #expect(limits.addressSpace > 1 << 20)
    #expect(limits.rooms.contains { $0.resource == .memory && $0.left > 0 })
  }
}
