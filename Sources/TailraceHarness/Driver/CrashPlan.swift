import Glibc
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// What a crash test does to a driver's processes.
package struct CrashPlan: Sendable {
  package enum Role: String, Decodable, CaseIterable, Sendable { case worker, broker, scheduler }
  package enum Act: Sendable, Hashable {
    case kill
    /// Stopped for a time, then continued.
    case stop(Nanoseconds)

    package var words: String {
      switch self {
      case .kill: "SIGKILL"
      case .stop(let time): "SIGSTOP for \(time.words)"
      }
    }
  }
  package enum Times: Sendable, Hashable {
    /// Once in each interval of this length, at an instant drawn from the seed.
    case every(Nanoseconds)
    /// From the run's start.
    case at([Nanoseconds])
  }
  package var role: Role
  package var act: Act
  package var times: Times
  /// How long after a kill the driver is told to start a replacement; nil: never.
  package var restart: Nanoseconds?
  /// How long to wait for the last jobs.
  package var patience: Nanoseconds

  package init(role: Role, act: Act, times: Times, restart: Nanoseconds?, patience: Nanoseconds) {
    self.role = role
    self.act = act
    self.times = times
    self.restart = restart
    self.patience = patience
  }

  /// The instants at which it acts, from the run's start, up to the last arrival.
  func instants(until end: Nanoseconds, seed: UInt64) -> [Nanoseconds] {
    switch times {
    case .at(let instants): return instants.sorted()
    case .every(let interval):
      var instants: [Nanoseconds] = []
      var start = Nanoseconds.zero
      while start < end, instants.count < 10_000 {
        let share = KeyedRandom(seed: seed).key(UInt64(instants.count)).key(0x6372_6173_68).uniform
        instants.append(start + interval.scaled(by: share))
        start = start + interval
      }
      return instants.filter { $0 < end || instants.count == 1 }
    }
  }
}

/// Carries out a crash plan.
struct CrashActor: Sendable {
  let plan: CrashPlan
  let run: DriverRun
  let origin: Instant
  let seed: UInt64

  /// Acts until the plan is done or the task is cancelled.
  func act(until end: Nanoseconds, on processes: [DriverProcessEntry]) async {
    var processes = processes.filter { $0.role == plan.role }
    for (number, instant) in plan.instants(until: end, seed: seed).enumerated() {
      guard await sleep(until: origin + instant) else { return }
      for replaced in run.takeReplaced() {
        processes.removeAll { $0.name == replaced.name }
        if replaced.role == plan.role { processes.append(replaced) }
      }
      guard !processes.isEmpty else { continue }
      processes.sort { $0.name < $1.name }
      let draw = KeyedRandom(seed: seed).key(UInt64(number)).key(0x766963_74696d).uniform
      let victim = processes[min(processes.count - 1, Int(draw * Double(processes.count)))]
      switch plan.act {
      case .kill:
        let now = MonotonicClock.now()
        guard Glibc.kill(victim.pid, SIGKILL) == 0 else { continue }
        run.crashed(victim.name, at: now, holds: plan.role == .worker)
        processes.removeAll { $0.name == victim.name }
        guard let restart = plan.restart, await sleep(until: now + restart) else { continue }
        run.process.send(DriverMessages.restart(victim.name))
      case .stop(let time):
        let now = MonotonicClock.now()
        guard Glibc.kill(victim.pid, SIGSTOP) == 0 else { continue }
        run.stopped(victim.name, at: now)
        _ = await sleep(until: now + time)
        Glibc.kill(victim.pid, SIGCONT)
      }
    }
  }

  private func sleep(until instant: Instant) async -> Bool {
    while MonotonicClock.now() < instant {
      if Task.isCancelled || run.halt.isSet { return false }
      let left = min(instant - MonotonicClock.now(), .milliseconds(20))
      try? await Task.sleep(for: .nanoseconds(max(0, left.rawValue)))
    }
    return !Task.isCancelled && !run.halt.isSet
  }
}
