import TailraceCore
import TailraceMeasurement
import TailraceSimulation
import TailraceWorkload

/// This project's own scheduler in virtual time: the same core as `live`, with the tape's service times.
package struct SimulatedSystem: ReplaySystem {
  package let name = "simulated"
  package let runsInVirtualTime = true
  package let heeds: Set<ReplaySetting> = [.maxLag]
  package init() {}

  package func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String] { scenario.lacksForVirtualTime }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    let scenario = replay.scenario
    let recorder = Recorder(replay.recorderSettings(origin: .zero))
    let tap = replay.progress?.openTap(shards: 1, recorder.settings)
    let summary = try await DedicatedThread.run {
      Simulation(replay.tape, dropAfter: replay.dropAfter).run(
        isInterrupted: { replay.interruption.isSet },
        progress: {
          replay.progress?.submitted($0, reached: $1 - .zero)
          replay.progress?.present($2)
        },
        record: {
          recorder.record($0)
          replay.log?.add($0)
          tap?.add($0, shard: 0)
        })
    }
    var observations = Observations.inVirtualTime
    observations.isOpenLoop = scenario.hasOpenArrivals
    observations.heldBack = summary.heldBack
    observations.observedFor = summary.ended - .zero
    observations.meanJobsInSystem = Reading(summary.meanJobsInSystem)
    observations.isInterrupted = replay.interruption.isSet
    if summary.cutOff > 0 { observations.cutOff = summary.cutOff }
    if !scenario.faults.isEmpty { observations.injectedFaults = InjectedFaults(summary.faults) }
    let configuration = SchedulerConfiguration(scenario, seed: replay.tape.seed)
    let facts = RunFacts(
      intended: summary.intended, workers: PoolID.allCases.map { ($0, configuration[$0].workers) },
      unsettled: summary.unsettled, startsWindow: replay.startsWindow
    ) { summary.dependencies[$0] ?? [] }
    return ReplayOutcome(recorder: recorder, facts: facts, observations: observations)
  }
}

/// One job at a time in virtual time: the baseline of a simulated speedup.
package struct SimulatedSequentialSystem: ReplaySystem {
  package let name = "simulated-sequential"
  package let runsInVirtualTime = true
  package let heeds: Set<ReplaySetting> = []
  package init() {}

  package func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String] {
    SequentialSystem().lacks(scenario) + scenario.lacksForVirtualTime
  }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    let recorder = Recorder(replay.recorderSettings(origin: .zero))
    let tap = replay.progress?.openTap(shards: 1, recorder.settings)
    let summary = try await DedicatedThread.run {
      var simulation = SequentialSimulation(replay.tape)
      return simulation.run(
        isInterrupted: { replay.interruption.isSet },
        progress: { replay.progress?.submitted($0, reached: $1 - .zero) },
        record: { record in
          recorder.record(record)
          guard replay.log != nil || tap != nil else { return }
          withUnsafePointer(to: record) {
            let records = UnsafeBufferPointer(start: $0, count: 1)
            replay.log?.add(records)
            tap?.add(records, shard: 0)
          }
        })
    }
    var observations = Observations.inVirtualTime
    observations.isOpenLoop = false
    observations.observedFor = summary.ended - .zero
    observations.meanJobsInSystem = .unavailable("no scheduler counts jobs in a sequential run")
    observations.isInterrupted = replay.interruption.isSet
    if summary.cutOff > 0 { observations.cutOff = summary.cutOff }
    let facts = RunFacts(intended: summary.intended, workers: [(.async, 1)], startsWindow: replay.startsWindow) {
      summary.dependencies[$0] ?? []
    }
    return ReplayOutcome(recorder: recorder, facts: facts, observations: observations)
  }
}

extension InjectedFaults {
  fileprivate init(_ counts: [InjectedFault.Kind: Int]) {
    self.init()
    attemptsFailed = counts[.attemptFailed] ?? 0
    attemptsHung = counts[.attemptHung] ?? 0
    jobsLost = counts[.jobLost] ?? 0
    jobsDoubled = counts[.jobDoubled] ?? 0
    workersCrashed = counts[.workerCrashed] ?? 0
    stalls = counts[.stall] ?? 0
    clockSteps = counts[.clockStep] ?? 0
  }
}

extension Scenario {
  /// What virtual time needs to know and the scenario does not say, in words.
  fileprivate var lacksForVirtualTime: [String] {
    jobsWithoutVirtualTime.map { "a simulated_service for job type '\($0)', whose work takes what it takes" }
  }
}

extension Observations {
  /// What a run in virtual time leaves: nothing of the machine that happened to compute it.
  fileprivate static var inVirtualTime: Observations {
    let reason = "the run was in virtual time"
    var observations = Observations()
    for path in [
      \Observations.processorTime, \.peakMemory, \.bytesPerJob, \.liveBytesWarm, \.liveBytesEnd, \.allocationsPerJob,
      \.hostSteal, \.wakeUpP50, \.wakeUpP99,
    ] {
      observations[keyPath: path] = .unavailable(reason)
    }
    for path in [\Observations.otherPrograms, \.runDelay, \.spinSpeed] {
      observations[keyPath: path] = .unavailable(reason)
    }
    return observations
  }
}
