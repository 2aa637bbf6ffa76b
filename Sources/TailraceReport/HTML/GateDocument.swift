import TailraceMeasurement

/// `report.html` of a gate: its verdict and its checks, then the comparisons behind it.
struct GateDocument {
  let findings: GateFindings

  static func render(_ findings: GateFindings) throws(ReportProblem) -> String {
    let findings = try ForeignText.unmarked(findings)
    let document = GateDocument(findings: findings)
    let comparison = findings.comparison
    let page = Page(title: "\(findings.word): \(comparison.name)", kind: "gate", version: comparison.version)
    return page.render(
      header: { document.addHead(to: &$0) },
      body: { html in
        html.element("section", ["class": "scenario", "aria-label": "Checks"]) { html in
          html.element("h2", "Checks")
          var checks = Markdown()
          GatePage.addChecks(findings, limit: .max, to: &checks)
          html.add(checks.blocks, caption: "Checks")
        }
        for (index, rounds) in GatePage.rounds(of: findings).enumerated() {
          html.element("h2", rounds.title)
          ComparisonDocument(result: rounds.comparison).addBody(
            of: rounds.title, id: "rounds-\(index + 1)", to: &html)
        }
      })
  }

  private func addHead(to html: inout HTML) {
    let comparison = findings.comparison
    html.element("h1") {
      $0.add(Self.badge(findings))
      $0.words(comparison.name)
    }
    html.element("p", ["class": "lead"]) { $0.prose(GatePage.summary(findings)) }
    RunPage.addFates(comparison.fates, to: &html)
    let notices = [
      ("Do not trust the figures:", findings.invalid),
      ("Bounds that these rounds cannot check:", findings.boundsInNoise.map(GatePage.words)),
      ("Forced. The candidates differ in more than the tested change:", comparison.forced),
    ]
    for (words, lines) in notices where !lines.isEmpty {
      html.element("div", ["class": "notice"]) {
        $0.element("p") { $0.prose("**\(words)**") }
        $0.element("ul") { html in for line in lines { html.element("li") { $0.prose(line) } } }
      }
    }
    let labels = comparison.candidates.map(\.label)
    html.element("dl", ["class": "meta"]) { html in
      for (name, value) in [
        ("Started", comparison.started), ("Baseline", labels.first ?? "–"), ("Candidate", labels.last ?? "–"),
        ("Exit status", "\(findings.exitStatus)"),
      ] {
        html.element("div") {
          $0.element("dt", name + " ")
          $0.element("dd", value)
        }
      }
    }
  }

  private static func badge(_ findings: GateFindings) -> HTML {
    let (sign, kind) =
      switch findings.exitStatus {
      case 0: ("✓", "passed")
      case 2: ("✗", "missed")
      case 3: ("▼", "worse")
      case 5: ("?", "unclear")
      default: ("!", "invalid")
      }
    let word = findings.word.prefix(1) + findings.word.dropFirst().lowercased()
    return HTML("span", ["class": "verdict \(kind)"], "\(sign) \(word)")
  }
}
