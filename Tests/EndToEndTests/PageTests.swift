// Goal: report.html opens from a file in a real browser, at the widths of a phone, a tablet and a laptop, on light and
// on dark paper, with nothing beyond the edge, and it needs nothing but itself.

import Foundation
import Testing

@Suite(.serialized, .enabled(if: Browser.path != nil, "no chromium on this machine: apt-get install chromium"))
struct PageTests {
  /// A report of scenarios with retries, warm-up, several classes and a graph, in virtual time.
  private static func makeReport(in folder: TemporaryFolder) async throws -> URL {
    let outcome = try await Binary.run(
      ["run", "governance-five", "governance-services", "policies-priority", "--system", "simulated", "--quiet"],
      in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    return folder.url.appendingPathComponent("reports/latest/report.html")
  }

  @Test func itFitsEveryWidthOnEveryPaper() async throws {
    let folder = try TemporaryFolder()
    let page = try await String(contentsOf: Self.makeReport(in: folder), encoding: .utf8)
    for (width, isDark) in [(375, false), (375, true), (768, false), (1_280, false), (1_280, true)] {
      let look = try await Browser.look(at: page, width: width, isDark: isDark, in: folder)
      #expect(look.isDark == isDark)
      #expect(look.scrollWidth <= look.width, "the page scrolls sideways at \(width): \(look)")
      #expect(look.beyond == [], "at \(width)")
      #expect(look.emptyPictures == [], "at \(width)")
      #expect(look.pictures >= 15 && look.height > 3_000, "\(look)")
      #expect(look.focusable >= 30, "\(look)")
    }
  }

  /// On a phone too, a target's limit is beside its observed value, however long the target's expression and values.
  @Test(arguments: [360, 375, 768])
  func aTargetsLimitIsBesideItsValue(width: Int) async throws {
    let folder = try TemporaryFolder()
    let scenario = """
      name: long-names
      summary: Targets that take much space.
      jobs:
        nightly_export_of_all_accounts: {priority: low, service: 1ms}
        check: {service: 1ms}
      load: {constant: 20000/s, of: {nightly_export_of_all_accounts: 1, check: 1}, count: 4000}
      duration: 1s
      scheduler: {workers: 30}
      targets:
        - waiting{type=nightly_export_of_all_accounts}.p99.9 < 100000s
        - completed{type=nightly_export_of_all_accounts} > 1234
        - throughput > 1234.56/s
        - response{type=nightly_export_of_all_accounts,priority=low}.p99 <= 12345ms
        - success >= 99.99%
      """
    try Data(scenario.utf8).write(to: folder.url.appendingPathComponent("long.yaml"))
    let outcome = try await Binary.run(["run", "long.yaml", "--system", "simulated", "--quiet"], in: folder)
    #expect(outcome.status == 0 || outcome.status == 2, "\(outcome)")
    let page = try folder.text("reports/latest/report.html")
    let look = try await Browser.look(at: page, width: width, isDark: false, in: folder)
    #expect(look.targetTables == 1 && look.cutTargets == [], "\(look)")
    #expect(look.scrollWidth <= look.width && look.beyond == [], "\(look)")
  }

  @Test func aComparisonFitsEveryWidth() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.run(
      [
        "compare", "governance-services", "--vary", "scheduler.policy=fifo,priority", "--system", "simulated",
        "--rounds", "12",
      ], in: folder)
    #expect(outcome.status == 0 || outcome.status == 3, "\(outcome)")
    let page = try folder.text("reports/latest/report.html")
    for (width, isDark) in [(375, false), (768, true), (1_280, false)] {
      let look = try await Browser.look(at: page, width: width, isDark: isDark, in: folder)
      #expect(look.scrollWidth <= look.width && look.beyond == [] && look.emptyPictures == [], "at \(width): \(look)")
      // The intervals, the parts of the time, and the response time.
      #expect(look.pictures >= 3, "\(look)")
    }
  }

  @Test func itIsSeenFromAFile() async throws {
    let folder = try TemporaryFolder()
    let page = try await Self.makeReport(in: folder)
    var sizes: [Int] = []
    for (width, isDark) in [(500, false), (768, false), (1_280, false), (1_280, true)] {
      let picture = try await Browser.screenshot(of: page, width: width, isDark: isDark, in: folder)
      #expect(picture.starts(with: [0x89, 0x50, 0x4e, 0x47]))
      // An empty page of this size is a few thousand bytes.
      #expect(picture.count > 30_000, "\(width): \(picture.count) bytes")
      sizes.append(picture.count)
    }
    #expect(Set(sizes).count == sizes.count, "each looks different")
  }

  @Test func itNeedsNothingButItself() async throws {
    let folder = try TemporaryFolder()
    let page = try await String(contentsOf: Self.makeReport(in: folder), encoding: .utf8)
    for outside in ["http:", "https:", "src=", "@import", "<script", "<link", "javascript:", "<iframe", "srcset"] {
      #expect(!page.contains(outside), "\(outside)")
    }
    for reference in page.matches(of: /(?:url\(|href=")([^)"]*)/) { #expect(reference.1.hasPrefix("#")) }
  }
}
