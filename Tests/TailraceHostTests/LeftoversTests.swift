// Goal: a name says whose it is, and nothing is removed that is or may be in use, or somebody else's.

import Foundation
import Testing
@testable import TailraceHost

struct LeftoversTests {
  private let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("tailrace-test-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private var entries: Set<String> { Set((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []) }

  private func make(_ name: OwnedName, age: TimeInterval = 0) throws -> String {
    let path = "\(folder)/\(name.text)"
    try FileManager.default.createDirectory(atPath: "\(path)/below", withIntermediateDirectories: true)
    try Data(repeating: 1, count: 1_000).write(to: URL(fileURLWithPath: "\(path)/below/file"))
    for place in ["\(path)/below/file", "\(path)/below", path] {
      try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: place)
    }
    return path
  }

  /// That of a process that had this one's number earlier.
  private func ended(_ kind: String) -> OwnedName {
    var name = OwnedName(kind: kind)
    name.start += 1
    return name
  }

  private func foreign(_ kind: String) -> OwnedName {
    var name = OwnedName(kind: kind)
    name.boot = ~name.boot
    return name
  }

  @Test func namesAreReadBackAndNothingElseIs() throws {
    for kind in ["sqlite", ".report.html", ".a.b-c", ".latest"] {
      let name = OwnedName(kind: kind)
      #expect(OwnedName(name.text) == name && name.owner == .lives)
    }
    #expect(OwnedName(kind: String(repeating: "x", count: 300)).text.utf8.count < 255)
    let text = OwnedName(kind: "sqlite").text
    let others = [
      "", "sqlite", "tailrace-1-2-3-4.5", ".tailrace-1-2-3-4.5", text + ".gz", text + " ", "x" + text.dropFirst(8),
      text.replacingOccurrences(of: "tailrace-", with: "tailrace-0"), "sqlite.tailrace-0-1-1-1.1",
      "sqlite.tailrace--1-1-1-1.1", "sqlite.tailrace-1-+1-1-1.1", "tailrace-\(UUID().uuidString)",
    ]
    for other in others { #expect(OwnedName(other)?.kind == nil, "'\(other)'") }
  }

  @Test func ownersAreToldApart() {
    #expect(OwnedName(kind: "a").owner == .lives)
    #expect(ended("a").owner == .hasEnded)
    #expect(foreign("a").owner == .unknown)
    var elsewhere = OwnedName(kind: "a")
    elsewhere.namespace += 1
    #expect(elsewhere.owner == .unknown)
    var gone = OwnedName(kind: "a")
    gone.process = 4_194_304 + 7
    #expect(gone.owner == .hasEnded)
  }

  @Test func onlyWhatAnEndedProcessMadeIsRemoved() throws {
    let living = try make(OwnedName(kind: "sqlite"))
    let dead = try make(ended("sqlite"))
    let young = try make(foreign("tape"))
    let old = try make(foreign("tape"), age: 3 * 86_400)
    for name in ["tailrace-\(UUID().uuidString)", "my.tailrace-notes.txt", "sqlite"] {
      try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    let before = entries
    let found = Leftovers(in: [folder, folder + "/"])
    #expect(Set(found.items.map(\.path)) == [dead, old])
    #expect(found.kept == [young])
    #expect(found.items.first { $0.path == dead }?.bytes == 1_000)
    #expect(found.remove().isEmpty)
    #expect(before.subtracting(entries) == Set([dead, old].map { URL(fileURLWithPath: $0).lastPathComponent }))
    #expect(FileManager.default.fileExists(atPath: "\(living)/below/file"))
    #expect(Leftovers(in: [folder]).items.isEmpty)
  }

  /// Something of a machine that cannot be asked is old only when nothing in it is young.
  @Test func whatChangesIsNotOld() throws {
    let path = try make(foreign("sqlite"), age: 3 * 86_400)
    try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: "\(path)/below/file")
    let found = Leftovers(in: [folder])
    #expect(found.items.isEmpty && found.kept == [path])
  }

  @Test func linksAreRemovedAndNotFollowed() throws {
    let precious = "\(folder)/precious"
    try FileManager.default.createDirectory(atPath: precious, withIntermediateDirectories: true)
    try Data("x".utf8).write(to: URL(fileURLWithPath: "\(precious)/file"))
    let dead = try make(ended("tape"))
    symlink(precious, "\(dead)/link")
    symlink("\(precious)/file", "\(dead)/below/link")
    let link = "\(folder)/\(ended(".latest").text)"
    symlink(precious, link)
    #expect(Leftovers(in: [folder]).remove().isEmpty)
    #expect(entries == ["precious"])
    #expect(FileManager.default.fileExists(atPath: "\(precious)/file"))
  }

  @Test func aFolderThatWasClosedIsRemovedToo() throws {
    let dead = try make(ended("tape"))
    chmod("\(dead)/below", 0o000)
    chmod(dead, 0o500)
    #expect(Leftovers(in: [folder]).remove().isEmpty)
    #expect(entries.isEmpty)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give a folder to another user"))
  func whatIsAnotherUsersIsLeft() throws {
    let dead = try make(ended("sqlite"))
    #expect(lchown(dead, 12_345, 12_345) == 0)
    let found = Leftovers(in: [folder])
    #expect(found.items.isEmpty && found.kept.isEmpty)
  }

  @Test func aClaimIsHadByOneAtATime() throws {
    let path = "\(folder)/claim"
    let first = try #require(try FileClaim(path))
    #expect(try FileClaim(path) == nil)
    first.end()
    #expect(entries.isEmpty)
    let second = try #require(try FileClaim(path))
    // As when its process is killed.
    second.leave()
    #expect(entries == ["claim"])
    try #require(try FileClaim(path)).end()
    #expect(entries.isEmpty)
    #expect(throws: FileProblem.self) { try FileClaim("\(folder)/nowhere/claim") }
  }
}
