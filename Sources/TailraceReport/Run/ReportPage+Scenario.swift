import TailraceCore
import TailraceMeasurement

extension ReportPage {
  mutating func addScenario(_ scenario: ScenarioResult) {
    page.heading(2, scenario.name)
    page.paragraph((only == nil ? "**\(scenario.verdict.word).** " : "") + scenario.summary)
    if !scenario.source.isEmpty { page.paragraph("Source: \(scenario.source)") }
    page.list(scenario.notes)
    if !scenario.settings.isEmpty {
      page.paragraph("Settings: " + scenario.settings.map { "\($0.name) `\($0.value)`" }.joined(separator: ", "))
    }
    addTrace(scenario)
    addFailedRuns(scenario)
    guard let run = scenario.primary else {
      page.paragraph(scenario.failedRuns == nil ? "No run was made." : "Nothing was measured.")
      return
    }
    if only == nil { addTargets(scenario) }
    addPublished(scenario)
    addComparison(scenario)
    addModel(scenario)
    addJobs(run)
    addFailures(scenario)
    addResponse(run)
    addSeries(run)
    addWork(scenario)
    addCrashes(scenario)
    addDrivers(scenario)
    addValidity(scenario)
    addResources(scenario)
    for run in scenario.runs {
      guard let leftOut = run.observations.attemptsLeftOut, leftOut > 0 else { continue }
      page.paragraph(
        "The job list of \(run.system) is incomplete: \(counted(leftOut, "attempt")) did not fit. "
          + "The figures above include all attempts.")
    }
  }

  /// Systems on which nothing could be measured, with their messages.
  mutating func addFailedRuns(_ scenario: ScenarioResult) {
    for failure in scenario.failedRuns ?? [] {
      page.paragraph(
        "**The run on \(failure.system) failed**"
          + (failure.isPrimary && !scenario.runs.isEmpty
            ? ". The targets apply to it, so none is met; the figures are from the other systems." : "."))
      page.figure(failure.lines)
    }
  }

  mutating func addTargets(_ scenario: ScenarioResult) {
    defer { addRegressions(scenario.regressions ?? []) }
    guard !scenario.targets.isEmpty else { return }
    page.heading(only == nil ? 3 : 2, "Targets")
    page.table(
      ["Target", .number("Observed"), .number("Limit"), .number("Margin"), .number("Samples"), .verdict("Verdict")],
      cells: scenario.targets.map { target in
        let margin = target.margin.map { margin in
          let relative = target.relativeMargin.map { " (\(HumanUnits.share($0)))" } ?? ""
          return HumanUnits.difference(margin, target.unit) + relative
        }
        let words = [
          "`\(target.expression)`", HumanUnits.value(target.observed, target.unit),
          "\(target.comparison.rawValue) \(HumanUnits.value(target.limit, target.unit))", margin ?? "–",
          HumanUnits.count(Double(target.samples)),
        ]
        return [Table.Cell](words: words) + [.verdict(VerdictLabel(target.verdict, note: noted(target.note)))]
      })
  }

  private mutating func addRegressions(_ bounds: [String]) {
    guard !bounds.isEmpty else { return }
    page.paragraph(
      "Not checked by a single run: \(bounds.map { "`\($0)`" }.joined(separator: ", ")). `tailrace gate` checks them "
        + "against a baseline.")
  }

  mutating func addPublished(_ scenario: ScenarioResult) {
    guard !scenario.published.isEmpty else { return }
    page.heading(3, "Published beside measured")
    let isScaled = (scenario.primary?.timeScale ?? 1) != 1
    page.table(
      ["Figure", .number("Published")] + (isScaled ? [Table.Column.number("At this time scale")] : []) + [
        .number("Measured"), .number("Difference"), .number("Samples"),
      ],
      scenario.published.map { figure in
        let difference = figure.measured.map { measured in
          let change = measured - figure.value
          let sign = change > 0 ? "+" : ""
          let relative = figure.value == 0 ? "" : " (\(sign)\(HumanUnits.share(change / figure.value)))"
          return "\(sign)\(HumanUnits.difference(change, figure.unit))\(relative)"
        }
        return ["`\(figure.metric)`", figure.published]
          + (isScaled ? [HumanUnits.value(figure.value, figure.unit)] : [])
          + [
            HumanUnits.value(figure.measured, figure.unit), (difference ?? "–") + noted(figure.note),
            HumanUnits.count(Double(figure.samples)),
          ]
      })
  }

