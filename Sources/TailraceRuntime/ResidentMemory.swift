import Glibc
import TailraceCore

/// How much memory of the process is in use: its resident pages, as the kernel counts them.
enum ResidentMemory {
  private static let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
  private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

  /// In bytes; nil where the kernel does not say. A system call of some microseconds.
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

/// Notes by how much the process grew during each attempt.
struct MemoryMeter: AttemptMiddleware {
  func attempt(
    _ context: JobContext, next: @Sendable (JobContext) async throws -> (any Sendable)?
  ) async throws -> (any Sendable)? {
    let before = ResidentMemory.bytes()
    defer { note(context, since: before) }
    return try await next(context)
  }

  func blockingAttempt(
    _ context: JobContext, next: @Sendable (JobContext) throws -> (any Sendable)?
  ) throws -> (any Sendable)? {
    let before = ResidentMemory.bytes()
    defer { note(context, since: before) }
    return try next(context)
  }

  /// Into a list of the worker that runs the attempt; it takes the list along when it reports.
  private func note(_ context: JobContext, since before: Int?) {
    guard let before, let after = ResidentMemory.bytes() else { return }
    context.worker.residentDeltas.append((context.token, after - before))
  }
}

extension DriverState {
  /// Takes a worker's notes to the jobs that they are about, before their attempts are reported.
  @inline(never)
  mutating func takeResidentDeltas(of worker: Worker) {
    for (token, delta) in worker.residentDeltas where core.isLive(token) {
      watch(token.job).residentDelta = (token.attempt, delta)
    }
    worker.residentDeltas.removeAll(keepingCapacity: true)
  }
}
