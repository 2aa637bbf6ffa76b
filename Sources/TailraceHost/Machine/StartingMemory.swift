import Foundation
import TailraceText

/// The address space without which the program cannot read its own files: libraries end the process if they get none.
package enum StartingMemory {
  /// What must be left for the heap once the starting threads have their stacks, in bytes.
  static let heapBytes = 64 << 20

  /// Why the program cannot work here; nil: there is enough.
  package static var problem: String? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < UInt64(Int64.max),
      let pages = RunEnvironment.text(of: "/proc/self/statm")?.split(separator: " ").first.flatMap({ Int($0) })
    else { return nil }
    var stack = rlimit()
    let hasStack = getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &stack) == 0 && stack.rlim_cur < 1 << 40
    return problem(
      limit: Int(limit.rlim_cur), used: pages * Int(sysconf(Int32(_SC_PAGESIZE))),
      stack: hasStack ? Int(stack.rlim_cur) : 8 << 20, threads: StartingThreads.count)
  }

  static func problem(limit: Int, used: Int, stack: Int, threads: Int) -> String? {
    let needed = used + threads * stack + heapBytes
    guard limit < needed else { return nil }
    return
      "tailrace needs \(needed >> 20) MiB of address space to start, and the limit is \(limit >> 20) MiB: raise it "
      + "(ulimit -v \((needed >> 10) + 1))"
  }
}