  mutating func addComparison(_ scenario: ScenarioResult) {
    guard scenario.runs.count > 1 else { return }
    page.heading(3, scenario.sequential == nil ? "Systems side by side" : "Sequential beside concurrent")
    page.table(
      [
        "System", .number("Completed"), .number("Success"), .number("Makespan"), .number("Throughput"),
        .number("Speedup"), .number("Time saved"), .number("Response p50"),
        .number("Response p99"),
        .number("Response max"), .number("Peak memory"),
      ],
      scenario.runs.map { run in
        let response = run.measurement.all[.response]
        let percentiles = response?.percentiles([50, 99]) ?? [nil, nil]
        let isSequential = run.isSequential
        let speedup = isSequential ? nil : Metric(.figure(.speedup)).answer(from: [run] + scenario.runs).value
        let saved = isSequential ? nil : Metric(.figure(.timeSaved)).answer(from: [run] + scenario.runs).value
        return [
          run.system + (run.repetition > 1 ? " (\(run.repetition))" : ""),
          HumanUnits.value(run.measurement[.completed], .count), JobFates(run).share,
          HumanUnits.value(run.measurement[.makespan], .time),
          HumanUnits.value(run.measurement[.throughput], .rate), speedup.map { HumanUnits.digits($0) + " ×" } ?? "–",
          HumanUnits.value(saved, .ratio), time(percentiles[0]), time(percentiles[1]), time(response?.max),
          HumanUnits.value(run.measurement[.peakMemory], .bytes),
        ]
      })
    if scenario.sequential != nil, !scenario.runs.contains(where: { $0.repetition > 1 }) {
      page.paragraph(
        "All systems replayed one tape, once, so the speedup has no confidence interval. Peak memory is that of the "
          + "process so far, so later runs cannot show less.")
    }
  }

  /// Causes of unintended failures; empty if there are none.
  mutating func addFailures(_ scenario: ScenarioResult) {
    let failing = scenario.runs.filter { $0.observations.failures != nil }
    guard !failing.isEmpty else { return }
    page.heading(3, "Failures")
    page.table(
      ["System", .number("Attempts"), "Reason"],
      failing.flatMap { run -> [[String]] in
        guard let failures = run.observations.failures else { return [] }
        let rows = failures.ordered.map { [run.system, HumanUnits.count(Double($0.attempts)), $0.words] }
        let others = [run.system, HumanUnits.count(Double(failures.others)), "other reasons"]
        return rows + (failures.others > 0 ? [others] : [])
      })
    page.paragraph("Intended failures are not listed.")
  }

  mutating func addJobs(_ run: RunResult) {
    page.heading(3, "Jobs")
    let measurement = run.measurement
    let rows = measurement.distinctClasses.map(jobRow)
    page.table(
      [
        "Class", .number("Jobs"), .number("Success"), .number("Waiting p50"), .number("p99"), .number("max"),
        .number("Service mean"), .number("p99"), .number("Response p50"), .number("p90"),
        .number("p99"), .number("max"), .number("Uncorrected p99"),
      ], rows)
    let causes = SettlementCause.allCases.filter { measurement.all.causes[$0] > 0 }
    var words = causes.map { "\(HumanUnits.count(Double(measurement.all.causes[$0]))) \($0.name)" }
      .joined(separator: ", ")
    words += "; \(counted(measurement.all.attempts, "attempt")), \(counted(measurement.all.retries, "retr"))"
    words = words.hasSuffix("retr") ? words + "y" : words.hasSuffix("retrs") ? String(words.dropLast()) + "ies" : words
    page.paragraph("Outcomes: \(words).")
    if let faults = run.observations.injectedFaults {
      page.paragraph(
        "Injected by the scenario's fault plan: "
          + (faults.words.isEmpty ? "none; no fault fell into the run." : faults.words.joined(separator: ", ") + "."))
    }
    if measurement.unmeasured.total > 0 {
      page.paragraph(
        "\(counted(measurement.unmeasured.total, "job")) outside the measurement window ("
          + "\(time(measurement.windowStart)) to \(time(measurement.windowEnd)) of the run) not counted.")
    }
  }

  private func jobRow(_ jobs: ClassMeasurement) -> [String] {
    let waiting = jobs[.waiting]
    let response = jobs[.response]
    let wait = waiting?.percentiles([50, 99]) ?? [nil, nil]
    let whole = response?.percentiles([50, 90, 99]) ?? [nil, nil, nil]
    return [
      jobs.key.name, HumanUnits.count(Double(jobs.causes.total)), HumanUnits.value(jobs.causes.success, .ratio),
      time(wait[0]), time(wait[1]), time(waiting?.max), time(jobs[.service]?.mean),
      time(jobs[.service]?.percentile(99)), time(whole[0]), time(whole[1]), time(whole[2]), time(response?.max),
      time(jobs[.responseUncorrected]?.percentile(99)),
    ]
  }

