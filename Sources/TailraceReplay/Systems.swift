/// The systems that a tape can be replayed on. The composition root chooses them.
package struct Systems: Sendable {
  /// Those that come with the program; the first is the one that is used where none is named.
  package var all: [any ReplaySystem]
  /// How a program of the user is named: `exec:PATH`.
  package var external: String
  /// Installed or installable drivers for other schedulers.
  package var drivers: [(name: String, summary: String)]
  private let externalNamed: @Sendable (_ name: String) -> (any ReplaySystem)?

  /// - Parameter externalNamed: makes the system for a program of the user; nil where the name is of another form.
  package init(
    _ all: [any ReplaySystem], external: String = "exec:PATH",
    drivers: [(name: String, summary: String)] = [],
    externalNamed: @escaping @Sendable (_ name: String) -> (any ReplaySystem)? = { _ in nil }
  ) {
    precondition(!all.isEmpty, "a program needs a system")
    self.all = all
    self.external = external
    self.drivers = drivers
    self.externalNamed = externalNamed
  }

  /// The system that is used where none is named.
  package var main: any ReplaySystem { all[0] }
  /// What a user may write.
  package var names: [String] { all.map(\.name) + drivers.map(\.name) + [external] }
  /// A system by its name; nil: there is none.
  package func named(_ name: String) -> (any ReplaySystem)? {
    externalNamed(name) ?? all.first { $0.name == name }
  }
}
