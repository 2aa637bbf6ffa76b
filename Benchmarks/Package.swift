// swift-tools-version: 6.2
import PackageDescription

/// As in the package that is measured.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

// A package of its own, so that whoever builds or embeds Tailrace pays nothing for its benchmarks.
let package = Package(
  name: "tailrace-benchmarks",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "tailrace", path: ".."),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    // Without its default traits, which need libraries that count every allocation; bytes come from jemalloc here.
    .package(url: "https://github.com/ordo-one/benchmark.git", from: "1.38.1", traits: []),
  ],
  targets: [
    // What is measured, for both programs below.
    .target(
      name: "Workbench",
      dependencies: [
        .product(name: "TailraceCore", package: "tailrace"),
        .product(name: "TailraceRuntime", package: "tailrace"),
        .product(name: "TailraceInternals", package: "tailrace"),
        .product(name: "TailraceJemalloc", package: "tailrace"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Workbench",
      swiftSettings: strict),
    // The benchmark command runs every executable below Benchmarks/, so what is none lies elsewhere.
    .executableTarget(
      name: "TailraceBenchmarks",
      dependencies: [
        "Workbench",
        .product(name: "TailraceRuntime", package: "tailrace"),
        .product(name: "TailraceInternals", package: "tailrace"),
        .product(name: "TailraceJemalloc", package: "tailrace"),
        .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "Benchmarks/TailraceBenchmarks",
      swiftSettings: strict,
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    // Prints single figures, which `side-by-side` gathers.
    .executableTarget(
      name: "figures", dependencies: ["Workbench"], path: "Sources/Figures", swiftSettings: strict),
  ]
)
