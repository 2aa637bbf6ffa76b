import CPlatform
import Glibc
import Subprocess
import Synchronization

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// The one way in which this program starts others: each child leads a process group, and carries a mark in its
/// environment that all of its descendants inherit.
///
/// A group ends with its leader. What leaves it, such as a daemon, is found by the mark when the family ends. All
/// families end with this process, however it ends: a second process, the keeper, waits for that
/// (`CPlatform/children.c`). What has cleared its environment and lost its parents is found in a program that adopts
/// orphans (``adoptOrphans()``), unless that program is killed. What runs as another user is not found.
package final class ProcessFamily: Sendable {
  private static let count = Atomic<UInt32>(0)
  /// Identifies the family within this process.
  private let number: UInt32
  /// Whether anything was started, so that there is something to look for.
  private let isUsed = Atomic<Bool>(false)
  /// How many families were used and have not ended.
  private static let active = Atomic<Int>(0)

  package init() { number = Self.count.add(1, ordering: .relaxed).newValue }

  /// Runs a program to its end.
  ///
  /// Cancelling the task ends the child's group. By the time the call returns the child is gone, and so is what it
  /// left running in its group.
  ///
  /// - Parameters:
  ///   - environment: what is added to this process's environment.
  ///   - grace: how long the group may go on after SIGTERM once the task is cancelled; nil: it is killed at once.
  ///   - error: made when everything else is ready.
  ///   - onStart: Called with the child's process number.
  /// - Throws: What `Subprocess.run` throws, ``SystemRefusal``, or `CancellationError`.
  package func run<Input: InputProtocol, Output: OutputProtocol, Failure: ErrorOutputProtocol>(
    _ executable: Executable, _ arguments: [String], environment: [Environment.Key: String?] = [:],
    in folder: String? = nil, grace: Duration?, input: Input = .none, output: Output,
    error: @autoclosure () throws -> Failure,
    onStart: @escaping @Sendable (_ process: pid_t) -> Void = { _ in }
  ) async throws -> ExecutionResult<Void, Output, Failure> {
    let launch = try await ChildLaunch.begin()
    defer { launch.end() }
    Self.prepare()
    if !isUsed.exchange(true, ordering: .relaxed) { Self.active.add(1, ordering: .relaxed) }
    var environment = environment
    environment.updateValue(mark, forKey: Self.variable)
    let group = ProcessGroup()
    defer {
      group.end()
      ChildLaunch.whileNoneStarts(cplatform_children_reap)
    }
    return try await Subprocess.run(
      executable, arguments: Arguments(arguments), environment: .inherit.updating(environment),
      workingDirectory: folder.map { FilePath($0) }, platformOptions: ProcessGroup.options(grace: grace),
      input: input, output: output, error: try error()
    ) { execution in
      let child = execution.processIdentifier.value
      group.begin(child)
      launch.end()
      onStart(child)
    }
  }

  /// Kills what is left of the family, and returns when it is gone. With the last family, all adopted orphans end.
  package func end() {
    guard isUsed.exchange(false, ordering: .relaxed) else { return }
    var isDone = false
    if Self.active.subtract(1, ordering: .relaxed).newValue == 0 {
      ChildLaunch.whileNoneStarts {
        cplatform_children_kill(2_000_000_000)
        isDone = true
      }
    }
    if !isDone { cplatform_family_kill(number, 2_000_000_000) }
    ChildLaunch.whileNoneStarts(cplatform_children_reap)
  }

  /// Makes this process the parent of what its descendants leave behind, so that it can end it. For the program's
  /// start.
  package static func adoptOrphans() { cplatform_children_adopt() }

  // MARK: - Marks

  private static let variable: Environment.Key = "TAILRACE_FAMILY"

  private var mark: String { Self.ownMark + "\(number):" }

  /// Made once: by then the keeper is there.
  private static let ownMark: String = String(cString: cplatform_children_mark())

  /// Starts the keeper, unless it was.
  private static func prepare() { _ = readiness }

  private static let readiness: Void = {
    let problem = cplatform_children_prepare()
    guard problem != 0 else { return }
    // A run is worth as much without a keeper, unless this process is killed.
    let words =
      "Note: no process can watch over the programs that this one starts (\(FileProblem.reason(problem))); if this "
      + "one is killed, end them by hand or with 'tailrace clean'.\n"
    _ = words.withCString { write(STDERR_FILENO, $0, strlen($0)) }
  }()
}
