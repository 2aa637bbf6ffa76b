// Users of the scheduler also need the types of the core (`Priority`, `JobID`, `SchedulerConfiguration`, …) …
@_exported import TailraceCore
// … and the error for unknown time zones.
@_exported import TailraceTimeZones
// Handlers that measure their work read the scheduler's clock.
@_exported import enum TailracePlatform.MonotonicClock
