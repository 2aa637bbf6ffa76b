import ArgumentParser

/// Flags of `run`: where its report goes, what is in it, and what is said meanwhile.
struct OutputOptions: ParsableArguments {
  @OptionGroup var place: ReportPlace
  @Flag(help: "Write jobs.csv too: one row for each attempt.")
  var jobs = false
  @Flag(help: "Write tape.csv and tape.yaml too: the run's jobs as a trace, and the scenario that replays it.")
  var recordTape = false
  @Flag(help: "Count allocations per job on 'live' exactly, in a run of its own before: takes twice as long.")
  var allocations = false
  @Flag(help: .hidden)
  var countsAllocations = false
  @Flag(help: "Print the result (result.json) instead of a summary, and write no report; the status is 0.")
  var emitResult = false
  @Option(
    help: ArgumentHelp(
      "auto: one line with the time left on a terminal, nothing elsewhere; line: that line everywhere; tui: a "
        + "screenful of live figures on a terminal, plain elsewhere; plain: a line for each run, and one every five "
        + "seconds while it goes on; none. Without a value: plain where auto shows nothing.",
      valueName: "style"))
  var progress: ProgressStyle = .auto
}
