// Whoever embeds the scheduler needs the words of the core (`Priority`, `JobID`, `SchedulerConfiguration`, …) too.
@_exported import TailraceCore
