// Goal: the house rules that a compiler does not know hold in every file: who may import whom, what the core must never
// do, and how long things may be.

import Foundation
import Testing

struct TidyTests {
  private let sources = Repository.sources(in: "Sources")
  private let tests = Repository.sources(in: "Tests")

  /// Who may import whom, beside the system's own modules.
  private static let permitted: [String: Set<String>] = [
    "TailraceCore": ["DequeModule", "HeapModule", "BasicContainers"],
    "TailraceSpelling": [],
    "TailraceTimeZones": ["TailraceCore", "TailraceSpelling"],
    "TailracePlatform": ["TailraceCore", "CPlatform"],
    "TailraceText": ["TailraceSpelling", "CPlatform", "CZlib"],
    "TailraceHost": [
      "TailraceCore", "TailracePlatform", "TailraceSpelling", "TailraceText", "CPlatform", "Subprocess",
      "SystemPackage",
    ],
    "TailraceWorkload": ["TailraceCore", "TailraceTimeZones", "TailraceSpelling", "TailraceText", "CPlatform", "Yams"],
    // HdrHistogram is for the tests: the module computes its own bins (docs/architecture.md).
    "TailraceMeasurement": ["TailraceCore", "TailraceSpelling"],
    "TailraceTheory": [],
    // What a system is. Systems, stores of a run's parts and studies depend on it, and not on each other.
    "TailraceReplay": ["TailraceCore", "TailraceWorkload", "TailraceMeasurement", "TailracePlatform"],
    "TailraceSimulation": [
      "TailraceCore", "TailraceWorkload", "TailraceMeasurement", "TailraceReplay", "TailracePlatform",
    ],
    "TailraceRuntime": [
      "TailraceCore", "TailracePlatform", "TailraceTimeZones", "TailraceSpelling", "CPlatform", "Logging",
    ],
    "TailraceObservability": [
      "TailraceCore", "TailraceRuntime", "TailracePlatform", "CoreMetrics", "Tracing", "ServiceLifecycle",
    ],
    // The core only for its value types, such as records and priorities.
    "TailraceReport": ["TailraceMeasurement", "TailraceCore", "TailraceSpelling"],
    "TailraceHarness": [
      "TailraceCore", "TailraceWorkload", "TailraceMeasurement", "TailraceRuntime", "TailraceReplay", "TailraceReport",
      "TailracePlatform", "TailraceHost", "TailraceText", "TailraceSpelling", "CPlatform", "Subprocess", "Logging",
      "SystemPackage",
    ],
    // Studies ask many runs one question. They know what a system is, and none but the simulation.
    "TailraceStudies": [
      "TailraceCore", "TailraceWorkload", "TailraceMeasurement", "TailraceReplay", "TailraceSimulation",
      "TailraceTheory", "TailraceReport", "TailracePlatform", "TailraceHost", "TailraceText",
    ],
    "TailraceSQLite": [
      "TailraceCore", "TailraceWorkload", "TailraceReplay", "TailracePlatform", "TailraceHost", "GRDB",
    ],
    "TailraceJemalloc": ["CJemalloc"],
    "TailraceBenchmarkHooks": [
      "TailraceCore", "TailraceWorkload", "TailraceMeasurement", "TailraceSimulation", "TailraceRuntime",
      "TailracePlatform", "CPlatform", "Logging",
    ],
    "tailrace": [
      "TailraceCore", "TailraceWorkload", "TailraceMeasurement", "TailraceReplay", "TailraceReport", "TailraceHarness",
      "TailraceStudies", "TailraceSimulation", "TailraceSQLite", "TailraceJemalloc", "TailraceSpelling",
      "TailraceText", "TailraceHost", "TailracePlatform", "ArgumentParser",
    ],
  ]

  /// What comes with the toolchain; open to every module but the core.
  private static let system: Set<String> = [
    "Foundation", "FoundationEssentials", "Glibc", "Musl", "Darwin", "Dispatch", "Synchronization", "System",
  ]

  @Test func modulesImportOnlyWhatTheyMay() {
    for file in sources {
      guard let permitted = Self.permitted[file.module] else {
        Issue.record("\(file.path): the module \(file.module) has no import rule; add one to this test")
        continue
      }
      let allowed = file.module == "TailraceCore" ? permitted : permitted.union(Self.system)
      for name in file.imports where !allowed.contains(name) {
        Issue.record("\(file.path): \(file.module) must not import \(name)")
      }
    }
  }

