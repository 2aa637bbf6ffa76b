import TailraceMeasurement

/// Whether a warning matters, and what to do about it.
package enum ValidityAdvice {
  /// One or two sentences; nil if the check's own text is enough.
  package static func words(_ check: ValidityCheck) -> String? {
    guard check.verdict == .warning else { return nil }
    switch check.name {
    case "generator_lateness":
      return "Response times include this delay, so they are too long. Lower the rate or give the run more processors."
    case "driver_hand_over":
      return "Response times include this delay of the driver. Lower the rate, or make the driver read faster."
    case "offered_vs_achieved":
      return "Response times are correct. Raise the queue's capacity if jobs should not be held back."
    case "host_steal":
      return "Times may be a little too long. Run it again when the host is less busy before you compare figures."
    case "other_programs":
      return "Times may be a little too long. End other programs and run it again before you compare figures."
    case ValidityCheck.standstillName:
      return "Jobs of that moment took longer. Run it again if a maximum or a high percentile matters."
    case "ran_to_end": return "Every figure is complete. Look for handlers that ignore their timeout or cancellation."
    default: return nil
    }
  }
}
