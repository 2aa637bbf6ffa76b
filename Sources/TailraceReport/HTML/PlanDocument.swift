import TailraceMeasurement

/// `report.html` of a plan: the contents of `report.md` under a header with the verdict.
package struct PlanDocument {
  /// The page as text.
  ///
  /// - Throws: ``ReportProblem`` if the result cannot be encoded and decoded.
  package static func render(_ result: PlanResult) throws(ReportProblem) -> String {
    let result = try ForeignText.unmarked(result)
    let page = Page(title: "Plan: \(result.scenario)", kind: "plan", version: result.version)
    let (head, body) = PlanPage.blocks(result)
    return page.render(
      header: { html in
        html.element("h1") {
          $0.add(badge(result))
          $0.words(result.scenario)
        }
        html.add(head)
        if !result.summary.isEmpty { html.element("p") { $0.prose(result.summary) } }
      }, body: { $0.add(body) })
  }

  private static func badge(_ result: PlanResult) -> HTML {
    if result.isInterrupted { return HTML("span", ["class": "verdict unclear"], "! Not finished") }
    if !result.isWhole { return HTML("span", ["class": "verdict invalid"], "! Invalid") }
    if let best = result.best {
      let name = PlanWords(result).name(result.candidates[best])
      return HTML("span", ["class": "verdict passed"], "✓ \(name)")
    }
    return result.undecided.isEmpty
      ? HTML("span", ["class": "verdict missed"], "✗ None") : HTML("span", ["class": "verdict unclear"], "? Unclear")
  }
}
