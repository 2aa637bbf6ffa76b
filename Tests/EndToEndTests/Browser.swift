// Goal: look at a page as a reader's browser does, without a network and without touching the page itself.

import Foundation
import Subprocess

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// Debian's Chromium, or what it is called elsewhere, without a window.
enum Browser {
  static let path: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    for name in ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"] {
      for folder in folders + ["/usr/bin"] {
        let path = "\(folder)/\(name)"
        if FileManager.default.isExecutableFile(atPath: path) { return path }
      }
    }
    return nil
  }()

  /// What a page looks like in a frame of some width: the browser's own window has a least width.
  struct Look: Decodable {
    /// Of the frame and of what is in it, in pixels.
    var width: Double
    var scrollWidth: Double
    var height: Double
    /// Elements that reach beyond the frame, but those in a region that scrolls.
    var beyond: [String]
    /// Pictures, and those without any extent.
    var pictures: Int
    var emptyPictures: [String]
    /// Names of tables and regions that can be reached by the tabulator key alone.
    var focusable: Int
    /// Targets whose observed value or limit is visible only after scrolling.
    var cutTargets: [String]
    /// The number of tables of targets.
    var targetTables: Int
    var isDark: Bool
  }

  /// Opens a copy of a page, with a few lines added that measure it, in a frame.
  static func look(at page: String, width: Int, isDark: Bool, in folder: TemporaryFolder) async throws -> Look {
    let probe = """
      <script>
      addEventListener('load', () => {
        const width = document.documentElement.clientWidth;
        const beyond = [...document.querySelectorAll('body *')].filter(e => {
          if (e.closest('.scroll, .skip, defs, .definitions, caption')) return false;
          const box = e.getBoundingClientRect();
          return box.width > 0 && box.height > 0 && (box.right > width + 1 || box.left < -1);
        }).map(e => e.tagName + '.' + e.getAttribute('class') + ' ' + e.textContent.slice(0, 40));
        const pictures = [...document.querySelectorAll('svg.picture')];
        const empty = pictures.filter(e => {
          const box = e.getBoundingClientRect();
          return box.width < 100 || box.height < 40;
        });
        const tables = [...document.querySelectorAll('table.targets')];
        const cut = tables.flatMap(e => [...e.rows]).filter(row =>
          [...row.cells].slice(0, 3).some(e => e.getBoundingClientRect().right > width));
        parent.postMessage({
          width, scrollWidth: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight,
          beyond: beyond.slice(0, 10), pictures: pictures.length,
          emptyPictures: empty.map(e => e.querySelector('title').textContent),
          focusable: document.querySelectorAll('a[href], summary, [tabindex="0"]').length,
          cutTargets: cut.map(e => e.textContent), targetTables: tables.length,
          isDark: matchMedia('(prefers-color-scheme: dark)').matches,
        }, '*');
      });
      </script>
      """
    let copy = folder.url.appendingPathComponent("copy.html")
    try page.replacing("</body>", with: probe + "</body>").write(to: copy, atomically: true, encoding: .utf8)
    let frame = folder.url.appendingPathComponent("frame.html")
    try """
    <!DOCTYPE html><body style="margin:0">
    <script>addEventListener('message', e => { document.body.dataset.look = JSON.stringify(e.data); });</script>
    <iframe src="copy.html" style="width:\(width)px;height:900px;border:0"></iframe></body>
    """.write(to: frame, atomically: true, encoding: .utf8)
    let text = try await run(["--dump-dom", "--window-size=1400,1000"], on: frame, isDark: isDark, in: folder)
    guard let found = text.firstMatch(of: /data-look="([^"]*)"/) else { throw NoLook(text: String(text.prefix(500))) }
    let json = found.1.replacing("&quot;", with: "\"").replacing("&lt;", with: "<").replacing("&amp;", with: "&")
    return try JSONDecoder().decode(Look.self, from: Data(json.utf8))
  }

  /// The browser said nothing of the page.
  struct NoLook: Error { var text: String }

  /// A picture of the page's head, as a file in the Portable Network Graphics format.
  static func screenshot(of page: URL, width: Int, isDark: Bool, in folder: TemporaryFolder) async throws -> Data {
    let file = folder.url.appendingPathComponent("look.png")
    _ = try await run(
      ["--screenshot=\(file.path)", "--window-size=\(width),1400", "--hide-scrollbars"], on: page, isDark: isDark,
      in: folder)
    return try Data(contentsOf: file)
  }

  private static func run(
    _ arguments: [String], on page: URL, isDark: Bool, in folder: TemporaryFolder
  ) async throws -> String {
    let all =
      [
        "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
        "--user-data-dir=\(folder.path)/browser", "--host-resolver-rules=MAP * ~NOTFOUND",
        "--virtual-time-budget=10000", "--timeout=60000",
        "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)",
      ] + arguments + [page.absoluteString]
    let result = try await Subprocess.run(
      .path(FilePath(path!)), arguments: Arguments(all), output: .string(limit: 64 << 20), error: .discarded)
    return result.standardOutput
  }
}
