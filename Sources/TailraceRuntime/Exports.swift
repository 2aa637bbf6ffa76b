// Whoever embeds the scheduler needs the words of the core (`Priority`, `JobID`, `SchedulerConfiguration`, …) too.
@_exported import TailraceCore
// … and the error about a time zone that is not known.
@_exported import TailraceTimeZones
