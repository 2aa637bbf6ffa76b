/// What the machine has a limited amount of, as far as a replay needs it.
package enum MachineResource: String, CaseIterable, Sendable {
  /// Threads and processes: the system counts them together.
  case tasks
  case openFiles
  /// In bytes.
  case memory
  /// Memory that is mapped, whether it is used or not; in bytes.
  case addressSpace
  /// Areas of mapped memory.
  case mappings
}

/// The limits of a machine for one process. What has no limit, or none that can be known, is not among them.
package struct MachineLimits: Hashable, Sendable {
  /// One limit.
  package struct Room: Hashable, Sendable {
    package var resource: MachineResource
    /// What sets it: `the limit of processes (ulimit -u)`.
    package var name: String
    package var limit: Int
    /// How much of it others have; what this process has itself is left out.
    package var used: Int
    /// How it is raised: `ulimit -n COUNT`; nil: it is not for a user to raise.
    package var remedy: Remedy?
    /// How much of it this process may have.
    package var left: Int { max(0, limit - used) }
  }

  /// How a limit is raised.
  package enum Remedy: Hashable, Sendable {
    /// `ulimit` with a flag such as `-n`. One step of the limit is `unit` bytes or items. The advice adds `spare`
    /// steps, since a process does not always start with the same number in use.
    case ulimit(flag: String, unit: Int, spare: Int)
    case cgroup(file: String)
    case sysctl(String)

    /// The command that leaves this much room beside what is used.
    package func words(for amount: Int) -> String {
      switch self {
      case .ulimit(let flag, let unit, let spare): "ulimit \(flag) \((amount + unit - 1) / unit + spare)"
      case .cgroup(let file): "echo \(amount) > \(file), or the container's own option"
      case .sysctl(let name): "sysctl \(name)=\(amount)"
      }
    }
  }

  package var rooms: [Room] = []
  /// What the process has now.
  package var openFiles = 0
  package var addressSpace = 0
  package var mappings = 0
  /// Bytes of address space that a new thread's stack takes.
  package var stackBytes = 8 << 20
  package var processors = 1

  package init() {}
}
