import CPlatform
import Glibc
import Synchronization

/// The soft limit of open files, which is there for old programs that cannot count beyond 1,024.
package enum DescriptorLimit {
  /// The limit of before; 0: it was not raised.
  private static let before = Atomic<UInt64>(0)

  /// Raises the soft limit to the hard one, as far as this process may have.
  package static func raise() {
    let soft = cplatform_descriptors_raise()
    if soft > 0 { before.store(soft, ordering: .releasing) }
  }

  /// Gives a child that was just started the limit that this process was given.
  ///
  /// The library that starts children cannot do it in between, so the child has the raised limit for its first moments.
  static func restore(in child: pid_t) {
    let soft = before.load(ordering: .acquiring)
    // One that has ended needs none.
    if soft > 0 { _ = cplatform_descriptors_limit(child, soft) }
  }
}
