import CPlatform

/// The calling thread's timer slack. The default of 50 µs makes each sleep late by as much.
package enum FineTimer {
  /// Sets the slack to 1 ns. Returns whether the system allows it.
  @discardableResult
  package static func enable() -> Bool { cplatform_set_timer_slack_ns(1) == 0 }
}
