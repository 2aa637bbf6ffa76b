// Goal: continuous integration judges by the values in a report's tables. Whatever the words of report.md are, what did
// not hold is found, and what the host may be to blame for is told from what it cannot be.

import Foundation
import Subprocess
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

struct FindingsTests {
  private static let repository = Binary.tests.deletingLastPathComponent().deletingLastPathComponent()

  private func findings(_ report: URL) async throws -> (status: Bool, lines: [String], error: String) {
    let result = try await Subprocess.run(
      .path(FilePath(Self.repository.appendingPathComponent(".ci/findings").path)), arguments: [report.path],
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    return (
      result.terminationStatus.isSuccess, result.standardOutput.split(separator: "\n").map(String.init),
      result.standardError
    )
  }

  private func makeReport(targets: String, checks: String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try Data(targets.utf8).write(to: folder.url.appendingPathComponent("targets.csv"))
    try Data(checks.utf8).write(to: folder.url.appendingPathComponent("checks.csv"))
    return folder
  }

  @Test func aRealReportIsReadWithoutItsWords() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.run(
      [
        "run", Binary.scenario("steady"), "--system", "simulated", "--quiet", "--target", "response.p50 < 1ns",
        "--target", "completed == 1", "--target", "waiting{priority=normal}.max < 1ns",
      ], in: folder)
    #expect(outcome.status == 2, "\(outcome)")
    let report = folder.url.appendingPathComponent("reports/latest").resolvingSymlinksInPath()
    for words in ["report.md", "report.html", "result.json"] {
      try FileManager.default.removeItem(at: report.appendingPathComponent(words))
    }
    let found = try await findings(report)
    #expect(found.status, "\(found)")
    #expect(found.lines.contains("steady\thost\tresponse.p50"), "\(found)")
    #expect(found.lines.contains("steady\tproject\tcompleted"), "\(found)")
    #expect(!found.lines.contains { $0.contains("parts_add_up") }, "\(found)")
  }

  @Test func quotedFieldsAndChecksAreRead() async throws {
    let report = try makeReport(
      targets: """
        scenario,target,metric,comparison,unit,limit,observed,margin,relative_margin,samples,verdict,note
        a,"so, < 1ms","service{type=x,priority=low}.p99",<,ns,1,2,-1,-1,9,missed,"so ""odd"", too"
        a,lost == 0,lost,==,count,0,0,0,,9,met,
        b,success > 99%,success,>,ratio,0.99,,,,0,no samples,

        """,
      checks: """
        run,scenario,system,check,verdict,unit,value,bound
        1,a,live,host_steal,failed,ratio,0.2,0.1
        1,a,live,littles_law,failed,ratio,0.2,0.05
        1,b,live,other_programs,warning,ratio,0.2,0.1
        ,c,exec:./x,replayed,failed,,,

        """)
    let found = try await findings(report.url)
    #expect(found.status, "\(found)")
    #expect(
      found.lines == [
        "a\thost\tservice{type=x,priority=low}.p99", "b\thost\tsuccess", "a\thost\thost_steal",
        "a\tproject\tlittles_law", "c\tproject\treplayed",
      ])
  }

  /// A table that is not as it should be is never taken for one in which all is well.
  @Test(arguments: ["", "scenario,target\na,b\n", "scenario,verdict,metric\na,met\n"])
  func whatCannotBeReadIsAnError(_ targets: String) async throws {
    let report = try makeReport(targets: targets, checks: "run,scenario,system,check,verdict,unit,value,bound\n")
    let found = try await findings(report.url)
    #expect(!found.status && found.error.contains("targets.csv"), "\(found)")
  }

  @Test func theScriptReadsNoWords() throws {
    let script = try String(contentsOf: Self.repository.appendingPathComponent(".ci/run"), encoding: .utf8)
    #expect(script.contains(".ci/findings") && !script.contains("report.md"))
  }
}
