import Foundation
import TailraceCore
import TailraceReplay
import TailraceWorkload

/// What a scheduler must be able to do for a scenario, in the words of the streamed contract.
package enum DriverAbility: String, CaseIterable, Sendable, Codable {
  case priorities, delays, dependencies, retries, timeouts, cancellation

  /// For messages.
  package var words: String {
    switch self {
    case .priorities: "priorities"
    case .delays: "delayed jobs"
    case .dependencies: "dependencies between jobs"
    case .retries: "retries of failed attempts"
    case .timeouts: "timeouts"
    case .cancellation: "cancellation"
    }
  }
}

extension Scenario {
  /// What it needs of a scheduler behind a driver.
  package var driverNeeds: [DriverAbility] {
    var needs: [DriverAbility] = []
    if Set(jobs.map(\.priority)).count > 1, scheduler.policy != .fifo { needs.append(.priorities) }
    if jobs.contains(where: { $0.delay != nil }) { needs.append(.delays) }
    if hasDependencies { needs.append(.dependencies) }
    if jobs.contains(where: { $0.failures != .none && ($0.retry ?? scheduler.retry).limit > 0 }) {
      needs.append(.retries)
    }
    if jobs.contains(where: { $0.failures.hangs > 0 }) { needs.append(.timeouts) }
    if jobs.contains(where: { $0.cancel != nil }) { needs.append(.cancellation) }
    return needs
  }

  /// What no driver can do, in words.
  package var lacksForDrivers: [String] {
    var lacks: [String] = []
    if jobs.contains(where: { $0.work != .sleep }) {
      lacks.append("work other than a service time (\(realWork.joined(separator: ", ")))")
    }
    if jobs.contains(where: { $0.uniqueKeys != nil }) { lacks.append("unique keys") }
    if jobs.contains(where: { $0.tenants != nil }) || trace?.tenants.isEmpty == false { lacks.append("tenants") }
    if !failFastBatches.isEmpty { lacks.append("fail-fast batches") }
    return lacks + needsOfSimulation
  }

  private var realWork: [String] {
    var names: [String] = []
    for job in jobs where job.work != .sleep && !names.contains(job.name) { names.append(job.name) }
    return names
  }
}

extension RetryPolicy {
  /// The wait before a retry (first: 1), before jitter.
  func waitWithoutJitter(beforeRetry retry: Int) -> Nanoseconds {
    min(backoff.wait(beforeRetry: retry), longestWait)
  }
}

/// Lines to a driver, as bytes.
enum DriverMessages {
  /// Attempts of a job that its line lists at most; the contract says that the last repeats.
  private static let attemptsListed = 64

  private struct Hello: Encodable {
    struct JobType: Encodable {
      var name: String
      var priority: String
      var retries: Int
      var retryDelayNs: Int64
      var retryFactor: Double
      var timeoutNs: Int64?
    }
    var type = "hello"
    var version = 1
    var workers: Int
    var seed: UInt64
    var needs: [String]
    var reportStarts: Bool
    var jobTypes: [JobType]
    var drainNs: Int64
  }

  static func hello(_ scenario: Scenario, seed: UInt64, reportsStarts: Bool) -> [UInt8] {
    let settings = scenario.scheduler
    let types = scenario.jobs.map { job in
      let retry = job.retry ?? settings.retry
      let first = retry.limit > 0 ? retry.waitWithoutJitter(beforeRetry: 1) : .zero
      let second = retry.limit > 1 ? retry.waitWithoutJitter(beforeRetry: 2) : first
      return Hello.JobType(
        name: job.name, priority: job.priority.name, retries: retry.limit, retryDelayNs: first.rawValue,
        retryFactor: first > .zero ? Double(second.rawValue) / Double(first.rawValue) : 1,
        timeoutNs: (job.isUntimed ? nil : job.timeout ?? settings.timeout)?.rawValue)
    }
    let hello = Hello(
      workers: ProgramPools(scenario).workers, seed: seed, needs: scenario.driverNeeds.map(\.rawValue),
      reportStarts: reportsStarts, jobTypes: types, drainNs: scenario.drain.rawValue)
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Plain values always encode.
    return Array((try? encoder.encode(hello)) ?? Data()) + [newline]
  }

