// swift-tools-version: 6.2
import PackageDescription

/// Every target of the package is compiled with these.
let strict: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ] + (Context.environment["TAILRACE_WARNINGS"] == "errors" ? [.treatAllWarnings(as: .error)] : [])

/// `TAILRACE_ALLOCATOR=system` in the environment leaves jemalloc out: the thread sanitizer brings an allocator of its own
/// and ends a process that has both. Figures of memory are unavailable then.
let hasJemalloc = Context.environment["TAILRACE_ALLOCATOR"] != "system"

let package = Package(
  name: "tailrace",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "tailrace", targets: ["tailrace"]),
    .library(name: "TailraceRuntime", targets: ["TailraceRuntime"]),
    .library(name: "TailraceCore", targets: ["TailraceCore"]),
    // Metrics, traces and a service around the runtime: apart from it, for the packages that it needs.
    .library(name: "TailraceObservability", targets: ["TailraceObservability"]),
    // For the package in Benchmarks/; nothing in it is meant for embedding.
    .library(name: "TailraceInternals", targets: ["TailraceBenchmarkHooks"]),
    .library(name: "TailraceJemalloc", targets: ["TailraceJemalloc"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    // Only for TailraceObservability: the command line and the runtime need none of them.
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .target(name: "TailraceCore", swiftSettings: strict),
    .target(name: "TailraceSpelling", swiftSettings: strict),
    .target(name: "TailracePlatform", dependencies: ["TailraceCore", "CPlatform"], swiftSettings: strict),
    .target(name: "TailraceText", dependencies: ["TailraceSpelling", "CPlatform", "CZlib"], swiftSettings: strict),
    .target(
      name: "TailraceHost",
      dependencies: [
        "TailraceCore", "TailracePlatform", "TailraceSpelling", "TailraceText", "CPlatform",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      swiftSettings: strict),
    .target(
      name: "TailraceTimeZones", dependencies: ["TailraceCore", "TailraceSpelling"], swiftSettings: strict),
    .target(
      name: "TailraceWorkload",
      dependencies: [
        "TailraceCore", "TailraceTimeZones", "TailraceSpelling", "TailraceText", "CPlatform",
        .product(name: "Yams", package: "Yams"),
      ],
      resources: [.embedInCode("Scenarios")],
      swiftSettings: strict),
    .target(
      name: "TailraceMeasurement", dependencies: ["TailraceCore", "TailraceSpelling"], swiftSettings: strict),
    .target(
      name: "TailraceBenchmarkHooks",
      dependencies: [
        "TailraceWorkload", "TailraceMeasurement", "TailraceSimulation", "TailraceRuntime", "TailracePlatform",
        "TailraceCore", "CPlatform",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(name: "CPlatform"),
    .target(
      name: "TailraceRuntime",
      dependencies: [
        "TailraceCore", "TailracePlatform", "TailraceTimeZones", "TailraceSpelling", "CPlatform",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(
      name: "TailraceObservability",
      dependencies: [
        "TailraceRuntime", "TailracePlatform", "TailraceCore", .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),
    .target(
      name: "TailraceReport", dependencies: ["TailraceMeasurement", "TailraceCore", "TailraceSpelling"],
      swiftSettings: strict),
    .target(
      name: "TailraceReplay",
      dependencies: ["TailraceCore", "TailraceWorkload", "TailraceMeasurement", "TailracePlatform"],
      swiftSettings: strict),
    .target(
      name: "TailraceHarness",
      dependencies: [
        "TailraceCore", "TailraceWorkload", "TailraceMeasurement", "TailraceRuntime", "TailraceReplay",
        "TailraceReport", "TailracePlatform", "TailraceHost", "TailraceText", "TailraceSpelling", "CPlatform",
        .product(name: "Logging", package: "swift-log"), .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      swiftSettings: strict),
    .target(name: "TailraceTheory", swiftSettings: strict),
    .target(
      name: "TailraceSimulation",
      dependencies: [
        "TailraceCore", "TailraceWorkload", "TailraceMeasurement", "TailraceReplay", "TailracePlatform",
      ],
      swiftSettings: strict),
    .target(
      name: "TailraceStudies",
      dependencies: [
        "TailraceCore", "TailraceWorkload", "TailraceMeasurement", "TailraceReplay", "TailraceSimulation",
        "TailraceTheory", "TailraceReport", "TailracePlatform", "TailraceHost", "TailraceText",
      ],
      swiftSettings: strict),
    .target(
      name: "TailraceSQLite",
      dependencies: [
        "TailraceCore", "TailraceReplay", "TailraceWorkload", "TailracePlatform", "TailraceHost",
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: strict),
    .target(
      name: "TailraceJemalloc", dependencies: hasJemalloc ? ["CJemalloc"] : [],
      swiftSettings: strict + (hasJemalloc ? [.define("TAILRACE_JEMALLOC")] : [])),
    .executableTarget(
      name: "tailrace",
      dependencies: [
        "TailraceCore", "TailraceWorkload", "TailraceMeasurement", "TailraceReplay", "TailraceReport",
        "TailraceHarness", "TailraceStudies", "TailraceSimulation", "TailraceSQLite", "TailraceJemalloc",
        "TailraceSpelling", "TailraceText", "TailraceHost", "TailracePlatform",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .testTarget(name: "TailraceSpellingTests", dependencies: ["TailraceSpelling"], swiftSettings: strict),
    .testTarget(name: "TailraceCoreTests", dependencies: ["TailraceCore"], swiftSettings: strict),
    .testTarget(
      name: "TailraceTimeZonesTests", dependencies: ["TailraceTimeZones", "TailraceCore"], swiftSettings: strict),
    .testTarget(
      name: "TailraceWorkloadTests",
      dependencies: ["TailraceWorkload", "TailraceText", "TailraceSpelling", "TailraceCore"],
      exclude: ["Broken", "Golden"], swiftSettings: strict),
    .testTarget(
      name: "TailraceMeasurementTests",
      dependencies: [
        "TailraceMeasurement", "TailraceCore", .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TailraceRuntimeTests",
      dependencies: [
        "TailraceRuntime", "TailracePlatform", "TailraceCore", "TailraceBenchmarkHooks",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TailraceObservabilityTests",
      dependencies: [
        "TailraceObservability", "TailraceRuntime", "TailracePlatform", "TailraceCore",
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "MetricsTestKit", package: "swift-metrics"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TailraceReportTests",
      dependencies: ["TailraceReport", "TailraceMeasurement", "TailraceSpelling", "TailraceCore"],
      exclude: ["Golden"],
      swiftSettings: strict),
    .testTarget(
      name: "TailraceHostTests",
      dependencies: [
        "TailraceHost", "TailracePlatform", "TailraceText", "TailraceCore", "CPlatform",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TailraceHarnessTests",
      dependencies: [
        "TailraceHarness", "TailraceReplay", "TailraceSimulation", "TailraceSQLite", "TailraceJemalloc",
        "TailraceWorkload", "TailraceMeasurement", "TailraceReport", "TailraceRuntime", "TailraceHost",
        "TailracePlatform", "TailraceCore", "CPlatform", .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TailraceStudiesTests",
      dependencies: [
        "TailraceStudies", "TailraceHarness", "TailraceSimulation", "TailraceReplay", "TailraceWorkload",
        "TailraceMeasurement", "TailraceHost", "TailracePlatform", "TailraceCore",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TailraceSimulationTests",
      dependencies: [
        "TailraceSimulation", "TailraceReplay", "TailraceReport", "TailraceWorkload", "TailraceMeasurement",
        "TailraceCore",
      ],
      swiftSettings: strict),
    .testTarget(name: "TailraceTheoryTests", dependencies: ["TailraceTheory"], swiftSettings: strict),
    .testTarget(
      name: "ProgressTests",
      dependencies: [
        "tailrace", "TailraceHarness", "TailraceReplay", "TailraceStudies", "TailraceMeasurement", "TailraceCore",
      ],
      exclude: ["Golden"], swiftSettings: strict),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "tailrace", "TailraceHarness", "TailraceReplay", "TailraceStudies", "TailraceHost", "TailraceMeasurement",
        "TailraceReport", "TailraceCore", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    .testTarget(name: "TidyTests", swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests",
      dependencies: ["tailrace", .product(name: "Subprocess", package: "swift-subprocess")],
      exclude: ["Golden", "Scenarios"], swiftSettings: strict),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
  ] + (hasJemalloc ? [.systemLibrary(name: "CJemalloc", providers: [.apt(["libjemalloc-dev"])])] : [])
)
