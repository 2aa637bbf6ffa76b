import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// This project's own scheduler in virtual time: the same core as `live`, with the tape's service times.
package struct SimulatedSystem: ReplaySystem {
  package let name = "simulated"
  package let summary = "The same scheduler in virtual time: the tape's service times, no machine."
  package let runsInVirtualTime = true
  package let heeds: Set<ReplaySetting> = [.maxLag]
  package init() {}

  package func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String] { scenario.lacksForVirtualTime }

  package func baseline(for name: String) -> String? { name == "sequential" ? "simulated-sequential" : nil }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    var outcome: ReplayOutcome?
    try await DedicatedThread.run {
      outcome = SimulatedRun.outcome(
        replay.tape, dropAfter: replay.dropAfter, startsWindow: replay.startsWindow, log: replay.log,
        progress: replay.progress, isInterrupted: { replay.interruption.isSet })
    }
    return outcome!
  }
}

/// One job at a time in virtual time: the baseline of a simulated speedup.
package struct SimulatedSequentialSystem: ReplaySystem {
  package let name = "simulated-sequential"
  package let summary = "One job at a time in virtual time: the baseline of simulated speedups."
  package let runsOneAtATime = true
  package let runsInVirtualTime = true
  package let heeds: Set<ReplaySetting> = []
  package init() {}

  package func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String] {
    scenario.lacksForOneAtATime + scenario.lacksForVirtualTime
  }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    let recorder = Recorder(Recorder.RecorderSettings(replay.scenario, origin: .zero))
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

extension Scenario {
  /// Requirements of virtual time that the scenario does not meet.
  package var lacksForVirtualTime: [String] {
    jobsWithoutVirtualTime.map { "a simulated_service for job type '\($0)', whose real work has no declared length" }
  }
}
