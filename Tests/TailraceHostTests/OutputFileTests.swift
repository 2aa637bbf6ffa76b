// Goal: files are written whole or not at all, nothing that is not ours is replaced, and every failure is worded.

import Foundation
import Testing
@testable import TailraceHost
@testable import TailraceText

struct OutputFileTests {
  private let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("tailrace-test-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func text(_ path: String) throws -> String {
    String(decoding: try InputFile.bytes(of: path, .result), as: UTF8.self)
  }
  private var entries: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? [] }

  @Test func aNewFileTakesNothingsPlace() throws {
    let path = "\(folder)/a.txt"
    try OutputFile.writeNew(Array("first".utf8), to: path)
    let problem = #expect(throws: FileProblem.self) { try OutputFile.writeNew(Array("second".utf8), to: path) }
    #expect(problem?.code == EEXIST)
    #expect(try text(path) == "first" && entries == ["a.txt"])
  }

  @Test func ofManyWritersOfANewFileOneWins() async throws {
    let path = "\(folder)/a.txt"
    let winners = await withTaskGroup(of: Int?.self) { group in
      for writer in 0..<16 {
        group.addTask {
          (try? OutputFile.writeNew(Array("\(writer)".utf8), to: path)) == nil ? nil : writer
        }
      }
      return await group.reduce(into: [Int]()) { if let writer = $1 { $0.append(writer) } }
    }
    #expect(winners.count == 1)
    #expect(try text(path) == winners.first.map { "\($0)" } && entries == ["a.txt"])
  }

  @Test func aNameIsReservedForOneAtATimeAndLeavesNothing() throws {
    let place = "\(folder)/store/baselines"
    do {
      let own = try FileReservation(".main.lock", in: place)
      let problem = #expect(throws: FileProblem.self) { try FileReservation(".main.lock", in: place) }
      #expect(problem?.code == EWOULDBLOCK)
      #expect(FileReservation.holder(of: ".main.lock", in: place) == getpid())
      _ = try FileReservation(".other.lock", in: place)
      withExtendedLifetime(own) {}
    }
    #expect(entries.isEmpty)
    // A file that a killed process left keeps nobody out.
    try OutputFile.makeFolder(place)
    try OutputFile.write(Array("1\n".utf8), to: "\(place)/.main.lock")
    _ = try FileReservation(".main.lock", in: place)
    #expect(entries.isEmpty)
  }

  @Test func aFileIsReplacedWholeAndKeepsItsMode() throws {
    let path = "\(folder)/a.txt"
    try OutputFile.write(Array("old and longer".utf8), to: path)
    chmod(path, 0o640)
    #expect(OutputFile.obstacle(toWriting: path) == nil)
    try OutputFile.write(Array("new".utf8), to: path)
    try OutputFile.append(Array("er".utf8), to: path)
    #expect(try text(path) == "newer" && entries == ["a.txt"])
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o640)
  }

  @Test func aLinkStaysALink() throws {
    let (link, target) = ("\(folder)/link", "\(folder)/target")
    symlink("target", link)
    for words in ["one", "two"] {
      try OutputFile.write(Array(words.utf8), to: link)
      #expect(try text(target) == words)
      #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: link)) == "target")
    }
    #expect(entries == ["link", "target"])
  }

  @Test func whatIsInTheWayIsToldBeforehandAndAfterwards() throws {
    try OutputFile.write([], to: "\(folder)/file")
    for (path, code, words) in [
      ("\(folder)/none/a", ENOENT, "its folder does not exist; make the folder first"),
      (folder, EISDIR, "it is a folder"),
      ("\(folder)/file/a", ENOTDIR, "a part of the path is not a folder"), ("", ENOENT, "its folder does not exist"),
    ] {
      let problem = try #require(OutputFile.obstacle(toWriting: path), "\(path)")
      #expect(problem.code == code && problem.description.contains(words), "\(problem)")
      #expect(throws: FileProblem.self) { try OutputFile.write([1], to: path) }
    }
    let filling = OutputFile.obstacle(toFilling: "\(folder)/file/reports")
    #expect(filling?.code == ENOTDIR)
    #expect(OutputFile.obstacle(toFilling: "\(folder)/a/b/c") == nil && entries == ["file"], "nothing is left of a try")
    #expect(OutputFile.obstacle(toFilling: "/proc/tailrace")?.action == .write)
    let missing = #expect(throws: FileProblem.self) { try InputFile.bytes(of: "\(folder)/none", .result) }
    #expect(missing?.description == "cannot read '\(folder)/none': it does not exist; check the path")
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFullDeviceIsWordedAndNotReplaced() throws {
    let problem = #expect(throws: FileProblem.self) { try OutputFile.write([1], to: "/dev/full") }
    #expect(problem?.description.contains("no space is left on the device; free some space") == true)
    var status = stat()
    #expect(lstat("/dev/full", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test func foldersAreMadeAndPathsWithDotsLeadThere() throws {
    try OutputFile.makeFolder("\(folder)/a/b/../c")
    #expect(entries == ["a"] && FileManager.default.fileExists(atPath: "\(folder)/a/c"))
    try OutputFile.makeFolder("\(folder)/a/c")
  }

  @Test func errorsOfLibrariesHaveNoDomains() {
    let errors: [any Error] = [
      CocoaError(.fileWriteNoPermission), CocoaError(.fileReadNoSuchFile), CocoaError(.fileWriteOutOfSpace),
      CocoaError(.fileWriteUnknown), POSIXError(.ENOSPC), CancellationError(),
      DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "raw")),
      EncodingError.invalidValue(1.0, .init(codingPath: [], debugDescription: "raw")),
      FileProblem(.read, "x", ENOENT), SystemRefusal("start a process", error: EMFILE),
    ]
    for error in errors {
      let words = ErrorWords.of(error)
      for raw in ["NSCocoa", "NSPOSIX", "Error Domain", "CocoaError", "DecodingError", "raw", "Optional("] {
        #expect(!words.contains(raw), "\(words)")
      }
      #expect(!words.isEmpty && words.first?.isUppercase == false, "\(words)")
    }
    #expect(ErrorWords.of(CocoaError(.fileWriteNoPermission)) == "permission is denied")
    #expect(ErrorWords.of(POSIXError(.ENOSPC)) == "no space is left on the device")
  }
}