  /// What a crash test did, and what became of the jobs; nothing for other runs.
  mutating func addCrashes(_ scenario: ScenarioResult) {
    for run in scenario.runs {
      guard let crash = run.observations.crash else { continue }
      page.heading(3, "Crash test on \(run.system)")
      let restart =
        crash.restart.map { "a replacement was asked for after \(time($0))" } ?? "no replacement was started"
      page.paragraph(
        "\(counted(crash.kills.count, "kill")): \(crash.act) to a process with the role \(crash.role)"
          + (crash.act == "SIGKILL" ? "; \(restart)" : "")
          + ". The run waited up to \(time(crash.patience)) for its jobs.")
      let lost = run.measurement[.lost] ?? 0
      page.table(
        ["What became of the jobs", .number("Jobs")],
        [
          ["intended", HumanUnits.count(Double(run.measurement.all.causes.total) + lost)],
          ["lost: not settled at the end", HumanUnits.count(lost)],
          [
            "running in a process when it was killed", HumanUnits.count(Double(crash.kills.reduce(0) { $0 + $1.held })),
          ],
          ["… of these, never started again", HumanUnits.count(Double(crash.notRecovered))],
          ["run again after they had completed", HumanUnits.count(Double(crash.runTwice))],
          ["completed twice", HumanUnits.count(Double(crash.completedTwice))],
        ])
      if let recovery = crash.recovery {
        let percentiles = recovery.percentiles([50, 90, 99])
        page.table(
          [
            "Recovery", .number("Jobs"), .number("min"), .number("p50"), .number("p90"), .number("p99"), .number("max"),
          ],
          [
            [
              "from the kill to the job's next start", HumanUnits.count(Double(recovery.total)), time(recovery.min),
              time(percentiles[0]), time(percentiles[1]), time(percentiles[2]), time(recovery.max),
            ]
          ])
      }
      page.table(
        ["Kill", .number("At"), "Process", .number("Jobs running"), .number("Throughput dip"), .number("Lasted")],
        zip(1..., crash.kills).prefix(50).map { number, kill in
          let dip = Self.dip(run.measurement.throughput, after: kill.at)
          return [
            "\(number)", time(kill.at), kill.process, HumanUnits.count(Double(kill.held)),
            HumanUnits.value(dip.map(\.depth), .ratio), dip.map { time($0.length) } ?? "–",
          ]
        })
      if crash.kills.count > 50 { page.paragraph("\(crash.kills.count - 50) more kills are in result.json.") }
      page.paragraph(
        "A dip is how far throughput fell below its mean in the ten slots before the kill, in the lowest slot until it "
          + "reached that mean again; slots last \(time(run.measurement.throughput.width)).")
    }
  }

  /// How far throughput fell after an instant, as a share, and how long it stayed below its level before.
  private static func dip(_ series: Series, after instant: Nanoseconds) -> (depth: Double, length: Nanoseconds)? {
    let slot = Int(instant.rawValue / max(1, series.width.rawValue))
    guard slot < series.values.count else { return nil }
    let before = series.values[max(0, slot - 10)..<slot]
    guard !before.isEmpty else { return nil }
    let level = before.reduce(0, +) / Double(before.count)
    guard level > 0 else { return nil }
    var lowest = level
    var end = slot
    while end < series.values.count, end == slot || series.values[end] < level {
      lowest = min(lowest, series.values[end])
      end += 1
    }
    return (1 - lowest / level, Nanoseconds(Int64(end - slot) * series.width.rawValue))
  }

  /// The schedulers behind drivers, and how jobs reached them; nothing if there are none.
  mutating func addDrivers(_ scenario: ScenarioResult) {
    for run in scenario.runs where run.repetition == 1 {
      guard let driver = run.observations.driver else { continue }
      page.heading(3, "Scheduler: \(driver.name) \(driver.version)")
      if !driver.settings.isEmpty {
        page.paragraph("Settings: " + driver.settings.map { "\($0.name) `\($0.value)`" }.joined(separator: ", "))
      }
      if !driver.lacks.isEmpty { page.paragraph("It lacks \(driver.lacks.joined(separator: ", ")).") }
      page.list(driver.notes)
      let ways: [(String, Distribution?)] = [
        ("the generator sent the job late by", run.observations.generatorLateness),
        ("hand-over: from sending until the driver called the scheduler", run.observations.handOver),
        ("submission: the call of the scheduler", run.observations.submission),
      ]
      page.table(
        ["On \(run.system)", .number("Jobs"), .number("Mean"), .number("p50"), .number("p99"), .number("max")],
        ways.compactMap { name, times in
          guard let times, times.count > 0 else { return nil }
          let percentiles = times.percentiles([50, 99])
          return [
            name, HumanUnits.count(Double(times.count)), time(times.mean), time(percentiles[0]), time(percentiles[1]),
            time(times.max),
          ]
        })
    }
  }

