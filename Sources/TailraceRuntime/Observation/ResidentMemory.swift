import Glibc
import TailraceCore

/// The resident memory of the process, as reported by the kernel.
enum ResidentMemory {
  private static let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
  private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

  /// In bytes; nil if the kernel does not report it. A system call of some microseconds.
  static func bytes() -> Int? {
    guard file >= 0 else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { buffer in
      let count = pread(file, buffer.baseAddress, buffer.count, 0)
      guard count > 0 else { return nil }
      // The second number: "size resident shared …", in pages.
      let words = buffer[..<count].split(separator: UInt8(ascii: " "), maxSplits: 2)
      guard words.count > 1 else { return nil }
      var pages = 0
      for digit in words[1] {
        guard (48...57).contains(digit) else { return nil }
        pages = pages * 10 + Int(digit - 48)
      }
      return pages * pageSize
    }
  }
}

/// Measures the growth of the process during each attempt.
struct MemoryMeter: AttemptMiddleware {
  func attempt(
    _ context: JobContext, next: @Sendable (JobContext) async throws -> (any Sendable)?
  ) async throws -> (any Sendable)? {
    let before = ResidentMemory.bytes()
    defer { record(context, since: before) }
    return try await next(context)
  }

  func blockingAttempt(
    _ context: JobContext, next: @Sendable (JobContext) throws -> (any Sendable)?
  ) throws -> (any Sendable)? {
    let before = ResidentMemory.bytes()
    defer { record(context, since: before) }
    return try next(context)
  }

  /// Stored in a list of the worker, which passes it on with its report.
  private func record(_ context: JobContext, since before: Int?) {
    guard let before, let after = ResidentMemory.bytes() else { return }
    context.worker.residentDeltas.append((context.token, after - before))
  }
}

extension DriverState {
  /// Moves a worker's measurements to the jobs, before their attempts are reported.
  @inline(never)
  mutating func takeResidentDeltas(of worker: Worker) {
    for (token, delta) in worker.residentDeltas where core.isLive(token) {
      watch(token.job).residentDelta = (token.attempt, delta)
    }
    worker.residentDeltas.removeAll(keepingCapacity: true)
  }
}
