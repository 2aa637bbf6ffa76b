import TailraceJemalloc

/// Bytes that the calling thread allocated while it ran a function; nil where jemalloc's counters do not work.
public func bytesAllocated(by body: () -> Void) -> Int? {
  guard let counter = AllocationCounters.threadAllocatedPointer() else {
    body()
    return nil
  }
  let before = counter.pointee
  body()
  return Int(counter.pointee - before)
}
