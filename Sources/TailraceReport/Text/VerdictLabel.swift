import TailraceMeasurement

/// A verdict as documents show it: a word, a sign and a color.
struct VerdictLabel: Hashable {
  enum Kind: String {
    case good, bad, warn, idle
  }
  var kind: Kind
  /// Empty if the verdict needs no sign.
  var sign: String
  var word: String
  /// Whether Markdown emphasizes the word.
  var isStrong = false
  /// Whether Markdown shows the sign after the word. HTML shows it before the word.
  var showsSign = false
  /// Text after the verdict, with its separator.
  var note = ""

  /// The label in Markdown.
  var markdown: String { (isStrong ? "**\(word)**" : word) + (showsSign ? " \(sign)" : "") + note }
  /// The label without markup.
  var plain: String { word + (showsSign ? " \(sign)" : "") + note }
}

extension VerdictLabel {
  static func good(_ word: String, _ sign: String = "✓") -> VerdictLabel {
    VerdictLabel(kind: .good, sign: sign, word: word)
  }
  static func bad(_ word: String, _ sign: String = "✗") -> VerdictLabel {
    VerdictLabel(kind: .bad, sign: sign, word: word)
  }
  static func warn(_ word: String, _ sign: String) -> VerdictLabel {
    VerdictLabel(kind: .warn, sign: sign, word: word)
  }
  static func idle(_ word: String, _ sign: String = "") -> VerdictLabel {
    VerdictLabel(kind: .idle, sign: sign, word: word)
  }

  /// - Parameter word: The document's own word for the verdict, if it has one.
  init(_ verdict: Verdict, word: String? = nil) {
    let word = word ?? verdict.word
    switch verdict {
    case .passed: self = .good(word)
    case .missed: self = .bad(word)
    case .invalid: self = .warn(word, "!")
    case .noTargets: self = .idle(word)
    }
  }

  init(_ verdict: TargetOutcome.Verdict, note: String) {
    switch verdict {
    case .met: self = .good(verdict.rawValue)
    case .missed, .noSamples: self = .bad(verdict.rawValue)
    }
    isStrong = verdict != .met
    self.note = note
  }

  init(_ verdict: ValidityCheck.Verdict) {
    switch verdict {
    case .passed: self = .good(verdict.rawValue)
    case .warning: self = .warn(verdict.rawValue, "!")
    case .failed: self = .bad(verdict.rawValue)
    case .unavailable: self = .idle(verdict.rawValue)
    }
    isStrong = verdict == .failed
  }

  init(_ verdict: ComparisonVerdict, note: String = "") {
    switch verdict {
    case .better: self = .good(verdict.rawValue, "▲")
    case .worse: self = .bad(verdict.rawValue, "▼")
    case .same: self = .idle(verdict.rawValue, "=")
    case .unclear: self = .warn(verdict.rawValue, "?")
    }
    isStrong = verdict == .better || verdict == .worse
    showsSign = true
    self.note = note
  }

  init(_ verdict: GateCheck.Verdict) {
    switch verdict {
    case .met: self = .good("held")
    case .missed: self = .bad("FAILED")
    case .noValue: self = .bad("NO VALUE")
    case .unconfirmed: self = .idle("not confirmed", "~")
    case .unclear: self = .warn("unclear", "?")
    }
    isStrong = verdict == .missed || verdict == .noValue
    showsSign = true
  }

  init(_ verdict: CapacityPoint.Verdict) {
    switch verdict {
    case .sustained: self = .good(verdict.rawValue)
    case .missed, .growing: self = .bad(verdict.rawValue)
    case .unclear: self = .warn(verdict.rawValue, "?")
    }
  }

  init(_ verdict: CapacityTargetPoint.Verdict, note: String = "") {
    switch verdict {
    case .met: self = .good(verdict.rawValue)
    case .missed: self = .bad(verdict.rawValue)
    case .unclear: self = .warn(verdict.rawValue, "?")
    }
    self.note = note
  }

  /// Whether widening a constraint helps.
  init(_ sensitivity: ConstraintSensitivity) {
    let isClear = (sensitivity.change.low ?? 0) > 0 || (sensitivity.change.high ?? 0) < 0
    self = sensitivity.helps ? .good("helps", "▲") : isClear ? .bad("hurts", "▼") : .idle("no difference seen")
  }
}