  /// - Parameters:
  ///   - number: the driver's number of the job.
  ///   - dependencies: the driver's numbers.
  static func appendJob(
    _ job: borrowing TapeJob, number: Int, dependencies: [Int], tape: Tape, names: [(type: [UInt8], retries: Int)],
    to line: inout [UInt8]
  ) {
    line.append(#"{"type":"job","job":"#)
    line.append(decimal: Int64(number))
    line.append(#","job_type":"#)
    line.append(contentsOf: names[job.type].type)
    line.append(#","priority":""#)
    line.append(contentsOf: job.priority.name.utf8)
    line.append(#"","attempts":["#)
    for attempt in 1...min(Self.attemptsListed, names[job.type].retries + 1) {
      let plan = tape.attempt(job: job.number, type: job.type, attempt: attempt)
      line.append(attempt == 1 ? "[" : ",[")
      line.append(decimal: plan.service.rawValue)
      switch plan.ending {
      case .succeeds: line.append(#","succeeds"]"#)
      case .fails: line.append(#","fails"]"#)
      case .failsPermanently: line.append(#","fails_permanently"]"#)
      case .hangs: line.append(#","hangs"]"#)
      }
      if plan.ending == .succeeds || plan.ending == .failsPermanently { break }
    }
    line.append("]")
    if job.delay > .zero {
      line.append(#","delay_ns":"#)
      line.append(decimal: job.delay.rawValue)
    }
    if !dependencies.isEmpty {
      line.append(#","depends_on":["#)
      for (index, dependency) in dependencies.enumerated() {
        if index > 0 { line.append(",") }
        line.append(decimal: Int64(dependency))
      }
      line.append("]")
    }
    line.append("}\n")
  }

  static func cancel(_ number: Int) -> [UInt8] { Array(#"{"type":"cancel","job":\#(number)}"#.utf8) + [newline] }
  static let drain = Array(#"{"type":"drain"}"#.utf8) + [newline]
  static let stop = Array(#"{"type":"stop"}"#.utf8) + [newline]

  /// A text as JSON, with its quotes.
  static func quoted(_ text: String) -> [UInt8] {
    Array((try? JSONEncoder().encode(text)) ?? Data(#""""#.utf8))
  }

  static func restart(_ process: String) -> [UInt8] {
    Array(#"{"type":"restart","process":"#.utf8) + quoted(process) + Array("}".utf8) + [newline]
  }

  private static let newline = UInt8(ascii: "\n")
}

extension [UInt8] {
  fileprivate mutating func append(_ text: StaticString) {
    append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Without the allocation of a text.
  fileprivate mutating func append(decimal value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    var rest = value.magnitude
    let start = count
    repeat {
      append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    self[start...].reverse()
  }
}

/// What a driver says of itself: `ready`.
struct DriverReady: Decodable, Sendable {
  var name: String
  var schedulerVersion: String
  var settings: [String: String]
  var lacks: [DriverAbility]
  var notes: [String]
  var processes: [DriverProcessEntry]

  private enum CodingKeys: String, CodingKey {
    case name, settings, lacks, notes, processes
    case schedulerVersion = "scheduler_version"
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    name = try values.decode(String.self, forKey: .name)
    schedulerVersion = try values.decodeIfPresent(String.self, forKey: .schedulerVersion) ?? ""
    settings = try values.decodeIfPresent([String: String].self, forKey: .settings) ?? [:]
    lacks = try values.decodeIfPresent([DriverAbility].self, forKey: .lacks) ?? []
    notes = try values.decodeIfPresent([String].self, forKey: .notes) ?? []
    processes = try values.decodeIfPresent([DriverProcessEntry].self, forKey: .processes) ?? []
  }
}

/// A process of a driver: in `ready`, and in `process` when it was replaced.
struct DriverProcessEntry: Decodable, Sendable, Hashable {
  var role: CrashPlan.Role
  var name: String
  var pid: Int32
}

/// Why a driver cannot run: `unable`.
struct DriverUnable: Decodable { var reason: String }
