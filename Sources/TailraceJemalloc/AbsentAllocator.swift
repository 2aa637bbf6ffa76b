#if TAILRACE_JEMALLOC
  /// Whether jemalloc is linked into this executable.
  let isBuiltIn = true
#else
  import Glibc

  /// Whether jemalloc is linked into this executable.
  let isBuiltIn = false

  /// Replaces jemalloc's function in builds without it: reports every name as unknown.
  func mallctl(
    _ name: UnsafePointer<CChar>, _ old: UnsafeMutableRawPointer?, _ oldSize: UnsafeMutablePointer<Int>?,
    _ new: UnsafeMutableRawPointer?, _ newSize: Int
  ) -> CInt { ENOENT }
#endif
