#if TAILRACE_JEMALLOC
  /// Whether jemalloc is linked into this executable.
  let isBuiltIn = true
#else
  import Glibc

  /// Whether jemalloc is linked into this executable.
  let isBuiltIn = false

  /// Stands in for jemalloc's own function where it is left out: knows no name.
  func mallctl(
    _ name: UnsafePointer<CChar>, _ old: UnsafeMutableRawPointer?, _ oldSize: UnsafeMutablePointer<Int>?,
    _ new: UnsafeMutableRawPointer?, _ newSize: Int
  ) -> CInt { ENOENT }
#endif
