import Glibc

/// The system refused what a job or a child process needs: a descriptor, a thread, memory.
package struct SystemRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, such as ``startingProcess``.
  package var action: String
  /// The error number.
  package var error: Int32

  package init(_ action: String, error: Int32) {
    self.action = action
    self.error = error
  }

  /// What was tried when a child could not start.
  package static let startingProcess = "start a process"

  package var description: String { "cannot \(action): \(FileProblem.reason(error)) (\(Self.name(of: error)))" }

  /// The name that the system's manuals give an error number.
  private static func name(of number: Int32) -> String {
    switch number {
    case EMFILE: "EMFILE"
    case ENFILE: "ENFILE"
    case EAGAIN: "EAGAIN"
    case ENOMEM: "ENOMEM"
    default: "error \(number)"
    }
  }
}
