import Foundation
import Subprocess
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceSpelling
import TailraceWorkload

/// A conversation with a driver, from `hello` to `done`.
///
/// A thread of its own reads the driver's lines; the load generator's thread sends jobs. Both use ``DriverJobs`` under
/// one lock.
final class DriverRun: @unchecked Sendable {
  /// How the conversation stands.
  private struct Standing {
    var ready: DriverReady?
    var isDone = false
    var failure: String?
    var replaced: [DriverProcessEntry] = []
    var status: TerminationStatus?
    var isOver = false
  }

  private let name: String
  let process: DriverProcess
  private let lock = Lock()
  private let jobs: DriverJobs
  /// Set before the first job is sent.
  private var observer: ReplayObserver?
  private let standing = Locked(Standing())
  /// Set to end the generator: by an interruption or by a failure.
  let halt = StopFlag()
  private let readerIsOver = StopFlag()

  init(name: String, jobs: DriverJobs) throws(SystemRefusal) {
    self.name = name
    self.jobs = jobs
    process = try DriverProcess()
  }

  // MARK: - Standing

  var failure: String? { standing.withLock { $0.failure } }
  var ready: DriverReady? { standing.withLock { $0.ready } }
  var unsettled: Int { lock.withLock { jobs.unsettled } }

  func fail(_ words: String) {
    standing.withLock { if $0.failure == nil { $0.failure = words } }
    halt.stop()
  }

  /// Records go to the observer from now on.
  func begin(_ observer: ReplayObserver) { lock.withLock { self.observer = observer } }

  /// Uses the jobs under their lock.
  func withJobs<Value>(_ body: (DriverJobs) throws -> Value) rethrows -> Value {
    try lock.withLock { try body(jobs) }
  }

  /// A process was killed; `holds`: what it ran has crashed.
  func crashed(_ process: String, at instant: Instant, holds: Bool) {
    lock.withLock {
      let held = holds ? jobs.killed(process, at: instant) : []
      jobs.crashes?.killed(process, at: instant, held: held)
      _ = takeOutput()
    }
  }

  /// A process was stopped for a while.
  func stopped(_ process: String, at instant: Instant) {
    lock.withLock { jobs.crashes?.killed(process, at: instant, held: []) }
  }

  /// Processes that were replaced since the last call.
  func takeReplaced() -> [DriverProcessEntry] {
    standing.withLock { standing in
      defer { standing.replaced = [] }
      return standing.replaced
    }
  }

  // MARK: - The process

  /// Starts the driver, its reader and its writer.
  func start(
    _ program: String, _ arguments: [String], environment: [String: String], watch: @escaping @Sendable (pid_t) -> Void
  ) throws -> Task<Void, Never> {
    try process.startWriter()
    try DedicatedThread.start { [self] in
      let problem = process.readLines { receive($0) }
      if let problem { fail("\(name) \(problem)") }
      readerIsOver.stop()
    }
    var variables: [Environment.Key: String?] = ["TAILRACE_CONTRACT": "stream"]
    for (name, value) in environment { variables.updateValue(value, forKey: Environment.Key(stringLiteral: name)) }
    return Task { [self, variables] in
      do {
        let status = try await process.run(
          program, arguments, environment: variables, grace: .seconds(2), onStart: watch)
        standing.withLock { $0.status = status }
      } catch {
        if !Task.isCancelled { fail("\(name) could not be started: \(ErrorWords.of(error))") }
      }
      standing.withLock { $0.isOver = true }
    }
  }

  /// Whether the driver's process has ended.
  var hasEnded: Bool { standing.withLock { $0.isOver } }
  var status: TerminationStatus? { standing.withLock { $0.status } }
  var isDone: Bool { standing.withLock { $0.isDone } }

  /// Waits until something is so, the driver has ended or failed, or the time is over.
  ///
  /// - Returns: Whether it is so.
  func wait(until deadline: Instant, every pause: Duration = .milliseconds(2), _ isSo: () -> Bool) async -> Bool {
    while true {
      if isSo() { return true }
      if failure != nil || MonotonicClock.now() >= deadline { return false }
      if hasEnded, readerIsOver.isSet { return isSo() }
      // An orphan may keep the output open; what the driver itself wrote is read by now.
      if hasEnded { process.stopReading() }
      if process.isSwamped {
        fail("\(name) has stopped reading its standard input: 256 MiB of lines wait for it")
        return false
      }
      try? await Task.sleep(for: pause)
    }
  }

  /// Waits for the reader after the driver has ended.
  func finishReading() async {
    process.stopReading()
    process.stopWriting()
    while !readerIsOver.isSet { try? await Task.sleep(for: .milliseconds(1)) }
  }