  mutating func addValidity(_ scenario: ScenarioResult) {
    page.heading(3, "Validity")
    for (index, run) in scenario.runs.enumerated() {
      let isPlain = run.validity.allSatisfy { $0.verdict == .passed || $0.verdict == .unavailable }
      if index > 0, isPlain {
        let passed = run.validity.count { $0.verdict == .passed }
        page.paragraph("On \(run.system): valid; \(counted(passed, "check")) passed; the others do not apply.")
        continue
      }
      if scenario.runs.count > 1 { page.paragraph("On \(run.system): \(run.isValid ? "valid" : "**invalid**").") }
      page.table(
        ["Check", .verdict("Verdict"), .number("Observed"), .number("Bound"), "Meaning"],
        cells: run.validity.map { check in
          [
            .words(check.name), .verdict(VerdictLabel(check.verdict)),
            .words(HumanUnits.value(check.observed, check.unit)),
            .words(check.verdict == .unavailable ? "–" : HumanUnits.value(check.bound, check.unit)),
            .words(check.words),
          ]
        })
    }
  }

  mutating func addResources(_ scenario: ScenarioResult) {
    page.heading(3, "Resources")
    let names: [(FigureName, String)] = [
      (.utilization, "Utilization"), (.offeredLoad, "Offered load (erlangs)"), (.concurrencyMax, "Maximum concurrency"),
      (.queueDepthMax, "Maximum queue depth"), (.startsPerSecondMax, "Maximum starts in any second"),
      (.jobsInSystem, "Mean jobs in system"), (.processorTime, "CPU time"), (.peakMemory, "Peak memory"),
      (.bytesPerJob, "Allocated per job"), (.liveBytesWarm, "Live memory after warm-up"),
      (.liveBytesEnd, "Live memory at the end"), (.allocationsPerJob, "Allocations per job"),
      (.otherPrograms, "Other programs' CPU time"), (.runDelay, "Own threads' CPU wait"),
      (.wakeUpP50, "Waking a thread, p50"), (.wakeUpP99, "Waking a thread, p99"),
    ]
    let known = names.filter { name, _ in scenario.runs.contains { $0.measurement[name] != nil } }
    page.table(
      ["Figure"] + scenario.runs.map { Table.Column.number($0.system) },
      known.map { name, words in
        [words] + scenario.runs.map { HumanUnits.value($0.measurement[name], name.unit) }
      })
    let missing = names.compactMap { name, words -> String? in
      guard let reason = scenario.runs.compactMap({ $0.reading(of: name)?.unavailable }).first else { return nil }
      return "\(words.lowercased()) (\(reason))"
    }
    if !missing.isEmpty { page.paragraph("Unavailable: \(missing.joined(separator: "; ")).") }
    guard let workers = scenario.primary?.measurement.workers, workers.count > 1 else { return }
    let shown = workers.prefix(32).map { "\($0.name) \(HumanUnits.share($0.utilization))" }
    let rest = workers.count > 32 ? ", … \(workers.count - 32) more in results.csv" : ""
    page.paragraph("Busy share of each worker: \(shown.joined(separator: ", "))\(rest).")
  }
}

extension RunMeasurement {
  /// All jobs, the job types and the priorities, without those that repeat the figures of others.
  var distinctClasses: [ClassMeasurement] {
    classesWithoutRepeats.filter { $0.key.type == nil || $0.key.priority == nil }
  }

  /// The classes, without the only job type, which has all jobs, and without a priority or a pair that has the jobs of
  /// one type and no others.
  var classesWithoutRepeats: [ClassMeasurement] {
    let types = classes.filter { $0.key.type != nil && $0.key.priority == nil }
    return classes.filter { jobs in
      guard let priority = jobs.key.priority else {
        return jobs.key.type == nil || types.count > 1 || !jobs.hasSameJobs(as: all)
      }
      return !types.contains { $0.hasSameJobs(as: jobs) && priorities[$0.key.type ?? ""] == priority }
    }
  }
}

extension ClassMeasurement {
  /// Whether every figure is the same.
  fileprivate func hasSameJobs(as other: ClassMeasurement) -> Bool {
    causes == other.causes && parts == other.parts && attempts == other.attempts && retries == other.retries
  }
}
