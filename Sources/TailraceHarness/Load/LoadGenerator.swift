import CPlatform
import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// A due job, as the generator passes it to a system.
struct DueJob {
  var job: TapeJob
  /// On the clock.
  var intended: Instant
  var submitted: Instant
  /// Called once when the job settles, only for jobs of closed streams.
  var onSettled: (@Sendable () -> Void)?
}

/// Receives jobs from a load generator, on the generator's thread only.
protocol JobSink: AnyObject {
  /// Submits jobs in order. Returns when the last is admitted or rejected, and how long the call was blocked.
  func submit(_ jobs: UnsafeBufferPointer<DueJob>) -> Nanoseconds
  /// Cancels a job on behalf of its submitter.
  func cancel(_ job: UInt64)
}

/// Submits a tape's jobs at their intended instants, on a dedicated thread.
///
/// It never falls behind silently. A late job is submitted late, with its intended instant; a job later than the bound
/// is dropped and recorded. Its *own* lateness, which it loses outside submit calls, is separate from the time for
/// which the system blocked it.
final class LoadGenerator {
  private let replay: Replay
  private let origin: Instant
  private let sink: any JobSink
  @exclusivity(unchecked) private var pacer: Pacer
  private let record: (TimelineRecord) -> Void

  @exclusivity(unchecked) private var lateness = LatencyHistogram()
  @exclusivity(unchecked) private var heldBack = Nanoseconds.zero
  /// When the generator left its last submit call.
  @exclusivity(unchecked) private var freeSince: Instant
  @exclusivity(unchecked) private var cancellations = Cancellations()
  @exclusivity(unchecked) private var due: [DueJob] = []
  @exclusivity(unchecked) private(set) var intended = 0
  @exclusivity(unchecked) private(set) var liveBytesWarm: UInt64?
  private let closed: ClosedClients

  /// The maximum number of jobs per call.
  static let chunk = 256

  /// - Parameter record: Receives the records of dropped jobs.
  init(_ replay: Replay, origin: Instant, sink: any JobSink, record: @escaping (TimelineRecord) -> Void) {
    self.replay = replay
    self.origin = origin
    self.sink = sink
    self.record = record
    pacer = Pacer(pacing: replay.pacing, stop: replay.interruption)
    freeSince = origin
    closed = ClosedClients(replay.tape, origin: origin)
    due.reserveCapacity(Self.chunk)
  }

  /// The generator's own lateness; nil if no job had a scheduled arrival.
  var ownLateness: Distribution? { lateness.distribution }
  /// How long a full queue blocked it.
  var timeHeldBack: Nanoseconds { heldBack }

  /// Submits all jobs. Returns after the tape's end, the last cancellation, and the end of every client.
  func run() {
    FineTimer.enable()
    replay.meter.enrollCurrentThread()
    let warm = origin + replay.scenario.warmup
    var cursor = replay.tape.makeCursor()
    var next = cursor.next()
    while !replay.interruption.isSet {
      if liveBytesWarm == nil, MonotonicClock.now() >= warm { liveBytesWarm = replay.meter.liveBytes() }
      let arrival = next.map { origin + Nanoseconds($0.intended.nanoseconds) }
      guard let wake = [arrival, cancellations.next, closed.nextReady].compactMap({ $0 }).min() else {
        guard closed.waitForClient(interruption: replay.interruption) else { break }
        continue
      }
      if closed.isEmpty {
        guard pacer.wait(until: wake) else { break }
      } else {
        // Wait in slices, because an interruption does not wake this thread and a client may think for hours.
        closed.wait(until: min(wake, MonotonicClock.now() + .milliseconds(50)))
      }
      let now = MonotonicClock.now()
      while let job = cancellations.take(by: now) { sink.cancel(job) }
      collect(from: &cursor, next: &next, now: now)
      collectClosed(now: now)
      submitDue()
    }
  }

  /// Takes due jobs from the tape, at most one chunk.
  private func collect(from cursor: inout Tape.Cursor, next: inout TapeJob?, now: Instant) {
    while let arrival = next?.intended, due.count < Self.chunk {
      let instant = origin + Nanoseconds(arrival.nanoseconds)
      guard instant <= now, let job = next.take() else { return }
      next = cursor.next()
      intended += 1
      if now - instant > replay.dropAfter {
        record(job.droppedRecord(intended: instant))
        continue
      }
      lateness.record(now - max(instant, min(freeSince, now)))
      append(job, intended: instant, now: now, onSettled: nil)
    }
  }

  private func collectClosed(now: Instant) {
    while due.count < Self.chunk, let ready = closed.takeReady(at: now) {
      intended += 1
      append(ready.job, intended: ready.at, now: now, onSettled: ready.onSettled)
    }
  }

  private func append(_ job: consuming TapeJob, intended: Instant, now: Instant, onSettled: (@Sendable () -> Void)?) {
    if let after = job.cancelAfter { cancellations.note(job.number, at: intended + after) }
    due.append(DueJob(job: job, intended: intended, submitted: now, onSettled: onSettled))
  }

  private func submitDue() {
    guard let reached = due.last?.intended else { return }
    heldBack += due.withUnsafeBufferPointer { sink.submit($0) }
    freeSince = MonotonicClock.now()
    replay.progress?.submitted(due.count, reached: reached - origin)
    due.removeAll(keepingCapacity: true)
  }
}
