// swift-tools-version: 6.2
import PackageDescription

// Small programs that embed the scheduler, as a package of its own, like yours would be.
let package = Package(
  name: "tailrace-examples",
  platforms: [.macOS(.v26)],
  dependencies: [
    // In your package, with the address of your copy: .package(url: "https://example.com/tailrace.git", branch: "main")
    .package(name: "tailrace", path: ".."),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .executableTarget(
      name: "thumbnails",
      dependencies: [
        .product(name: "TailraceRuntime", package: "tailrace"), .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(
      name: "nightly",
      dependencies: [
        .product(name: "TailraceRuntime", package: "tailrace"), .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(
      name: "driver",
      dependencies: [
        .product(name: "TailraceRuntime", package: "tailrace"), .product(name: "Logging", package: "swift-log"),
      ]),
  ]
)
