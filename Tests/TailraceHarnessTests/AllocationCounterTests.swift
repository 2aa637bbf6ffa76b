// Goal: allocation figures are exact where they are given, and absent, never 0, where they cannot be had.

import Foundation
import Glibc
import TailraceJemalloc
import Testing

@Suite(.serialized)
struct AllocationCounterTests {
  private static let isCounting = AllocationCounters.unavailability == nil

  @Test func figuresAreAbsentWhereCountersDoNotMove() {
    guard !Self.isCounting else { return }
    #expect(AllocationCounters.threadAllocatedBytes() == nil)
    #expect(AllocationCounters.liveBytes() == nil)
    #expect(ThreadAllocationLedger.allocatedBytes() == nil)
  }

  @Test(.enabled(if: isCounting)) func threadCounterMovesByWhatIsAllocated() throws {
    let counter = try #require(AllocationCounters.threadAllocatedPointer())
    let before = counter.pointee
    let memory = malloc(1 << 16)
    let after = counter.pointee
    free(memory)
    #expect(memory != nil)
    #expect(after - before == 1 << 16)
    #expect(counter.pointee >= after, "freeing does not lower the counter")
  }

  @Test(.enabled(if: isCounting)) func liveBytesFollowAllocationAndRelease() throws {
    let size = 64 << 20
    let before = try #require(AllocationCounters.liveBytes())
    let memory = malloc(size)
    let during = try #require(AllocationCounters.liveBytes())
    free(memory)
    let after = try #require(AllocationCounters.liveBytes())
    // Other tests allocate meanwhile, far less than half of this.
    #expect(during >= before + UInt64(size / 2))
    #expect(after + UInt64(size / 2) <= during)
  }

  @Test(.enabled(if: isCounting)) func ledgerKeepsWhatDepartedThreadsAllocated() throws {
    let size = 8 << 20
    let before = try #require(ThreadAllocationLedger.allocatedBytes())
    let done = DispatchSemaphore(value: 0)
    for _ in 0..<3 {
      let thread = Thread {
        ThreadAllocationLedger.enrollCurrentThread()
        ThreadAllocationLedger.enrollCurrentThread()
        free(malloc(size))
        done.signal()
      }
      thread.start()
    }
    for _ in 0..<3 { done.wait() }
    let allocated = try #require(ThreadAllocationLedger.allocatedBytes()) - before
    #expect(allocated >= 3 * UInt64(size))
    #expect(allocated < 4 * UInt64(size), "enrolling twice must not count twice")
  }

  @Test(.enabled(if: isCounting && AllocationCounters.hasThreadCaches))
  func exactTotalsAreAbsentWithThreadCaches() {
    #expect(AllocationCounters.exactTotals() == nil)
  }

  // Run as `MALLOC_CONF=tcache:false swift test` to see it at work.
  @Test(.enabled(if: isCounting && !AllocationCounters.hasThreadCaches))
  func exactTotalsCountEveryCall() throws {
    let before = try #require(AllocationCounters.exactTotals())
    for _ in 0..<20_000 { free(malloc(48)) }
    let after = try #require(AllocationCounters.exactTotals())
    #expect(after.allocations - before.allocations >= 20_000)
    #expect(after.bytes - before.bytes >= 20_000 * 48)
  }
}
