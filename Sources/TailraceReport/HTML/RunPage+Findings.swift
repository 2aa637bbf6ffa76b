import TailraceMeasurement

extension RunPage {
  /// What failed and why, then warnings. Each kind has its own sign and color.
  func addFindings(to html: inout HTML) {
    let findings = ReportPage(suite: suite).findings
    add(findings.filter { $0.kind != .warning }, "What failed", to: &html)
    add(findings.filter { $0.kind == .warning }, "Warnings", to: &html)
  }

  private func add(_ findings: [ReportPage.Finding], _ title: String, to html: inout HTML) {
    guard !findings.isEmpty else { return }
    html.element("h3", title)
    html.element("ul", ["class": "findings"]) { html in
      for finding in findings.prefix(ReportPage.findingLimit) {
        html.element("li", ["class": finding.kind.rawValue]) {
          $0.prose(finding.words)
          guard !finding.why.isEmpty else { return }
          $0.element("p", ["class": "why"]) {
            $0.prose(finding.why.joined(separator: " "))
            guard finding.hasPicture else { return }
            $0.words(" ")
            $0.element("a", ["href": "#scenario-\(finding.scenario + 1)-over"], "Over time")
          }
        }
      }
    }
    guard findings.count > ReportPage.findingLimit else { return }
    html.element("p", "… and \(findings.count - ReportPage.findingLimit) more, in the scenarios below.")
  }
}