  // MARK: - Lines

  private func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    do throws(DriverLine.Malformed) {
      let line = try DriverLine(bytes)
      switch line.kind {
      case .accepted, .started, .attempt, .settled: try receive(line)
      case .ready, .unable, .process: try decode(line.kind, bytes)
      case .done: standing.withLock { $0.isDone = true }
      case .unknown: break
      }
      return true
    } catch {
      let text = VisibleText.lines(Array(bytes.prefix(300))).prefix(300) + (bytes.count > 300 ? "…" : "")
      fail("\(name) wrote a line that \(error.words):\n\(text)")
      return false
    }
  }

  private func receive(_ line: DriverLine) throws(DriverLine.Malformed) {
    let now = MonotonicClock.now()
    lock.lock()
    do throws(DriverLine.Malformed) {
      try jobs.receive(line, at: now)
    } catch {
      lock.unlock()
      throw error
    }
    let clients = takeOutput()
    lock.unlock()
    for client in clients { client() }
  }

  /// Passes new records to the observer; call it under the lock.
  private func takeOutput() -> [@Sendable () -> Void] {
    jobs.records.withUnsafeBufferPointer { if $0.count > 0 { observer?.record($0, shard: 0) } }
    defer { jobs.clearOutput() }
    return jobs.settledClients
  }

  /// Records what is left of jobs that have not settled, and checks the run as a whole.
  func close() {
    do throws(DriverLine.Malformed) {
      lock.lock()
      defer { lock.unlock() }
      try jobs.close()
      _ = takeOutput()
    } catch {
      fail("\(name) wrote lines that cannot be true: \(error.words)")
    }
  }

  private func decode(_ kind: DriverLine.Kind, _ bytes: UnsafeRawBufferPointer) throws(DriverLine.Malformed) {
    let data = Data(bytes)
    do {
      let decoder = JSONDecoder()
      switch kind {
      case .ready:
        let ready = try decoder.decode(DriverReady.self, from: data)
        standing.withLock { $0.ready = ready }
      case .unable:
        let reason = try decoder.decode(DriverUnable.self, from: data).reason
        fail("\(name) cannot run: \(VisibleText.lines(Array(reason.utf8)))")
      default:
        let entry = try decoder.decode(DriverProcessEntry.self, from: data)
        standing.withLock { $0.replaced.append(entry) }
      }
    } catch {
      throw DriverLine.Malformed(words: "cannot be used (\(ErrorWords.of(error)))")
    }
  }
}

/// Sends a generator's jobs to a driver.
final class DriverSink: JobSink {
  private let run: DriverRun
  private let tape: Tape
  private let names: [(type: [UInt8], retries: Int)]
  /// The driver's numbers of jobs, if others refer to them.
  private var numbers: [UInt64: Int] = [:]
  private let remembersJobs: Bool
  private var line: [UInt8] = []
  private(set) var dependencies: [UInt64: [UInt64]] = [:]

  init(_ run: DriverRun, _ replay: Replay) {
    self.run = run
    tape = replay.tape
    let scenario = replay.scenario
    names = scenario.jobs.map { (DriverMessages.quoted($0.name), ($0.retry ?? scenario.scheduler.retry).limit) }
    remembersJobs = scenario.namesSubmittedJobs
    line.reserveCapacity(4_096)
  }

  func submit(_ jobs: UnsafeBufferPointer<DueJob>) -> Nanoseconds {
    line.removeAll(keepingCapacity: true)
    for index in jobs.indices {
      let job = jobs[index].job
      // What was sent is not known until the line is written, so the instant is read before.
      let now = MonotonicClock.now()
      let number = run.withJobs {
        $0.add(job, intended: jobs[index].intended, sent: now, whenSettled: jobs[index].onSettled)
      }
      var known: [Int] = []
      if remembersJobs {
        numbers[job.number] = number
        known = job.dependencies.compactMap { numbers[$0] }
        if !job.dependencies.isEmpty { dependencies[job.number] = job.dependencies }
      }
      DriverMessages.appendJob(job, number: number, dependencies: known, tape: tape, names: names, to: &line)
      if line.count > 3_072 {
        line.withUnsafeBytes { run.process.send($0) }
        line.removeAll(keepingCapacity: true)
      }
    }
    if !line.isEmpty { line.withUnsafeBytes { run.process.send($0) } }
    return .zero
  }

  func cancel(_ job: UInt64) {
    if let number = numbers[job] { run.process.send(DriverMessages.cancel(number)) }
  }
}
