// Goal: a driver that keeps the streamed contract is measured; one that breaks it gets one clear message, and nothing
// of it is left.

import Foundation
import TailraceCore
@testable import TailraceHarness
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceWorkload
import Testing

/// A driver in Python that runs each job at once, on one worker, and misbehaves as `MODE` says.
private let script = #"""
  #!/usr/bin/env python3
  import json, os, signal, subprocess, sys, time
  mode, now = os.environ.get("MODE", ""), time.monotonic_ns
  free, seen = 0, 0

  def put(**message):
      os.write(1, json.dumps(message).encode() + b"\n")

  def ready(**more):
      put(**{"type": "ready", "name": "test", "scheduler_version": "1.2", "settings": {"acks": "late"}, **more})

  def hello():
      if mode == "silent": time.sleep(60)
      if mode == "exits at once": sys.exit(0)
      if mode == "exits with 3":
          print("no such module: redis", file=sys.stderr)
          sys.exit(3)
      if mode == "aborts": os.kill(os.getpid(), signal.SIGABRT)
      if mode == "not json": os.write(1, b"Starting worker...\n")
      if mode == "no type": put(name="test")
      if mode == "long line": os.write(1, b"x" * 200000 + b"\n")
      if mode == "nameless": put(type="ready")
      if mode == "unable":
          put(type="unable", reason="redis-server is not installed; run: apt-get install redis-server")
          sys.exit(1)
      if mode == "lacks":
          ready(lacks=["cancellation"])
          return
      if mode == "floods its log":
          for _ in range(2000): os.write(2, b"y" * 10000 + b"\n")
      if mode == "floods":
          for _ in range(100000): put(type="trivia")
      if mode == "forks":
          subprocess.Popen(["sleep", "3600"], start_new_session=True)
      ready()

  def job(message):
      global free, seen
      seen += 1
      number = message["job"]
      if seen == 3 and mode == "dies": os.kill(os.getpid(), signal.SIGKILL)
      if seen == 3 and mode == "quits": sys.exit(0)
      if mode == "stops reading":
          time.sleep(1000)
      if mode == "takes none": return
      submitted = now()
      if mode == "submits early": submitted -= 10**9
      if mode != "accepts none": put(type="accepted", job=number, submitted_ns=submitted, accepted_ns=now())
      if mode == "accepts twice": put(type="accepted", job=number, submitted_ns=submitted, accepted_ns=now())
      if mode == "settles without running":
          put(type="settled", job=number, cause="succeeded", settled_ns=now())
          return
      attempt = 0
      for service, ending in message["attempts"]:
          attempt += 1
          started = now()
          time.sleep(service / 1e9)
          finished = now()
          report = {"type": "attempt", "job": number, "attempt": attempt, "worker": "w", "started_ns": started,
                    "finished_ns": finished, "outcome": {"succeeds": "succeeded", "fails": "failed"}[ending],
                    "settles": ending == "succeeds" or attempt == len(message["attempts"])}
          if mode == "unknown job": report["job"] = 100000
          if mode == "numbers from 0": report["attempt"] = 0
          if mode == "skips": report["attempt"] = 2
          if mode == "starts early": report["started_ns"] = started - 10**9
          if mode == "goes back": report["finished_ns"] = started - 1
          if mode == "future": report["finished_ns"] = finished + 10**12
          if mode == "overlaps":
              # The worker says that it began before its previous attempt ended, which was not this job's.
              time.sleep(0.02)
              if attempt == 1 and free: report["started_ns"] = free - 10**6
              free = report["finished_ns"]
          if mode == "too many":
              report.update(worker=str(number), finished_ns=now())
              report["started_ns"] = now() - 1 if seen < 2 else started
          if mode == "wrong outcome": report["outcome"] = "ok"
          if mode == "fraction": report["finished_ns"] = float(finished) + 0.5
          put(**report)
          if report["settles"] and mode == "settles twice":
              put(type="settled", job=number, cause="succeeded", settled_ns=now())
          if report["settles"] and mode == "runs twice":
              put(**report)
      if mode == "half a line" and seen == 5:
          os.write(1, b'{"type":"acc')
          sys.exit(0)

  rest = b""
  while True:
      piece = os.read(0, 65536)
      if not piece: break
      *lines, rest = (rest + piece).split(b"\n")
      for line in lines:
          message = json.loads(line)
          if message["type"] == "hello": hello()
          if message["type"] == "job": job(message)
          if message["type"] == "stop":
              if mode == "never ends": time.sleep(1000)
              if mode == "not done": sys.exit(0)
              if mode == "ends with 9":
                  put(type="done")
                  sys.exit(9)
              put(type="done")
              sys.exit(0)
  """#

/// A folder that is removed with the value.
private final class DriverFolder: Sendable {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("tailrace-test-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }
}

@Suite(.timeLimit(.minutes(5)))
struct StreamedSystemTests {
  private static let plain = """
    name: plain
    jobs:
      quick: {service: 1ms}
      fragile: {service: 1ms, failures: 30%, cancel: {share: 1%, after: 1h}}
    load: {poisson: 200/s, of: {quick: 3, fragile: 1}}
    duration: 200ms
    drain: 2s
    scheduler: {workers: 1, retries: {limit: 3, backoff: none}}
    """

  private func replay(
    _ yaml: String, _ mode: String, in folder: DriverFolder, stop: StopFlag = StopFlag()
  ) async throws -> ReplayOutcome {
    let path = folder.url.appendingPathComponent("driver").path
    try Data(script.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    var system = StreamedSystem(name: "stream:driver", summary: "", program: path, environment: ["MODE": mode])
    system.startTime = mode == "silent" ? .milliseconds(500) : .seconds(100)
    system.endTime = ["never ends", "stops reading"].contains(mode) ? .milliseconds(500) : .seconds(60)
    let scenario = try ScenarioParser.parse(yaml: yaml, file: "streamed.yaml").get()
    return try await system.replay(Replay(tape: Tape(scenario: scenario, seed: 5), interruption: stop))
  }

  @Test func aDriverIsMeasured() async throws {
    let outcome = try await replay(Self.plain, "", in: try DriverFolder())
    let measurement = outcome.recorder.measurement(outcome.facts)
    #expect(outcome.facts.unsettled == 0 && outcome.facts.intended > 20)
    #expect(measurement.all.causes[.succeeded] + measurement.all.causes[.failed] == outcome.facts.intended)
    #expect(measurement.all.retries > 0)
    let observations = outcome.observations
    #expect(observations.driver?.version == "1.2" && observations.driver?.settings == [Setting("acks", "late")])
    #expect(observations.handOver.map { Int($0.total) } == outcome.facts.intended)
    #expect(observations.submission.map { Int($0.total) } == outcome.facts.intended)
  }

  @Test func clientsWaitForTheirJobs() async throws {
    let yaml = """
      name: clients
      jobs: {a: {service: 1ms}}
      load: [{closed: {clients: 2}, of: a, count: 10}]
      drain: 10s
      scheduler: {workers: 1}
      """
    let outcome = try await replay(yaml, "", in: try DriverFolder())
    #expect(outcome.facts.intended == 10 && outcome.facts.unsettled == 0)
  }

  /// What goes wrong, and what the message must say.
  static let faults: [(mode: String, words: String)] = [
    ("silent", "was not ready after"), ("exits at once", "ended with status 0 before it was ready"),
    ("exits with 3", "no such module: redis"), ("aborts", "by signal"), ("not json", "is not a JSON object"),
    ("no type", "has no \"type\""), ("long line", "a line of more than 64 KiB"),
    ("nameless", "it has no 'name'"), ("unable", "run: apt-get install redis-server"),
    ("lacks", "it lacks cancellation"), ("dies", "by signal"), ("quits", "ended with status 0 before"),
    ("submits early", "before Tailrace sent the job"), ("accepts twice", "accepts job 0 a second time"),
    ("accepts none", "no line accepts job 0"), ("settles without running", "reports no attempt of it"),
    ("unknown job", "which was never sent"), ("numbers from 0", "has no \"attempt\" from 1"),
    ("skips", "reports attempt 2 of job 0 after attempt 0"), ("starts early", "before Tailrace sent the job"),
    ("goes back", "before started_ns"), ("future", "in the future"),
    ("overlaps", "before"), ("wrong outcome", "has the outcome \"ok\""),
    ("fraction", "not a whole number"), ("settles twice", "settles job 0 a second time"),
    ("runs twice", "reports an attempt of job 0, which has settled"), ("half a line", "ended"),
    ("never ends", "had not ended"), ("not done", "without writing done"), ("ends with 9", "ended with status 9"),
  ]

  @Test(arguments: faults.indices) func aDriverThatBreaksTheContractIsReported(_ index: Int) async throws {
    let (mode, words) = Self.faults[index]
    do {
      _ = try await replay(Self.plain, mode, in: try DriverFolder())
      Issue.record("'\(mode)' went unnoticed")
    } catch let error as ExternalSystemProblem {
      #expect(error.description.contains(words), "\(mode): \(error)")
      #expect(error.description.hasPrefix("stream:driver "), "\(mode): \(error)")
    }
  }

  @Test(arguments: ["floods its log", "floods", "forks"]) func whatIsOnlyMessyIsMeasured(_ mode: String) async throws {
    let outcome = try await replay(Self.plain, mode, in: try DriverFolder())
    #expect(outcome.facts.unsettled == 0)
  }

  @Test(arguments: ["takes none", "stops reading"]) func jobsThatNeverSettleAreCutOff(_ mode: String) async throws {
    do {
      let outcome = try await replay(Self.plain, mode, in: try DriverFolder())
      #expect(outcome.observations.cutOff == outcome.facts.intended, "\(mode)")
    } catch let error as ExternalSystemProblem {
      // It does not read `stop` either.
      #expect(mode == "stops reading" && error.description.contains("had not ended"), "\(error)")
    }
  }

  @Test func anInterruptionEndsTheDriver() async throws {
    let stop = StopFlag()
    let folder = try DriverFolder()
    let yaml = """
      name: long
      jobs: {a: {service: 1ms}}
      load: {poisson: 50/s, of: a}
      duration: 1h
      scheduler: {workers: 1}
      """
    let stopper = Task {
      try await Task.sleep(for: .milliseconds(700))
      stop.stop()
    }
    let outcome = try await replay(yaml, "", in: folder, stop: stop)
    try await stopper.value
    #expect(outcome.observations.isInterrupted)
  }
}
