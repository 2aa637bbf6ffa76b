// Goal: where identifiers start is the driver's choice, and leaves their rules as they are.

import Testing

@testable import TailraceCore

struct IdentifierTests {
  @Test(arguments: [UInt32(0), 1, 0x7fff_fffe, 0x7fff_ffff, .max])
  func startsWhereItIsTold(start: UInt32) throws {
    var core = try SchedulerCore(SchedulerConfiguration())
    core.startIdentifiers(at: start)
    let type = try core.register(JobTypeConfiguration(name: "nop"))
    var outbox = Outbox()
    let admission = core.jobSubmitted(
      JobSubmission(type: type, number: 0, intended: .zero, submitted: .zero), at: .zero, into: &outbox)
    guard case .accepted(let id) = admission else {
      Issue.record("\(admission)")
      return
    }
    #expect(id.slot == 0 && id.generation == start & 0x7fff_ffff && id.rawValue >> 63 == 0)
    #expect(core.state(of: id) == .available)
    #expect(core.state(of: JobID(slot: 0, generation: (start & 0x7fff_ffff) ^ 1)) == nil)
    // Numbers of batches wrap below the one that stands for none, past those that are open.
    let batches = try (0..<4).map { _ in try core.batchOpened(failFast: false) }
    #expect(Set(batches).count == 4 && batches.allSatisfy { $0.rawValue <= 0x7fff_ffff })
    #expect(batches[0].rawValue == start & 0x7fff_ffff && batches.allSatisfy { core.isOpen($0) })
    #expect(core.violatedInvariants() == [])
  }
}
