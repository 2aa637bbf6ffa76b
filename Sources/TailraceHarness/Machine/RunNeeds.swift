import TailraceCore
import TailraceHost
import TailraceReplay
import TailraceReport
import TailraceWorkload

/// The resources that one replay needs, as far as known beforehand. In virtual time this is only the jobs' memory.
///
/// The amounts per item were measured; `MachineLimitTests` checks that they are enough.
package struct RunNeeds: Hashable, Sendable {
  /// A part of it.
  package struct Item: Hashable, Sendable {
    package var resource: MachineResource
    package var amount: Int
    /// Its purpose: `200 child processes`.
    package var words: String
    /// The setting that reduces it; nil: none.
    package var setting: String?
  }
  package private(set) var items: [Item] = []
  /// The threads and processes that are not threads of this process.
  private var processes = 0

  /// Threads of the task pool per processor, for tasks of two priorities.
  static let poolThreads = 2
  /// Other threads: the main thread, Dispatch's, and those of the timer, the load generator and the progress.
  static let helperThreads = 5
  /// Open files beside those that are open when the check is made: memory figures, the report.
  static let ownFiles = 8
  /// A worker with what it does not share, and its records before it has a recorder.
  static let workerBytes = 16 << 10
  /// A worker's recorder, with a few jobs in it: histograms take memory as they fill. A worker has one from so many
  /// attempts on.
  static let recorderBytes = 160 << 10
  static let recorderAttempts = 128
  /// Of a recorder, and of each job type in it.
  static let recorderAddressSpace = 384 << 10
  static let typeAddressSpace = 1200 << 10
  /// Of a job that waits, the tables around it included, and of each job the mark that it was seen.
  private static let waitingJobBytes = 700.0
  private static let seenJobBytes = 1 / 8.0
  /// Of a job that another program does: its place on the tape, its row and its record, which are compared when the
  /// program has ended. Measured: 300; half as much again where the tables have just grown.
  private static let rowBytes = 450.0
  /// Of a thread: what it touches of its stack, and what the system keeps for it.
  static let threadBytes = 32 << 10
  /// A thread's stack and the guard behind it.
  static let mappingsPerThread = 2
  static let ownAddressSpace = 64 << 20
  static let ownMappings = 64
  /// Of the library that starts child processes: threads, and open files while a child starts; the keeper, and the pipe
  /// by which it hears of the end.
  static let childThreads = 3 + 1
  static let childFiles = 48 + 1
  /// Of each child while it runs: the descriptor by which its end is heard of.
  static let filesPerChild = 1
  /// Of a database connection, and of all together.
  static let filesPerConnection = 2
  static let databaseFiles = 1
  /// Threads that Dispatch has at most.
  package static let dispatchThreads = 255

  /// Adds up what a scenario needs on a system that asks for this.
  package init(_ scenario: Scenario, _ demand: RunDemand, on limits: MachineLimits) {
    addJobs(LoadForecast(scenario), demand)
    guard demand != RunDemand() else { return }
    add(.tasks, limits.processors * Self.poolThreads + Self.helperThreads, "the program itself", nil)
    add(.openFiles, limits.openFiles + Self.ownFiles, "the program itself", nil)
    if demand.workerThreads > 0 {
      add(.tasks, demand.workerThreads, counted(demand.workerThreads, "worker thread"), demand.setting)
    }
    if demand.isOtherProgram {
      processes += 1
      add(.tasks, Self.childThreads + 1, "the driver", nil)
      add(.openFiles, Self.childFiles, "the driver", nil)
    } else {
      addWork(of: scenario, demand)
    }
    addMemory(of: scenario, demand, on: limits)
  }

  /// Memory that the jobs of a load need at once, in bytes, where this program does them.
  package static func jobBytes(_ forecast: LoadForecast) -> Double {
    forecast.waiting * waitingJobBytes + forecast.jobs * seenJobBytes
  }

  /// Endless loads cannot be counted.
  private mutating func addJobs(_ forecast: LoadForecast, _ demand: RunDemand) {
    let bytes = demand.isOtherProgram ? forecast.jobs * Self.rowBytes : Self.jobBytes(forecast)
    guard bytes.isFinite else { return }
    let count = "about \(LoadForecast.short(forecast.jobs)) jobs"
    add(
      .memory, Int(min(bytes, 1e18)),
      demand.isOtherProgram
        ? "the tape and the rows of \(count)"
        : "\(LoadForecast.short(forecast.waiting)) jobs that wait at once, of \(count)",
      demand.isOtherProgram ? "the number of jobs" : "scheduler.queue.capacity or the number of jobs")
  }

  private mutating func add(_ resource: MachineResource, _ amount: Int, _ words: String, _ setting: String?) {
    items.append(Item(resource: resource, amount: amount, words: words, setting: setting))
  }

  private mutating func addWork(of scenario: Scenario, _ demand: RunDemand) {
    let children = Self.atOnce(scenario, demand) { if case .subprocess = $0 { true } else { false } }
    if children > 0 {
      processes += children
      add(
        .tasks, children + Self.childThreads, counted(children, "child processes", one: "child process"), demand.setting
      )
      add(
        .openFiles, children * Self.filesPerChild + Self.childFiles,
        counted(children, "child processes", one: "child process"), demand.setting)
    }
    func isDatabase(_ work: Work) -> Bool { if case .sqlite = work { true } else { false } }
    let operations = Self.atOnce(scenario, demand, isDatabase)
    guard operations > 0 else { return }
    let connections = DatabaseConnections.count(forWorkers: scenario.scheduler.workers)
    add(
      .openFiles, connections * Self.filesPerConnection + Self.databaseFiles,
      counted(connections, "database connection"), demand.setting)
    // Each connection has a thread of its own, and a task that waits for one blocks another.
    let waiting = Self.atOnce(scenario, demand, isDatabase, in: .async) - (connections - 1)
    let threads = min(Self.dispatchThreads, connections + max(0, waiting) + 1)
    add(.tasks, threads, "database work", demand.setting)
  }

  private mutating func addMemory(of scenario: Scenario, _ demand: RunDemand, on limits: MachineLimits) {
    let threads = total(of: .tasks) - processes
    let recorders = demand.recorders
    let setting = demand.isOtherProgram ? nil : demand.setting
    let forecast = LoadForecast(scenario)
    // Those that have one, where attempts are spread over all.
    let busy =
      forecast.attempts < Double(recorders * Self.recorderAttempts)
      ? Int(forecast.attempts) / Self.recorderAttempts : recorders
    if recorders > 0 {
      add(
        .memory, recorders * Self.workerBytes + busy * Self.recorderBytes,
        "what \(counted(recorders, "worker")) record", demand.setting)
    }
    if demand.workerThreads > 0 {
      add(
        .memory, demand.workerThreads * Self.threadBytes, counted(demand.workerThreads, "worker thread"), demand.setting
      )
    }
    let largest = Self.memoryAtOnce(scenario, demand)
    if largest > 0 {
      add(.memory, largest, "jobs whose work is memory", "jobs.NAME.work.memory, or \(demand.setting)")
    }
    add(.addressSpace, limits.addressSpace + Self.ownAddressSpace, "the program itself", nil)
    add(
      .addressSpace, Self.saturating(threads, limits.stackBytes), "the stacks of \(counted(threads, "thread"))",
      setting)
    add(
      .addressSpace,
      recorders * Self.workerBytes
        + busy * (Self.recorderAddressSpace + scenario.jobs.count * Self.typeAddressSpace),
      "what \(counted(recorders, "worker")) record",
      demand.setting)
    if largest > 0 { add(.addressSpace, largest, "jobs whose work is memory", "jobs.NAME.work.memory") }
    add(.mappings, limits.mappings + Self.ownMappings, "the program itself", nil)
    add(.mappings, threads * Self.mappingsPerThread, counted(threads, "thread"), setting)
  }

  private static func saturating(_ count: Int, _ each: Int) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: each)
    return overflow ? .max / 2 : min(product, .max / 2)
  }

  // MARK: - What runs at once

  /// The maximum number of concurrent attempts of a kind of work.
  private static func atOnce(
    _ scenario: Scenario, _ demand: RunDemand, _ isMeant: (Work) -> Bool, in pool: PoolID? = nil
  ) -> Int {
    var sum = 0
    for (each, attempts) in demand.attempts where pool == nil || each == pool {
      var inPool = 0
      for job in scenario.jobs where isMeant(job.work) && (demand.attempts.count == 1 || job.resolvedPool == each) {
        inPool += min(attempts, job.concurrency ?? attempts)
      }
      sum += min(attempts, inPool, scenario.scheduler.concurrency ?? attempts)
    }
    let jobs = LoadForecast(scenario).jobs
    return jobs.isFinite && jobs < Double(sum) ? max(1, Int(jobs.rounded(.up))) : sum
  }

  /// The maximum memory held at once by jobs whose work is memory.
  private static func memoryAtOnce(_ scenario: Scenario, _ demand: RunDemand) -> Int {
    let sizes = scenario.jobs.compactMap { job in
      if case .memory(let bytes) = job.work { (bytes: bytes, limit: job.concurrency ?? .max) } else { nil }
    }
    var left = atOnce(scenario, demand) { if case .memory = $0 { true } else { false } }
    var sum = 0
    for size in sizes.sorted(by: { $0.bytes > $1.bytes }) where left > 0 {
      let count = min(left, size.limit)
      left -= count
      sum = min(.max / 4, sum + saturating(count, size.bytes))
    }
    return sum
  }

  // MARK: - Compared with the limits

  /// The total need of a resource.
  package func total(of resource: MachineResource) -> Int {
    items.reduce(0) { $1.resource == resource ? min(.max / 2, $0 + min(.max / 4, $1.amount)) : $0 }
  }

  /// The greater of two needs of each resource: of a run, and of its rehearsal, which no setting reduces.
  func joined(withRehearsal other: RunNeeds) -> RunNeeds {
    var joined = RunNeeds()
    for resource in MachineResource.allCases {
      guard other.total(of: resource) > total(of: resource) else {
        joined.items += items.filter { $0.resource == resource }
        continue
      }
      joined.items += other.items.filter { $0.resource == resource }.map { item in
        var item = item
        if item.setting != nil { item.words += " of the rehearsal" }
        item.setting = nil
        return item
      }
    }
    return joined
  }

  private init() {}

  /// Adds the needs of the parent process that starts the run. Threads and processes are counted together.
  mutating func addProcessAround(on limits: MachineLimits) {
    let threads = limits.processors * Self.poolThreads + Self.helperThreads + Self.childThreads
    add(.tasks, threads, "the process that compares", nil)
    // Each process has open files of its own: that one needs as many at least.
    let own = limits.openFiles + Self.ownFiles + Self.childFiles
    let missing = own - total(of: .openFiles)
    if missing > 0 { add(.openFiles, missing, "the process that compares", nil) }
  }

  /// Problems, one per line; empty: everything fits.
  ///
  /// - Parameter subject: The run that needs the resources: `scenario 'many' on 'live'`.
  package func problems(on limits: MachineLimits, of subject: String) -> [String] {
    limits.rooms.compactMap { room in
      let needed = total(of: room.resource)
      guard needed > room.left else { return nil }
      let parts = items.filter { $0.resource == room.resource && $0.amount > 0 }
      let shown = parts.map { "\(room.resource.amount($0.amount)) for \($0.words)" }.joined(separator: ", ")
      let has =
        room.used > 0
        ? "leaves \(room.resource.amount(room.left)) (\(room.resource.amount(room.limit)), of which "
          + "\(room.resource.amount(room.used)) \(room.used == 1 ? "is" : "are") in use)"
        : "is \(room.resource.amount(room.limit))"
      let greatest = parts.max { $0.amount < $1.amount }
      let setting = (greatest?.setting ?? parts.last { $0.setting != nil }?.setting).map { "lower \($0)" }
      let remedy = room.remedy.map { "raise it (\($0.words(for: needed + room.used)))" }
      let advice = [setting, remedy].compactMap { $0 }.joined(separator: ", or ")
      return "\(subject) needs \(room.resource.words(needed)): \(shown); \(room.name) \(has): "
        + (advice.isEmpty ? "end other programs" : advice)
    }
  }
}

/// `1 thread`, `2 threads`.
private func counted(_ count: Int, _ noun: String) -> String { HumanUnits.counted(count, noun) }

/// The same where the plural is not formed by an `s`.
private func counted(_ count: Int, _ nouns: String, one: String) -> String {
  count == 1 ? "1 \(one)" : "\(HumanUnits.count(Double(count))) \(nouns)"
}

extension MachineResource {
  /// An amount in words: `310 threads and processes`.
  func words(_ amount: Int) -> String {
    switch self {
    case .tasks: "\(HumanUnits.count(Double(amount))) threads and processes"
    case .openFiles: "\(HumanUnits.count(Double(amount))) open files"
    case .memory: "\(HumanUnits.bytes(Double(amount))) of memory"
    case .addressSpace: "\(HumanUnits.bytes(Double(amount))) of address space"
    case .mappings: "\(HumanUnits.count(Double(amount))) memory mappings"
    }
  }

  /// The number alone, with its unit.
  func amount(_ amount: Int) -> String {
    switch self {
    case .tasks, .openFiles, .mappings: HumanUnits.count(Double(amount))
    case .memory, .addressSpace: HumanUnits.bytes(Double(amount))
    }
  }
}
