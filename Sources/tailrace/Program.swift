import Dispatch
import TailraceHost

/// The program's first steps, on the first thread and before any task runs.
@main enum Program {
  static func main() {
    Interruption.listen()
    ProcessFamily.adoptOrphans()
    Terminal.prepare()
    if let problem = StartingStack.problem ?? StartingMemory.problem ?? StartingThreads.problem {
      Terminal.error.write("Error: \(problem)\n")
      Tailrace.end(Refusal.status)
    }
    DescriptorLimit.raise()
    Task { await Tailrace.answer() }
    dispatchMain()
  }
}
