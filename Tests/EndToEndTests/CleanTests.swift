// Goal: what a run that was killed has left is removed by the next run and by hand, and nothing else is.

import Foundation
import Subprocess
import Synchronization
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

@Suite(.serialized) struct CleanTests {
  /// A place for temporary files of one test, and a scenario that has its database there for as long as it goes on.
  private struct Place {
    let brood: Brood
    var temporary: String { brood.folder.path + "/tmp" }

    init() throws {
      brood = try Brood()
      try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
      try brood.write(
        "store.yaml",
        """
        name: store
        jobs: {store: {work: {sqlite: mixed}}, child: {work: {subprocess: ["\(brood.folder.path)/brood"]}}}
        load: [{batch: 5, of: store}, {batch: 1, of: child}]
        drain: 1h
        scheduler: {workers: 2}

        """)
    }

    var entries: Set<String> {
      Set((try? FileManager.default.contentsOfDirectory(atPath: temporary)) ?? [])
    }

    /// Starts a run, and kills it once its child is there.
    func kill(_ arguments: [String] = ["run", "store.yaml"]) async throws {
      _ = try await brood.run(
        arguments + ["--progress", "none"], signals: [.kill], once: brood.processes.count + Brood.size,
        environment: ["TMPDIR": temporary])
    }

    func run(_ arguments: [String]) async throws -> Outcome {
      try await Binary.run(arguments, in: brood.folder, environment: ["TMPDIR": temporary])
    }
  }

  @Test func theNextRunRemovesWhatAKilledOneLeft() async throws {
    let place = try Place()
    try await place.kill()
    #expect(place.entries.contains { $0.hasPrefix("sqlite.tailrace-") }, "\(place.entries)")
    try await place.kill(["run", "plain.yaml", "--system", "exec:./brood"])
    // The second run has removed what the first had left.
    #expect(place.entries.count == 1 && place.entries.first?.hasPrefix("tape.tailrace-") == true, "\(place.entries)")
    let next = try await place.run(["run", "plain.yaml", "--progress", "none"])
    #expect(next.status == 0 || next.status == 4, "\(next)")
    #expect(place.entries.isEmpty, "\(place.entries)")
  }

  @Test func cleanRemovesItByHandAndLeavesWhatIsInUse() async throws {
    let place = try Place()
    let folder = place.brood.folder
    // A run that goes on all the time, with a folder of its own.
    let living = Task {
      try await place.brood.run(
        ["run", "store.yaml", "--progress", "none"], signals: [.interrupt, .interrupt], once: 3 * Brood.size,
        environment: ["TMPDIR": place.temporary])
    }
    try await Brood.wait { place.brood.processes.count >= Brood.size }
    let used = place.entries
    #expect(used.count == 1)
    try await place.kill()
    let left = place.entries.subtracting(used)
    #expect(left.count == 1, "\(place.entries)")
    // A report that was being written.
    let name = try #require(left.first)
    let suffix = name.split(separator: ".").dropFirst().joined(separator: ".")
    let hidden = folder.url.appendingPathComponent("reports/.store-1.\(suffix)")
    try FileManager.default.createDirectory(at: hidden, withIntermediateDirectories: true)

    let shown = try await place.run(["clean", "--dry-run"])
    #expect(shown.status == 0, "\(shown)")
    #expect(shown.output.contains("Would remove \(place.temporary)/\(name) ("), "\(shown)")
    #expect(shown.output.contains("Would remove \(hidden.path) ("), "\(shown)")
    #expect(place.entries == used.union(left))

    let cleaned = try await place.run(["clean"])
    #expect(cleaned.status == 0, "\(cleaned)")
    #expect(cleaned.output.contains("Removed \(place.temporary)/\(name) ("), "\(cleaned)")
    #expect(place.entries == used, "\(place.entries)")
    #expect(!FileManager.default.fileExists(atPath: hidden.path))
    let again = try await place.run(["clean"])
    #expect(!again.output.contains(place.temporary), "\(again)")

    // The run that goes on has lost none of its processes either; the third set lets it be ended.
    #expect(place.brood.survivors.count == Brood.size, "\(place.brood.survivors)")
    let more = (0..<Brood.size).map { _ in "1" }.joined(separator: "\n") + "\n"
    let pids = try FileHandle(forWritingTo: folder.url.appendingPathComponent("pids"))
    try pids.seekToEnd()
    try pids.write(contentsOf: Data(more.utf8))
    try pids.close()
    _ = try await living.value
  }

  @Test func aLinkToAReportThatIsGoneGoesToo() async throws {
    let folder = try TemporaryFolder()
    let reports = folder.url.appendingPathComponent("reports")
    try FileManager.default.createDirectory(at: reports, withIntermediateDirectories: true)
    let link = reports.appendingPathComponent("latest").path
    for (target, isRemoved) in [("mine-20260101T000000Z", true), ("../elsewhere", false)] {
      symlink(target, link)
      let shown = try await Binary.run(["clean", "--dry-run"], in: folder)
      #expect(shown.output.contains("Would remove \(link), a link to a report that is gone") == isRemoved, "\(shown)")
      _ = try await Binary.run(["clean"], in: folder)
      var status = stat()
      #expect((lstat(link, &status) != 0) == isRemoved)
      unlink(link)
    }
  }

