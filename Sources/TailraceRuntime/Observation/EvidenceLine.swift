import TailraceCore

/// Formats an event as a line of JSON, without a library: the keys are fixed, and strings are escaped.
struct EvidenceLine {
  private(set) var bytes: [UInt8] = []

  /// A line, including its newline.
  init(_ event: JobEvent) {
    bytes.reserveCapacity(512)
    bytes.append(UInt8(ascii: "{"))
    switch event.kind {
    case .attemptEnded(let attempt):
      field("kind", "attempt")
      describe(event)
      describe(attempt)
    case .settled(_, let cause):
      field("kind", "job")
      describe(event)
      field("settled_unix_ns", event.unixNanoseconds)
      field("cause", cause.name)
    case .refused(let refusal):
      field("kind", "refusal")
      describe(event)
      field("refused_unix_ns", event.unixNanoseconds)
      field("error", SchedulerError.refused(refusal).description)
    case .dropped(let count, let since):
      field("kind", "dropped")
      field("lines", Int64(count))
      field("since_unix_ns", event.unixNanoseconds - (event.instant - since).rawValue)
      field("until_unix_ns", event.unixNanoseconds)
    case .submitted, .admitted, .started, .progress, .stuck, .retrying:
      invariantViolated("an evidence log received \(event.kind)")
    }
    bytes.append(UInt8(ascii: "}"))
    bytes.append(UInt8(ascii: "\n"))
  }

  private mutating func describe(_ event: JobEvent) {
    field("job", Int64(clamping: event.number))
    // Written as a string, because many readers cannot represent it exactly as a double.
    field("job_id", event.job.map { "\($0.rawValue)" })
    field("type", event.type)
    field("priority", event.priority.name)
    field("pool", event.pool.name)
    key("labels")
    bytes.append(UInt8(ascii: "["))
    for (index, label) in event.labels.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      append(quoted: label)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  private mutating func describe(_ attempt: JobAttempt) {
    field("attempt", Int64(attempt.number))
    field("worker", Int64(attempt.worker))
    field("outcome", attempt.outcome.word)
    field("cause", attempt.cause?.name)
    field("error", attempt.error.map { "\($0)" })
    field("eligible_unix_ns", attempt.eligible.nanoseconds &+ attempt.unixOffset)
    field("started_unix_ns", attempt.startedUnixNanoseconds)
    field("finished_unix_ns", attempt.finishedUnixNanoseconds)
    field("waiting_ns", (attempt.started - attempt.eligible as Nanoseconds).rawValue)
    field("service_ns", (attempt.finished - attempt.started as Nanoseconds).rawValue)
    field("process_resident_delta_bytes", attempt.residentDelta.map { Int64($0) })
  }

  private mutating func key(_ name: StaticString) {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    bytes.append(UInt8(ascii: "\""))
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func field(_ name: StaticString, _ number: Int64?) {
    key(name)
    bytes.append(contentsOf: (number.map { "\($0)" } ?? "null").utf8)
  }

  private mutating func field(_ name: StaticString, _ text: String?) {
    key(name)
    if let text { append(quoted: text) } else { bytes.append(contentsOf: "null".utf8) }
  }

  /// Escapes the quotation mark, the backslash and characters below U+0020 (RFC 8259, section 7).
  private mutating func append(quoted text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x0A: bytes.append(contentsOf: "\\n".utf8)
      case 0x0D: bytes.append(contentsOf: "\\r".utf8)
      case 0x09: bytes.append(contentsOf: "\\t".utf8)
      case 0..<0x20:
        bytes.append(contentsOf: "\\u00".utf8)
        for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 48 + digit : 87 + digit) }
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

extension AttemptOutcome {
  /// The name in files, in the form `timed_out`.
  package var word: String {
    switch self {
    case .succeeded: "succeeded"
    case .failed: "failed"
    case .timedOut: "timed_out"
    case .cancelled: "cancelled"
    case .failedPermanently: "failed_permanently"
    case .crashed: "crashed"
    }
  }
}
