import CPlatform
import Glibc
import Subprocess
import TailracePlatform

/// A child process that leads its own process group, which includes its children. The group ends together.
///
/// A child that starts its own session (`setsid`) leaves the group; ``ProcessFamily`` finds it.
package final class ProcessGroup: Sendable {
  private struct State {
    var leader: pid_t = 0
    var place: Int32 = -1
  }
  private let state = Locked(State())

  package init() {}

  /// Options for starting a child as the leader of a group.
  ///
  /// - Parameter grace: how long all of the group may go on after SIGTERM once the task is cancelled; nil: it is
  ///   killed at once.
  static func options(grace: Duration?) -> PlatformOptions {
    var options = PlatformOptions()
    options.processGroupID = 0
    options.teardownSequence = [
      grace.map { .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: $0) }
        ?? .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)
    ]
    return options
  }

  /// Remembers the group of a child that was just started, so that it ends with this process too.
  func begin(_ leader: pid_t) {
    state.withLock { $0 = State(leader: leader, place: cplatform_group_add(leader)) }
    DescriptorLimit.restore(in: leader)
  }

  /// Kills what is left of the group after its leader has ended.
  func end() {
    state.withLock { state in
      guard state.leader > 1 else { return }
      kill(-state.leader, SIGKILL)
      cplatform_group_remove(state.place)
      state = State()
    }
  }

  /// Kills all that this process has started and that still lives, and lets no other child start: for the end of the
  /// process. May be called in a signal handler.
  package static func killAll() {
    cplatform_children_close()
    cplatform_children_kill(300_000_000)
  }
}