  @Test func coreHasNoClockNoLockNoChanceAndNeverSuspends() {
    let banned: [(words: Regex<Substring>, why: String)] = [
      (/\bawait\b|\basync\b/, "suspends"),
      (/\b(?:ContinuousClock|SuspendingClock|Date|DispatchTime|clock_gettime)\b|\.now\b/, "reads a clock"),
      (/\b(?:Mutex|NSLock|Atomic|pthread_\w+)\b/, "locks"),
      (/\.random\((?!.*using:)|\.shuffled\(\)|\.randomElement\(\)|\bSystemRandomNumberGenerator\b|\bUUID\(/, "draws"),
      (/\b(?:print|fopen|FileManager)\b/, "does input or output"),
    ]
    for file in sources where file.module == "TailraceCore" {
      for (number, line) in file.code.enumerated() {
        // The name of the async pool is a word, not a keyword.
        let line = line.replacing("case async", with: "").replacing(".async", with: "")
        for ban in banned where line.contains(ban.words) {
          Issue.record("\(file.path):\(number + 1): the core \(ban.why): \(line.trimmingCharacters(in: .whitespaces))")
        }
      }
    }
  }

  /// `ReentryTests` has code of the user's call everything from everywhere: a new call is added there.
  @Test func everyPublicCallIsMadeByHostileCode() {
    let tests = Repository.files(in: "Tests/TailraceRuntimeTests", endings: ["Intruder.swift", "ReentryTests.swift"])
      .map(\.text).joined()
    var names: Set<String> = []
    for file in sources where file.module == "TailraceRuntime" {
      var isOfTheScheduler = false
      for line in file.code {
        if let first = line.first, first != " ", first != "}" {
          isOfTheScheduler = line.hasPrefix("extension Scheduler {") || line.contains("class Scheduler:")
        }
        if isOfTheScheduler, let call = line.firstMatch(of: /^  public func (\w+)/) { names.insert(String(call.1)) }
      }
    }
    // It waits for a signal to the process.
    names.remove("run")
    #expect(names.count > 30)
    for name in names.sorted() where !tests.contains(".\(name)(") && !tests.contains(".\(name) {") {
      Issue.record("Tests/TailraceRuntimeTests/Intruder.swift: nothing calls \(name) of the scheduler")
    }
  }

  @Test func reportsDoNoInputOrOutput() {
    for file in sources where file.module == "TailraceReport" {
      for (number, line) in file.code.enumerated()
      where line.contains(/\b(FileManager|FileHandle|fopen)\b|\.write\(to:/) {
        Issue.record("\(file.path):\(number + 1): reports are made as bytes; writing them is the harness's work")
      }
    }
  }

  /// What Foundation says of an error, and an error of a type that nobody knows, are no words for people: ErrorWords
  /// has them. An error whose type is known has a `description`, which the compiler checks.
  @Test func errorsAreWordedByTheProject() {
    // The errors of an embedding program's handlers are theirs to word.
    for file in sources where file.module != "TailraceRuntime" && file.module != "TailraceObservability" {
      guard file.name != "ErrorWords.swift" else { continue }
      for (number, line) in file.lines.enumerated() {
        let isRaw = line.contains(/\\\(error\)|String\((describing|reflecting): error\)/)
        if line.contains("localizedDescription") || line.contains("NSError") || isRaw {
          Issue.record("\(file.path):\(number + 1): word the error with ErrorWords, or by its own description")
        }
      }
    }
  }

  /// A file is read up to a limit, and by its kind: what reads otherwise can be made to read without end.
  @Test func filesAreReadByOneFunction() {
    // Of the system's own, and each bounded: time zones, the process's memory, its threads' times, and a closed stream.
    let others: Set<String> = [
      "InputFile.swift", "TimeZoneFiles.swift", "ResidentMemory.swift", "Terminal.swift",
      "Heartbeat.swift",
    ]
    for file in sources where !others.contains(file.name) {
      for (number, line) in file.code.enumerated()
      where line.contains(
        /\b(contentsOfFile|fopen|freopen|readLine|readToEnd|readDataToEndOfFile|O_RDONLY|InputStream\(fileAt)\b/)
        || line.contains(/contents\(atPath|(Data|String)\(contentsOf|FileHandle\(forReading|\.(lines|bytes)\(from/)
      {
        Issue.record("\(file.path):\(number + 1): read files with InputFile or TextFile, up to a ReadLimit")
      }
    }
  }

  /// One type hands a thread its body, and takes it back where the system refuses the thread.
  @Test func threadsAreStartedByOneType() {
    for file in sources where file.name != "StartedThread.swift" {
      for (number, line) in file.code.enumerated() where line.contains(/\b(cplatform_thread_start|pthread_create)\b/) {
        Issue.record("\(file.path):\(number + 1): start threads with StartedThread")
      }
    }
  }

  /// One way to start a child: with its family, its bounds and an ending that leaves nobody behind.
  @Test func childrenAreStartedByOneFunction() {
    for file in sources where !["ProcessFamily.swift", "ChildLaunch.swift"].contains(file.name) {
      for (number, line) in file.code.enumerated() where line.contains(/\b(Process\(\)|Subprocess\.run|posix_spawn)/) {
        Issue.record("\(file.path):\(number + 1): start programs with ProgramOutput or ProcessFamily")
      }
    }
  }

  @Test func filesStayShort() {
    for file in sources + tests {
      // A state machine is easier to check in one piece.
      let isStateMachine = file.module == "TailraceCore" && file.name.hasPrefix("Scheduler")
      let limit = isStateMachine ? 800 : 500
      if file.lines.count > limit { Issue.record("\(file.path): \(file.lines.count) lines; split it at \(limit)") }
    }
  }

  @Test func functionsStayShort() {
    for file in sources + tests {
      for function in file.functions where function.length > 70 {
        Issue.record("\(file.path):\(function.line): a function of \(function.length) lines; the limit is 70")
      }
    }
  }

  @Test func theFirstPageStaysShort() throws {
    let text = try String(contentsOf: Repository.root.appendingPathComponent("README.md"), encoding: .utf8)
    #expect(
      text.split(separator: "\n", omittingEmptySubsequences: false).count <= 151,
      "at most 150 lines, each ended by a newline")
  }

  @Test func linesStayShort() {
    // The formatter leaves comments and literals alone.
    for file in sources + tests {
      for (number, line) in file.lines.enumerated() where line.utf8.count > 120 && line.count > 120 {
        // Regular expressions and rows of literals cannot be wrapped.
        if line.contains(/^\s*"|\/.*\\[sbw]/) { continue }
        Issue.record("\(file.path):\(number + 1): \(line.count) columns; the limit is 120")
      }
    }
  }

  @Test func namesSaySomething() {
    for file in sources where file.name.contains(/(Util|Common|Helper|Manager)/) {
      Issue.record("\(file.path): name the file after what it is for")
    }
  }

  @Test func nothingIsLeftForLater() {
    // Put together here so that this file passes its own check.
    let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
    for file in everyText where marks.contains(where: file.text.contains) {
      for (number, line) in file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        for mark in marks where line.contains(mark) {
          Issue.record("\(file.path):\(number + 1): do it, or open an issue and drop the \(mark)")
        }
      }
    }
  }

  @Test func nothingNamesOneMachinesFolders() {
    for file in everyText
    where !file.path.hasPrefix("Tests/TidyTests/") && Self.machineFolders.contains(where: file.text.contains) {
      for (number, line) in file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      where Self.machineFolders.contains(where: line.contains)
        && line.contains(/(^|[\s"'`(=:])\/(home|root|work|Users)\//)
      {
        Issue.record("\(file.path):\(number + 1): names a folder that exists on one machine only")
      }
    }
  }

  private static let machineFolders = ["/home/", "/root/", "/work/", "/Users/"]

  /// Every text of the repository that people read, reports aside.
  private var everyText: [(path: String, text: String)] {
    let endings = [".swift", ".md", ".yaml", ".yml", ".c", ".h", "run", "setup", ".sh"]
    let folders = ["Sources", "Tests", "docs", "scripts", ".ci", "Benchmarks", "Examples"]
    let top = ["README.md", "CHANGELOG.md", "Makefile", "Package.swift"].compactMap { name in
      (try? String(contentsOf: Repository.root.appendingPathComponent(name), encoding: .utf8)).map { (name, $0) }
    }
    return top + folders.flatMap { Repository.files(in: $0, endings: endings) }
  }
}

struct SourceFileTests {
  @Test func commentsAndLiteralsAreNoCode() {
    let text = """
      let a = "await // not a comment \\("inner \\(1)")" // await
      /* await
      */ let b = 1
      """
    #expect(SourceFile.withoutCommentsAndStrings(text) == "let a = \"\" \n\n let b = 1")
  }

  @Test func importsAreFoundWithTheirAttributes() {
    let file = SourceFile(
      path: "Sources/A/b.swift", text: "import B\n@testable import C\npublic import struct D.E\n// import F\n")
    #expect(file.imports == ["B", "C", "D"])
    #expect(file.module == "A" && file.lines.count == 4)
  }

  @Test func functionsAreMeasuredFromBraceToBrace() {
    let text = """
      protocol P {
        func requirement()
        func other() -> Int
      }
      func one() { }
      func three(
        closure: () -> Void = { }
      ) {
        if true { }
      }
      let x = Int.init(3)
      """
    let functions = SourceFile(path: "Sources/A/b.swift", text: text).functions
    #expect(functions.map(\.line) == [5, 6])
    #expect(functions.map(\.length) == [1, 5])
  }
}
