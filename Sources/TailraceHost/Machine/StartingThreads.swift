import CPlatform
import Foundation

/// The threads without which no task runs: where the system refuses one, the language's runtime waits for it for ever.
package enum StartingThreads {
  /// One for each processor, one for Dispatch's own purposes, and one to spare.
  static var count: Int { RunEnvironment.processorCount + 2 }

  /// Why the program cannot work here; nil: the threads are to be had.
  package static var problem: String? {
    let count = count
    var started: Int32 = 0
    let error = cplatform_threads_probe(Int32(clamping: count), &started)
    guard error != 0 else { return nil }
    return words(needed: count, given: Int(started), error: error)
  }

  static func words(needed: Int, given: Int, error: Int32) -> String {
    "tailrace needs \(needed) threads to start, and the system gives it \(given): \(FileProblem.reason(error)); "
      + "raise the limit of processes (ulimit -u, or the container's pids limit) or of memory (ulimit -v), or end "
      + "other programs"
  }
}
