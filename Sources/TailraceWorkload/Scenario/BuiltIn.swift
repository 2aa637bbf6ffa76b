import Foundation

/// The built-in scenarios: the YAML files of the source tree, embedded in the program.
package enum BuiltIn {
  /// A named, ordered set of scenarios.
  package struct Suite: Sendable, Hashable {
    package let name: String
    package let summary: String
    /// Names of scenarios in run order.
    package let scenarios: [String]
  }

  private static let texts: [(name: String, bytes: [UInt8])] = [
    ("governance-five", PackageResources.governance_five_yaml),
    ("governance-services", PackageResources.governance_services_yaml),
    ("audit-approvals", PackageResources.audit_approvals_yaml),
    ("companion-interactions", PackageResources.companion_interactions_yaml),
    ("swarm-tasks", PackageResources.swarm_tasks_yaml),
    ("swarm-database", PackageResources.swarm_database_yaml),
    ("swarm-subprocess", PackageResources.swarm_subprocess_yaml),
    ("swarm-events", PackageResources.swarm_events_yaml),
    ("pipeline-phases", PackageResources.pipeline_phases_yaml),
    ("coordinated-omission", PackageResources.coordinated_omission_yaml),
    ("no-op", PackageResources.no_op_yaml),
    ("quick-start", PackageResources.quick_start_yaml),
    ("four-servers", PackageResources.four_servers_yaml),
    ("policies-fifo", PackageResources.policies_fifo_yaml),
    ("policies-priority", PackageResources.policies_priority_yaml),
    ("policies-aging", PackageResources.policies_aging_yaml),
    ("policies-slope-aging", PackageResources.policies_slope_aging_yaml),
    ("policies-deadline", PackageResources.policies_deadline_yaml),
    ("policies-shortest", PackageResources.policies_shortest_yaml),
    ("policies-fair", PackageResources.policies_fair_yaml),
    ("overload-fixed", PackageResources.overload_fixed_yaml),
    ("overload-aimd", PackageResources.overload_aimd_yaml),
    ("overload-gradient", PackageResources.overload_gradient_yaml),
    ("overload-codel", PackageResources.overload_codel_yaml),
  ]

  /// The suites, `documented` first.
  package static let suites: [Suite] = [
    Suite(
      name: "documented", summary: "The job mixes of five documented systems, with their published figures.",
      scenarios: [
        "governance-five", "governance-services", "audit-approvals", "companion-interactions", "swarm-tasks",
        "swarm-database", "swarm-subprocess", "swarm-events", "pipeline-phases",
      ]),
    Suite(
      name: "policies", summary: "One overloaded mix of four job classes under each policy, to compare waiting times.",
      scenarios: [
        "policies-fifo", "policies-priority", "policies-aging", "policies-slope-aging", "policies-deadline",
        "policies-shortest", "policies-fair",
      ]),
    Suite(
      name: "overload",
      summary: "A load that exceeds the backend's capacity for a while, with and without adaptive limits.",
      scenarios: ["overload-fixed", "overload-aimd", "overload-gradient", "overload-codel"]),
  ]

  /// The names of all built-in scenarios, the suite `documented` first.
  package static var all: [String] { texts.map(\.name) }

  /// The YAML of a built-in scenario; nil: there is none with this name.
  package static func yaml(named name: String) -> String? {
    texts.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  /// The suite with a name; nil: there is none.
  package static func suite(named name: String) -> Suite? { suites.first { $0.name == name } }

  /// Parses a built-in scenario; nil: there is none with this name.
  ///
  /// - Parameters:
  ///   - overrides: `--set` pairs; see ``ScenarioParser/parse(yaml:file:overrides:checking:)``.
  ///   - check: Validates targets and published figures.
  package static func scenario(
    named name: String, overrides: [(key: String, value: String)] = [],
    checking check: ExpressionCheck = .none
  ) -> Result<Scenario, ScenarioProblems>? {
    yaml(named: name).map {
      ScenarioParser.parse(
        yaml: $0, file: "\(name).yaml", overrides: overrides, checking: check)
    }
  }
}
