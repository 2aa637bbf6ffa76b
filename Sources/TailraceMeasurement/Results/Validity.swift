import TailraceCore

/// Limits beyond which a run's figures are not trusted.
package struct ValidityBounds: Sendable, Hashable {
  /// Share of the jobs intended in the window that may be missing from those submitted in it; at least three jobs.
  package var rateShortfall = 0.01
  /// The generator's own lateness at p99, as a share of the mean response time, above which there is a warning…
  package var latenessWarning = 0.05
  /// … unless it is below this.
  package var latenessWarningFloor = Nanoseconds.milliseconds(1)
  /// The same share above which the run is invalid…
  package var latenessLimit = 0.25
  /// … unless it is below this, the occasional delay of a sleeping thread on a shared host.
  package var latenessLimitFloor = Nanoseconds.milliseconds(20)
  /// Relative difference of the two sides of Little's law.
  package var little = 0.05
  /// Absolute difference in jobs below which they agree, whatever their ratio.
  package var littleFloor = 0.05
  /// Share of CPU time taken by the host above which there is a warning…
  package var stealWarning = 0.01
  /// … and above which the run is invalid.
  package var stealLimit = 0.10
  /// Minimum host clock ticks (10 ms each, all CPUs together) for either: half a second on two CPUs. With fewer, a
  /// single tick would be a large share.
  package var stealTicks = 100
  /// Share of CPU time used by other programs above which there is a warning. A run alone on its machine shows −1 to 1
  /// %, even if it uses every CPU. One busy loop is 50 % on two CPUs and 6 % on sixteen.
  package var othersWarning = 0.05
  /// Above this the run is invalid, if the other programs delayed it. Otherwise CPUs were idle.
  package var othersLimit = 0.10
  /// The minimum delay: how long the run's own threads waited for a CPU, as a share of its work. Service times grow by
  /// about this share (jobs that sleep 8 ms: 7.5 % of waiting, 8 % longer on average). At 5 % the mean response time of
  /// a system with 90 % utilization doubles: 1.05 ÷ (1 − 0.9 × 1.05) compared with 1 ÷ (1 − 0.9).
  package var delayLimit = 0.05
  /// Maximum total pause of the process, as a share of the run's length. Throughput and makespan get worse by this
  /// share, which a comparison considers no difference, and too few jobs for p99 are affected…
  package var standstillLimit = 0.01
  /// … unless the total is below this: less than four of the shortest gaps that count.
  package var standstillFloor = Nanoseconds.milliseconds(100)
  /// Maximum length of a single gap in a run of any length. Only a stopped process has longer ones.
  package var standstillLongest = Nanoseconds.seconds(1)
  package init() {}
}

