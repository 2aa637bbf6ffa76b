import Foundation

/// Reads the limits of the machine from /proc and /sys/fs/cgroup.
package struct MachineLimitsReader: Sendable {
  /// Put in front of every path: tests have a machine made of files.
  private let root: String
  private let processors: Int

  package init(root: String = "", processors: Int = RunEnvironment.processorCount) {
    self.root = root
    self.processors = processors
  }

  /// Reads all of them; takes a millisecond, and some more where the processes of the user must be counted.
  package func read() -> MachineLimits {
    let status = Status(text("/proc/self/status") ?? "")
    var limits = MachineLimits()
    limits.processors = processors
    limits.openFiles = names("/proc/self/fd").count
    limits.addressSpace = status.virtual
    limits.mappings = (text("/proc/self/maps") ?? "").utf8.count { $0 == UInt8(ascii: "\n") }
    let own = ResourceLimits(text("/proc/self/limits") ?? "")
    // Without a limit a thread's stack has the size that the C library prefers.
    limits.stackBytes = own["Max stack size"] ?? 2 << 20
    if let count = own["Max open files"] {
      add(
        .openFiles, "the limit of open files (ulimit -n)", count, 0, .ulimit(flag: "-n", unit: 1, spare: 8), to: &limits
      )
    }
    // The same memory counts for both.
    if let bytes = own["Max address space"] {
      add(
        .addressSpace, "the limit of address space (ulimit -v)", bytes, 0,
        .ulimit(flag: "-v", unit: 1024, spare: 65_536), to: &limits)
    }
    if let bytes = own["Max data size"] {
      add(
        .addressSpace, "the limit of data (ulimit -d)", bytes, 0, .ulimit(flag: "-d", unit: 1024, spare: 65_536),
        to: &limits)
    }
    if let count = number("/proc/sys/vm/max_map_count") {
      add(.mappings, "vm.max_map_count", count, 0, .sysctl("vm.max_map_count"), to: &limits)
    }
    addTasks(own, status, to: &limits)
    addMemory(to: &limits)
    return limits
  }

  private func add(
    _ resource: MachineResource, _ name: String, _ limit: Int, _ used: Int, _ remedy: MachineLimits.Remedy?,
    to limits: inout MachineLimits
  ) {
    limits.rooms.append(.init(resource: resource, name: name, limit: limit, used: max(0, used), remedy: remedy))
  }

  // MARK: - Threads and processes

  private func addTasks(_ own: ResourceLimits, _ status: Status, to limits: inout MachineLimits) {
    if let count = own["Max processes"], !isExempt(status) {
      let used = tasks(ofUser: status.user) - status.threads
      add(
        .tasks, "the limit of processes (ulimit -u)", count, used, .ulimit(flag: "-u", unit: 1, spare: 8), to: &limits)
    }
    for folder in folders(of: "pids") {
      guard let count = number("\(folder)/pids.max") else { continue }
      let used = (number("\(folder)/pids.current") ?? 0) - status.threads
      add(.tasks, "pids.max of the control group", count, used, .cgroup(file: "\(folder)/pids.max"), to: &limits)
    }
    let all = (text("/proc/loadavg") ?? "").split(separator: " ").dropFirst(3).first
      .flatMap { $0.split(separator: "/").last }.flatMap { Int($0) }
    for name in ["threads-max", "pid_max"] {
      guard let count = number("/proc/sys/kernel/\(name)") else { continue }
      add(.tasks, "kernel.\(name)", count, (all ?? 0) - status.threads, .sysctl("kernel.\(name)"), to: &limits)
    }
  }

  /// Whether the limit of processes does not bind the process: the system's root, and who may exceed limits.
  private func isExempt(_ status: Status) -> Bool {
    // Root in a container with a user namespace is an ordinary user of the host.
    let map = (text("/proc/self/uid_map") ?? "").split(whereSeparator: \.isWhitespace)
    guard map.isEmpty || map == ["0", "0", "4294967295"] else { return false }
    let (systemAdministrator, systemResources) = (UInt64(1) << 21, UInt64(1) << 24)
    return status.user == 0 || status.capabilities & (systemAdministrator | systemResources) != 0
  }

  /// Threads that a user runs.
  private func tasks(ofUser user: Int) -> Int {
    names("/proc").filter { Int($0) != nil }.reduce(0) { sum, process in
      // One that has ended since the folder was read has no file.
      guard let text = text("/proc/\(process)/status") else { return sum }
      let status = Status(text)
      return status.user == user ? sum + status.threads : sum
    }
  }

  // MARK: - Memory

  private func addMemory(to limits: inout MachineLimits) {
    for folder in folders(of: "memory") {
      let first = ["memory.max", "memory.limit_in_bytes"].first { number("\(folder)/\($0)") != nil }
      // Without a limit the older kind of group shows a number near the greatest.
      guard let first, let bytes = number("\(folder)/\(first)"), bytes < 1 << 60 else { continue }
      let used = number("\(folder)/memory.current") ?? number("\(folder)/memory.usage_in_bytes") ?? 0
      // The kernel reclaims inactive file pages before an allocation fails.
      let cache = ["inactive_file ", "total_inactive_file "].compactMap {
        Self.value(after: $0, in: text("\(folder)/memory.stat") ?? "")
      }.max()
      add(
        .memory, "\(first) of the control group", bytes, used - (cache ?? 0), .cgroup(file: "\(folder)/\(first)"),
        to: &limits)
    }
    let machine = text("/proc/meminfo") ?? ""
    guard let total = Self.value(after: "MemTotal:", in: machine),
      let available = Self.value(after: "MemAvailable:", in: machine)
    else { return }
    add(.memory, "the memory of this machine", total << 10, (total - available) << 10, nil, to: &limits)
  }

  // MARK: - Control groups

  /// The folders of the process's control group that may have this limit, and of those above it.
  private func folders(of controller: String) -> [String] {
    var found: [String] = []
    for line in (text("/proc/self/cgroup") ?? "").split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isUnified = fields[1].isEmpty
      guard isUnified || fields[1].split(separator: ",").contains(Substring(controller)) else { continue }
      let mounts =
        isUnified
        ? ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        : ["/sys/fs/cgroup/\(fields[1])", "/sys/fs/cgroup/\(controller)"]
      for mount in mounts { found += chain(from: mount, String(fields[2])).filter { !found.contains($0) } }
    }
    return found
  }

  /// A group's folder and those above it. A container sees its own group as the top, whatever its path is outside.
  private func chain(from mount: String, _ path: String) -> [String] {
    guard FileManager.default.fileExists(atPath: root + mount) else { return [] }
    var chain = [mount]
    var folder = mount
    for part in path.split(separator: "/") {
      folder += "/\(part)"
      guard FileManager.default.fileExists(atPath: root + folder) else { break }
      chain.append(folder)
    }
    return chain.reversed()
  }

  // MARK: - Files

  private func text(_ path: String) -> String? { RunEnvironment.text(of: root + path) }

  private func names(_ path: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: root + path)) ?? []
  }

  /// nil: there is no such file, or it contains `max`.
  private func number(_ path: String) -> Int? {
    text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  /// The number that follows a name at the beginning of a line.
  private static func value(after name: String, in text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix(name) {
      return line.dropFirst(name.count).split(separator: " ").first.flatMap { Int($0) }
    }
    return nil
  }

  /// The fields of /proc/PID/status.
  private struct Status {
    var user = -1
    var threads = 1
    /// In bytes.
    var virtual = 0
    var capabilities: UInt64 = 0

    init(_ text: String) {
      for line in text.split(separator: "\n") {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count > 1 else { continue }
        switch words[0] {
        case "Uid:": user = Int(words[1]) ?? user
        case "Threads:": threads = Int(words[1]) ?? threads
        case "VmSize:": virtual = (Int(words[1]) ?? 0) << 10
        case "CapEff:": capabilities = UInt64(words[1], radix: 16) ?? 0
        default: break
        }
      }
    }
  }

  /// The soft limits in /proc/self/limits.
  private struct ResourceLimits {
    private let lines: [Substring]
    init(_ text: String) { lines = text.split(separator: "\n") }

    /// nil: there is none.
    subscript(name: String) -> Int? {
      lines.first { $0.hasPrefix(name) }
        .flatMap { $0.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first }.flatMap { Int($0) }
    }
  }
}
