import Glibc

/// The stack that each thread gets. The first thread and those of the language's runtime take the limit of the process
/// as their size, and a thread that needs more ends the program.
package enum StartingStack {
  /// The smallest stack with which every command works, in bytes. `MachineLimitTests` tries it.
  static let leastBytes: UInt64 = 512 << 10

  /// Why the program cannot work here; nil: stacks are large enough.
  package static var problem: String? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit) == 0 else { return nil }
    return problem(limit: UInt64(limit.rlim_cur))
  }

  static func problem(limit: UInt64) -> String? {
    guard limit < leastBytes else { return nil }
    return
      "tailrace needs \(leastBytes >> 10) KiB of stack for each thread, and the limit is \(limit >> 10) KiB: raise "
      + "it (ulimit -s \(leastBytes >> 10))"
  }
}