  /// Where nothing watches over children, they are found later.
  @Test func cleanEndsProcessesOfARunThatIsGone() async throws {
    let place = try Place()
    let owner = Int32(getpid())
    // A mark as a child has it, of a process with this one's number that was started at another time.
    var namespace = stat()
    #expect(stat("/proc/self/ns/pid", &namespace) == 0)
    let mark = ":\(owner).1.\(namespace.st_ino).1:"
    let orphan = Task {
      try await Subprocess.run(
        .path("/bin/sleep"), arguments: ["3600"], environment: .inherit.updating(["TAILRACE_FAMILY": mark]),
        input: .none, output: .discarded, error: .discarded
      ) { $0.processIdentifier.value }.terminationStatus
    }
    func cleaned(_ arguments: [String]) async throws -> String {
      try await place.run(["clean"] + arguments).output
    }
    let words = "(/bin/sleep 3600), started by process \(owner), which has ended"
    // Any other test may end it too, as soon as it is there: it is nobody's.
    let ended = Ending()
    let watch = Task {
      _ = try? await orphan.value; ended.set()
    }
    while !ended.isSet, try await !cleaned([]).contains(words) { try await Task.sleep(for: .milliseconds(20)) }
    await watch.value
    #expect(try await orphan.value == .signaled(SIGKILL))
  }

  private final class Ending: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
  }

  // MARK: - Checkouts

  private func worktrees(_ place: Place) async throws -> [Substring] {
    try await Repository.git(["worktree", "list", "--porcelain"], in: place.brood.folder).split(separator: "\n")
      .filter { $0.hasPrefix("worktree ") }
  }

  private func checkouts(_ place: Place) -> [String] {
    let revisions = place.brood.folder.path + "/.tailrace/revisions"
    return ((try? FileManager.default.contentsOfDirectory(atPath: revisions)) ?? []).filter { $0 != ".gitignore" }
  }

  @Test func aCheckoutWhoseBuildFailsIsRemoved() async throws {
    let place = try Place()
    try await Repository.make(in: place.brood.folder)
    let outcome = try await place.run(["gate", "plain.yaml", "--against", "HEAD", "--build", "echo broken; exit 1"])
    #expect(outcome.status == 64 && outcome.error.contains("broken"), "\(outcome)")
    #expect(checkouts(place).isEmpty)
    #expect(try await worktrees(place).count == 1)
  }

  @Test(arguments: [[Signal.interrupt], [.terminate], [.kill]])
  func aCheckoutWhoseBuildIsCutOffIsRemoved(_ signals: [Signal]) async throws {
    let place = try Place()
    try await Repository.make(in: place.brood.folder)
    let build = ["gate", "plain.yaml", "--against", "HEAD", "--progress", "none", "--build"]
    let (_, status, error) = try await place.brood.run(
      build + ["\(place.brood.folder.path)/brood"], signals: signals, once: Brood.size)
    if signals == [.kill] {
      #expect(checkouts(place).count == 2, "\(checkouts(place))")
      let shown = try await place.run(["clean", "--dry-run"])
      #expect(shown.output.contains(", a checkout whose build was killed"), "\(shown)")
      #expect(try await worktrees(place).count == 2)
      let next = try await place.run(build + ["exit 1"])
      #expect(next.status == 64, "\(next)")
    } else {
      #expect(status == .exited(4), "\(status) \(error)")
      #expect(error.contains("not finished: the build was interrupted"), "\(error)")
    }
    #expect(checkouts(place).isEmpty, "\(checkouts(place))")
    #expect(try await worktrees(place).count == 1)
  }

  @Test func aCheckoutThatIsBuiltNowIsLeftAlone() async throws {
    let place = try Place()
    try await Repository.make(in: place.brood.folder)
    let build = Task {
      try await place.brood.run(
        [
          "gate", "plain.yaml", "--against", "HEAD", "--progress", "none", "--build",
          "\(place.brood.folder.path)/brood",
        ],
        signals: [.kill], once: Brood.size + 1)
    }
    try await Brood.wait { place.brood.processes.count >= Brood.size }
    let cleaned = try await place.run(["clean"])
    #expect(!cleaned.output.contains("checkout"), "\(cleaned)")
    #expect(checkouts(place).count == 2)
    let pids = try FileHandle(forWritingTo: place.brood.folder.url.appendingPathComponent("pids"))
    try pids.seekToEnd()
    try pids.write(contentsOf: Data("1\n".utf8))
    try pids.close()
    _ = try await build.value
    let later = try await place.run(["clean"])
    #expect(later.output.contains("Removed ") && later.output.contains("a checkout whose build was killed"), "\(later)")
    #expect(checkouts(place).isEmpty)
    #expect(try await worktrees(place).count == 1)
  }
}
