import Foundation
import Subprocess

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// One command of a soak, in a session of its own, with limits around it.
struct SoakCommand {
  var arguments: [String]
  /// Limits that a shell sets before it becomes the program, such as `ulimit -n 40`.
  var limits = "ulimit -v 8000000"
  /// Statuses that are answers.
  var statuses: Set<Int32> = [0, 2, 3, 4, 5, 64]
  /// Signals, each after so many milliseconds.
  var signals: [(after: Int, signal: Signal)] = []
  /// Where standard output goes instead of to a pipe.
  var outputTo: String?
  /// The most that it may take, in seconds, before the first signal and from then on.
  var seconds = 20.0

  /// How long a command may go on after its first signal: `--grace`, two seconds, and one for a busy machine.
  var secondsAfterSignal: Double {
    let grace = arguments.firstIndex(of: "--grace").map { arguments[$0 + 1] }
    return ["500ms": 0.5, "1s": 1][grace ?? ""].map { $0 + 3 } ?? 13
  }

  /// What no answer to a user may hold.
  private static let raw = [
    "Fatal error", "NSCocoaErrorDomain", "DecodingError", "The operation couldn", "Problem error", "Swift/", "swift_",
    "Index out of range",
  ]

  /// Whether a command that was interrupted, as it has said, says what that means.
  private static func saysItIsUnfinished(_ said: String, in folder: SoakFolder) -> Bool {
    guard said.contains("Interrupted: running") else { return true }
    let output = (try? String(contentsOfFile: "\(folder.path)/stdout.txt", encoding: .utf8)) ?? ""
    return (said + output).lowercased().contains("not finished")
  }

  /// What is left in TMPDIR, except results that could not be written elsewhere and that the program reports.
  private static func leftFiles(in folder: SoakFolder, said text: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/tmp")) ?? []
    return files.filter { !$0.hasPrefix("kept-by-tailrace-") || !text.contains("/\($0)/") }
  }

  /// Runs it in the folder.
  ///
  /// - Returns: What is wrong with how it ended, a line each.
  func faults(in folder: SoakFolder) async throws -> [String] {
    let words = (["exec", Binary.path] + arguments).map { "'" + $0.replacing("'", with: "'\\''") + "'" }
    let line =
      "\(limits) 2>/dev/null; \(words.joined(separator: " ").replacing("'exec'", with: "exec"))"
      + (outputTo.map { " > '\($0)'" } ?? "")
    try folder.write("command", line + "\n")
    var platform = PlatformOptions()
    platform.createSession = true
    let said = "\(folder.path)/stderr.txt"
    let error = try FileDescriptor.open(
      FilePath(said), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    let out = try FileDescriptor.open(
      FilePath("\(folder.path)/stdout.txt"), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    let start = Date()
    let watch = SoakWatch()
    let (signals, seconds) = (signals, seconds)
    let result = try await Subprocess.run(
      .path("/bin/bash"), arguments: ["-c", line],
      environment: .inherit.updating([
        "TMPDIR": "\(folder.path)/tmp", "TERM": "dumb", "SWIFT_BACKTRACE": "enable=no", "NO_COLOR": "1",
      ]),
      workingDirectory: FilePath(folder.path), platformOptions: platform, input: .none,
      output: .fileDescriptor(out, closeAfterSpawningProcess: true),
      error: .fileDescriptor(error, closeAfterSpawningProcess: true)
    ) { execution in
      let session = execution.processIdentifier.value
      watch.session = session
      for signal in signals {
        try await Task.sleep(for: .milliseconds(signal.after))
        try? execution.send(signal: signal.signal)
      }
      let deadline = Date().addingTimeInterval(seconds)
      while Date() < deadline {
        if SoakWatch.hasEnded(session) { return }
        try await Task.sleep(for: .milliseconds(5))
      }
      watch.isLate = true
      _ = killpg(session, SIGKILL)
    }
    var faults: [String] = []
    if watch.isLate { faults.append("had not ended after \(Int(Date().timeIntervalSince(start))) s") }
    switch result.terminationStatus {
    case .exited(let status):
      let isSignalled = status > 128 && signals.contains { status == 128 + $0.signal.rawValue }
      if !statuses.contains(status), !isSignalled { faults.append("ended with status \(status)") }
    case .signaled(let number):
      if !watch.isLate, !signals.contains(where: { $0.signal.rawValue == number }) {
        faults.append("was ended by signal \(number)")
      }
    }
    let text = String(decoding: (try? Data(contentsOf: URL(fileURLWithPath: said))) ?? Data(), as: UTF8.self)
    if result.terminationStatus == .exited(4), !Self.saysItIsUnfinished(text, in: folder) {
      faults.append("does not say that it is not finished")
    }
    for phrase in Self.raw where text.contains(phrase) { faults.append("says '\(phrase)'") }
    // Of a program that was killed the keeper ends what is left, once it has heard of it.
    var left = SoakWatch.members(of: watch.session)
    for _ in 0..<200 where !left.isEmpty {
      try await Task.sleep(for: .milliseconds(20))
      left = SoakWatch.members(of: watch.session)
    }
    if !left.isEmpty {
      faults.append("left behind: \(left.joined(separator: ", "))")
      _ = killpg(watch.session, SIGKILL)
    }
    let wasKilled = signals.contains { $0.signal.rawValue == SIGKILL }
    let files = Self.leftFiles(in: folder, said: text)
    if !files.isEmpty, !wasKilled, !watch.isLate { faults.append("left in TMPDIR: \(files.joined(separator: ", "))") }
    return faults
  }
}

/// What is known of a command's session.
final class SoakWatch: @unchecked Sendable {
  var session: pid_t = 0
  var isLate = false

  /// Whether the process is gone, or only waits to be collected.
  static func hasEnded(_ process: pid_t) -> Bool {
    guard let fields = stat(process) else { return true }
    return fields.first == "Z"
  }

  /// Processes of a session that still run, by name.
  static func members(of session: pid_t) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.compactMap { process in
      // state ppid pgrp session …
      guard process != session, let fields = stat(process), fields.count > 3, fields[0] != "Z",
        fields[3] == "\(session)"
      else { return nil }
      let name = (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)) ?? ""
      return "\(name.trimmingCharacters(in: .whitespacesAndNewlines)) (\(process))"
    }
  }

  /// The fields of /proc/PID/stat from the state on.
  private static func stat(_ process: pid_t) -> [Substring]? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return nil }
    return text[text.index(after: end)...].split(separator: " ")
  }
}
