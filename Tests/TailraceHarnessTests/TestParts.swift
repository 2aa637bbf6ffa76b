import TailraceHarness
import TailraceReplay
import TailraceSimulation

extension Systems {
  /// All that come with the program.
  static let forTests = Systems(
    [
      LiveSystem(), SimulatedSystem(), SequentialSystem(), SimulatedSequentialSystem(), TaskGroupSystem(),
      OperationQueueSystem(), DispatchSystem(),
    ],
    externalNamed: { ExternalSystem(named: $0) })
}

extension SuiteParts {
  /// A test that has no database needs none.
  private struct NoDatabase: Error {}

  static func forTests(
    makeDatabase: @escaping @Sendable (_ readers: Int) throws -> any DatabaseWork = { _ in throw NoDatabase() }
  ) -> SuiteParts {
    SuiteParts(
      systems: .forTests, meter: NoAllocationMeter(reason: "none"), allocator: "none", makeDatabase: makeDatabase,
      version: "0")
  }
}
