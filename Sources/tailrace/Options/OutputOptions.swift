import ArgumentParser

/// Flags of `run` for its report and its progress display.
struct OutputOptions: ParsableArguments {
  @OptionGroup var place: ReportPlace
  @Flag(help: "Also write jobs.csv: one row per attempt.")
  var jobs = false
  @Flag(help: "Also write tape.csv and tape.yaml: the run's jobs as a trace, and a scenario that replays it.")
  var recordTape = false
  @Flag(help: "Count allocations per job on 'live' exactly, in a separate run first; takes twice as long.")
  var allocations = false
  @Flag(help: .hidden)
  var countsAllocations = false
  @Flag(help: "Print the result (result.json) instead of a summary, and write no report; the status is 0.")
  var emitResult = false
  @Option(
    help: ArgumentHelp(
      "auto: one line with the time left on a terminal, nothing elsewhere; line: that line everywhere; tui: a "
        + "full screen of live figures on a terminal, plain elsewhere; plain: a line for each run, and another every "
        + "five seconds; none. Without a value: plain if auto would show nothing.",
      valueName: "style"))
  var progress: ProgressStyle = .auto
}