/// A check of a run's validity certificate.
package struct ValidityCheck: Sendable, Hashable, Codable {
  package enum Verdict: String, Sendable, Codable {
    case passed
    /// Noteworthy, but the run is valid.
    case warning
    case failed
    /// Could not be checked; ``words`` contains the reason.
    case unavailable = "not checked"
  }
  /// What is checked, as a stable name for files: `generator_lateness`.
  package var name: String
  package var verdict: Verdict
  /// In ``unit``.
  package var observed: Double?
  /// The maximum passing value, in ``unit``.
  package var bound: Double?
  package var unit: FigureUnit
  /// The explanation for a reader.
  package var words: String

  /// Creates the certificate of a run.
  package static func certificate(
    of measurement: RunMeasurement, observations: Observations, bounds: ValidityBounds
  ) -> [ValidityCheck] {
    let lateness = checkLateness(measurement, observations, bounds)
    let handOver = checkHandOver(measurement, observations, bounds).map { [$0] } ?? []
    return [
      checkRate(measurement, observations, bounds, isLate: lateness.verdict == .failed), lateness,
    ] + handOver + [
      checkLittle(measurement, observations, bounds), checkLost(measurement, observations),
      checkDuplicated(measurement, observations),
      checkParts(measurement), checkRange(measurement), checkSteal(observations, bounds),
      checkOthers(measurement, observations, bounds), standstill(observations, bounds),
      checkInterruption(measurement, observations),
    ]
  }

  private static func checkRate(
    _ measurement: RunMeasurement, _ observations: Observations, _ bounds: ValidityBounds, isLate: Bool
  ) -> ValidityCheck {
    let offered = measurement.intendedInWindow
    let achieved = measurement.submittedInWindow
    var check = ValidityCheck(
      name: "offered_vs_achieved", verdict: .passed, observed: nil, bound: nil, unit: .count, words: "")
    guard observations.isOpenLoop else {
      check.verdict = .unavailable
      check.words = "arrivals follow the system's pace: there is no offered rate"
      return check
    }
    guard offered > 0 else {
      check.verdict = .failed
      check.words = "no job was intended within the measurement window"
      return check
    }
    let missing = abs(offered - achieved)
    let bound = max((bounds.rateShortfall * Double(offered)).rounded(.down), 3)
    check.observed = Double(missing)
    check.bound = bound
    check.words = "jobs missing: \(offered) were due in the window, \(achieved) were submitted in it"
    guard Double(missing) > bound else { return check }
    let dropped = measurement.all.causes[.dropped]
    // Jobs that are unaccounted for were not blocked.
    let lost = Int(measurement[.lost] ?? 0)
    if lost > 0, observations.injectedFaults == nil, observations.crash == nil {
      check.verdict = .failed
      check.words += "; \(lost) jobs are unaccounted for"
      return check
    }
    if isLate || Double(dropped) > bound {
      check.verdict = .failed
      check.words += "; \(dropped) were dropped: the generator did not offer the scenario's load"
    } else {
      check.verdict = .warning
      check.words +=
        "; a full queue blocked their submitter; response time, which starts at the intended arrival, includes this"
    }
    return check
  }

  private static func checkLateness(
    _ measurement: RunMeasurement, _ observations: Observations, _ bounds: ValidityBounds
  ) -> ValidityCheck {
    var check = ValidityCheck(
      name: "generator_lateness", verdict: .passed, observed: nil, bound: nil, unit: .time, words: "")
    guard let lateness = observations.generatorLateness, lateness.count > 0 else {
      check.verdict = .unavailable
      check.words = "no load generator with a schedule of its own took part"
      return check
    }
    judge(&check, lateness, measurement, bounds) {
      "the generator's own lateness at \($0) of \(lateness.total) submissions"
    }
    return check
  }

  /// The same for the driver, which must not delay the jobs that it submits; nil: no driver took part.
  private static func checkHandOver(
    _ measurement: RunMeasurement, _ observations: Observations, _ bounds: ValidityBounds
  ) -> ValidityCheck? {
    guard let handOver = observations.handOver, handOver.count > 0 else { return nil }
    var check = ValidityCheck(
      name: "driver_hand_over", verdict: .passed, observed: nil, bound: nil, unit: .time, words: "")
    judge(&check, handOver, measurement, bounds) {
      "from sending a job to the driver until it called the scheduler, at \($0) of \(handOver.total) jobs"
    }
    // A crash test asks what became of the jobs; a server that is down delays the driver's calls.
    if observations.crash != nil, check.verdict == .failed { check.verdict = .warning }
    return check
  }

  /// Judges delays of the measurement itself, at the highest percentile that has enough samples.
  private static func judge(
    _ check: inout ValidityCheck, _ delays: Distribution, _ measurement: RunMeasurement, _ bounds: ValidityBounds,
    _ words: (_ statistic: String) -> String
  ) {
    let response = measurement.all[.response]?.mean.rawValue ?? 0
    let warning = max(Double(bounds.latenessWarningFloor.rawValue), bounds.latenessWarning * Double(response))
    let limit = max(Double(bounds.latenessLimitFloor.rawValue), bounds.latenessLimit * Double(response))
    let ladder = [99.0, 90, 50]
    let values = delays.percentiles(ladder)
    let rung = values.firstIndex { $0 != nil }
    let value = rung.flatMap { values[$0] } ?? delays.min
    check.observed = Double(value.rawValue)
    check.bound = limit
    check.verdict = Double(value.rawValue) > limit ? .failed : Double(value.rawValue) > warning ? .warning : .passed
    check.words = words(rung.map { Statistic.percentile(ladder[$0]).name } ?? "least")
  }

  private static func checkLittle(
    _ measurement: RunMeasurement, _ observations: Observations, _ bounds: ValidityBounds
  ) -> ValidityCheck {
    var check = ValidityCheck(
      name: "littles_law", verdict: .passed, observed: nil, bound: bounds.little, unit: .ratio, words: "")
    guard let mean = observations.meanJobsInSystem.value, observations.observedFor > .zero else {
      check.verdict = .unavailable
      check.words = observations.meanJobsInSystem.unavailable ?? "the run took no time"
      return check
    }
    let rate = Double(measurement.acceptedJobs) / observations.observedFor.seconds
    let product = rate * measurement.meanTimeInSystem / 1e9
    let difference = abs(product - mean)
    let relative = difference / max(product, mean, .leastNormalMagnitude)
    check.observed = relative
    let holds = relative <= bounds.little || difference <= bounds.littleFloor
    // Jobs that never settled are in the scheduler's mean but in no timeline.
    let isCut = (observations.cutOff ?? 0) > 0
    check.verdict = holds ? .passed : isCut ? .unavailable : .failed
    check.words =
      "\(rounded(mean)) jobs in system by the scheduler's count; "
      + "\(rounded(product)) = \(rounded(rate)) jobs/s × "
      + "\(rounded(measurement.meanTimeInSystem / 1e6)) ms by the timelines"
    if isCut { check.words += "; jobs cut off may be in the former only" }
    return check
  }

  private static func checkLost(_ measurement: RunMeasurement, _ observations: Observations) -> ValidityCheck {
    let lost = measurement[.lost] ?? 0
    let isCrashTest = observations.crash != nil
    let injected = isCrashTest ? lost : Double(observations.injectedFaults?.jobsLost ?? 0)
    var words =
      lost == 0
      ? "every intended job settled or was counted as dropped or unsettled"
      : "settled, dropped and unsettled jobs together are not the intended ones"
    if injected > 0 { words = "\(Int(injected)) were lost by an injected fault; only the difference is unexpected" }
    if isCrashTest { words = "a crash test counts lost jobs: \(Int(lost)); they do not make it invalid" }
    return ValidityCheck(
      name: "none_lost", verdict: lost == injected ? .passed : .failed, observed: lost, bound: injected, unit: .count,
      words: words)
  }

  private static func checkDuplicated(_ measurement: RunMeasurement, _ observations: Observations) -> ValidityCheck {
    let duplicated = measurement[.duplicated] ?? 0
    let injected = Double(observations.injectedFaults?.jobsDoubled ?? 0)
    var words = duplicated == 0 ? "no job settled twice" : "jobs settled more than once"
    if injected > 0 {
      words = "\(Int(injected)) were submitted twice by an injected fault; only the difference is unexpected"
    }
    return ValidityCheck(
      name: "none_duplicated", verdict: duplicated == injected ? .passed : .failed, observed: duplicated,
      bound: injected, unit: .count, words: words)
  }

  private static func checkParts(_ measurement: RunMeasurement) -> ValidityCheck {
    var check = ValidityCheck(name: "parts_add_up", verdict: .passed, observed: 0, bound: 0, unit: .time, words: "")
    let open = measurement.classes.filter { !$0.parts.isComplete }
    if let wrong = measurement.classes.first(where: { $0.parts.isComplete && !$0.parts.addUp }) {
      check.verdict = .failed
      check.observed = Double(wrong.parts.gap.magnitude)
      check.words = "in class \(wrong.key.name) the parts of jobs' time do not add up to the whole"
      if wrong.parts.gap == 0 { check.words += ": an attempt does not start where the previous one ended" }
    } else if let unsettled = open.first {
      check.verdict = .unavailable
      check.observed = nil
      check.words = "\(unsettled.parts.begun - unsettled.parts.settled) jobs have parts but no end"
    } else {
      check.words = "in every class, lag, submission, dependency wait, waiting, service and backoff add up to the whole"
    }
    return check
  }

  private static func checkRange(_ measurement: RunMeasurement) -> ValidityCheck {
    let samples = Quantity.allCases.compactMap { measurement.all[$0] }
    let below = samples.reduce(0) { $0 + $1.below }
    let above = samples.reduce(0) { $0 + $1.above }
    let sum = below + above
    return ValidityCheck(
      name: "within_range", verdict: sum == 0 ? .passed : .failed, observed: Double(sum), bound: 0, unit: .count,
      words: sum == 0
        ? "no sample outside the histograms' range" : "\(below) samples below zero, \(above) above ten years")
  }

  private static func checkSteal(_ observations: Observations, _ bounds: ValidityBounds) -> ValidityCheck {
    var check = ValidityCheck(
      name: "host_steal", verdict: .passed, observed: observations.hostSteal.value, bound: bounds.stealLimit,
      unit: .ratio, words: "CPU time taken by the host")
    guard let share = observations.hostSteal.value else {
      check.verdict = .unavailable
      check.words = observations.hostSteal.unavailable ?? "not measured"
      return check
    }
    if let ticks = observations.hostTicks, ticks < bounds.stealTicks {
      check.verdict = .unavailable
      check.words = "the run was too short: \(ticks) ticks of the host's clock; \(bounds.stealTicks) are needed"
      return check
    }
    check.verdict = share > bounds.stealLimit ? .failed : share > bounds.stealWarning ? .warning : .passed
    return check
  }

  private static func checkOthers(
    _ measurement: RunMeasurement, _ observations: Observations, _ bounds: ValidityBounds
  ) -> ValidityCheck {
    var check = ValidityCheck(
      name: "other_programs", verdict: .passed, observed: observations.otherPrograms?.value,
      bound: bounds.othersLimit, unit: .ratio, words: "CPU time used by other programs")
    guard let share = observations.otherPrograms?.value else {
      check.verdict = .unavailable
      check.words = observations.otherPrograms?.unavailable ?? "not measured"
      return check
    }
    if let ticks = observations.hostTicks, ticks < bounds.stealTicks {
      check.verdict = .unavailable
      check.words = "the run was too short: \(ticks) ticks of the host's clock; \(bounds.stealTicks) are needed"
      return check
    }
    let delayed = observations.delayedShare(service: Double(measurement.all.parts[.service]))
    if let delay = observations.runDelay?.value, let delayed {
      check.words +=
        "; the run's own threads waited \(rounded(delay / 1e9)) s for a CPU, "
        + "\(rounded(delayed * 100)) % of the work"
    }
    guard share > bounds.othersWarning else { return check }
    // The threads of an `exec:` program are invisible, and its servers count as other programs, so this is only a
    // warning.
    check.verdict = share > bounds.othersLimit && delayed ?? 0 > bounds.delayLimit ? .failed : .warning
    check.words += ": stop other programs on this machine, or reserve CPUs for the run"
    return check
  }

  /// Checks for pauses of the process or the machine.
  package static func standstill(
    _ observations: Observations, _ bounds: ValidityBounds = ValidityBounds()
  ) -> ValidityCheck {
    let limit = max(bounds.standstillFloor, observations.observedFor.scaled(by: bounds.standstillLimit))
    var check = ValidityCheck(
      name: standstillName, verdict: .passed, observed: nil, bound: Double(limit.rawValue), unit: .time, words: "")
    guard let standstill = observations.standstill else {
      check.verdict = .unavailable
      check.words = "standstill was not monitored"
      return check
    }
    let isLong = standstill.longest > bounds.standstillLongest
    check.observed = Double(standstill.total.rawValue)
    check.verdict = isLong || standstill.total > limit ? .failed : standstill.gaps > 0 ? .warning : .passed
    guard standstill.gaps > 0 else {
      check.words = "neither the process nor the machine stood still"
      return check
    }
    func time(_ value: Nanoseconds) -> String { "\(rounded(value.seconds)) s" }
    check.words =
      "the process or the machine stood still for \(time(standstill.total)) of \(time(observations.observedFor)), "
      + (standstill.gaps == 1
        ? "in 1 gap" : "in \(standstill.gaps) gaps, the longest of \(time(standstill.longest))")
    if standstill.suspended > .zero { check.words += "; it was suspended for \(time(standstill.suspended)) of it" }
    if check.verdict == .failed {
      if isLong { check.bound = Double(min(limit, bounds.standstillLongest).rawValue) }
      check.words += ": it was stopped by a signal or a debugger, or its host stopped it; run it again"
    }
    return check
  }

  /// The name of the check.
  package static let standstillName = "process_standstill"

  private static func checkInterruption(
    _ measurement: RunMeasurement, _ observations: Observations
  ) -> ValidityCheck {
    let cutOff = observations.cutOff ?? 0
    let occupied = Int(measurement[.leftRunning] ?? 0)
    var words: [String] = []
    if observations.isInterrupted { words.append("the run is not finished: it was interrupted") }
    if cutOff > 0 { words.append("\(cutOff) jobs had not settled when the time to drain was over") }
    if occupied > 0 { words.append("\(occupied) handlers had not returned when the run ended") }
    // A handler that outlives its settled job occupies a worker, but every figure of the run is complete.
    let isWhole = !observations.isInterrupted && cutOff == 0
    return ValidityCheck(
      name: "ran_to_end", verdict: !isWhole ? .failed : occupied > 0 ? .warning : .passed, observed: Double(cutOff),
      bound: 0, unit: .count, words: words.isEmpty ? "the run went to its end" : words.joined(separator: "; "))
  }

  /// Three significant digits, for words.
  private static func rounded(_ value: Double) -> String {
    guard value != 0, value.isFinite else { return "0" }
    var factor = 1.0
    while abs(value) * factor < 100 { factor *= 10 }
    let text = "\((value * factor).rounded() / factor)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
