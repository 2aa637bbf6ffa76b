import ArgumentParser
import Foundation
import TailraceHarness
import TailracePlatform
import TailraceReplay
import TailraceSpelling

/// `tailrace drivers`
struct DriversCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drivers",
    abstract: "List, install and check the drivers for other schedulers.",
    discussion: """
      A driver submits a scenario's jobs to another scheduler, such as Celery or Sidekiq, and reports what became of \
      them. Once it is installed, '--system' takes its name.

      EXAMPLES
        tailrace drivers
        tailrace drivers install celery
        tailrace run quick-start --system celery
        tailrace drivers check ./my-driver
      """,
    subcommands: [DriversList.self, DriversInstall.self, DriversCheck.self], defaultSubcommand: DriversList.self)
}

/// `tailrace drivers list`
struct DriversList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the drivers, and show which are installed.")

  @Flag(help: "Print JSON.")
  var json = false

  private struct Row: Encodable {
    var name: String
    var driver: String
    var summary: String
    var isInstalled: Bool
    var lacks: [DriverAbility]
  }

  func run() throws {
    let catalog = Composition.drivers
    for problem in catalog.problems { Terminal.error.write("Error: \(problem)\n") }
    guard catalog.folder != nil else { throw Refusal.usage(DriverPlace.missing) }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      return Terminal.output.write(
        json: try encoder.encode(
          catalog.entries.map {
            Row(
              name: $0.name, driver: $0.driver, summary: $0.summary, isInstalled: $0.isInstalled, lacks: $0.lacks)
          }))
    }
    let width = catalog.entries.map(\.name.count).max() ?? 0
    for entry in catalog.entries {
      let state = entry.isInstalled ? "installed" : "–        "
      let lacks = entry.lacks.isEmpty ? "" : "; lacks \(entry.lacks.map(\.words).joined(separator: ", "))"
      Terminal.output.write(
        "\(entry.name.padding(toLength: width, withPad: " ", startingAt: 0))  \(state)  \(entry.summary)\(lacks)\n")
    }
    Terminal.output.write("\nInstall one: tailrace drivers install NAME\n")
  }
}

/// `tailrace drivers install`
struct DriversInstall: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Install what a driver needs.",
    discussion: """
      Installs Debian packages with apt-get, as root or with sudo. A Python driver gets a virtual environment of its \
      own in ~/.cache/tailrace/drivers. A driver that is up to date is left alone.
      """)

  @Argument(help: "The driver's name; see 'tailrace drivers'.")
  var names: [String]

  func run() async throws {
    let catalog = Composition.drivers
    guard catalog.folder != nil else { throw Refusal.usage(DriverPlace.missing) }
    let folders = try names.map { name in
      guard let driver = DriverPlace.driver(of: name, in: catalog) else {
        throw Refusal.usage(DriverPlace.unknown(name, in: catalog))
      }
      return driver
    }
    for driver in folders {
      guard try await catalog.install(driver) else {
        throw Refusal.usage("the driver '\(driver)' could not be installed; the lines above say why")
      }
    }
  }
}

/// `tailrace drivers check`
struct DriversCheck: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Test what a driver and its scheduler can do.",
    discussion: """
      Runs a small load for each ability (\(DriverCheck.names.joined(separator: ", "))) and says whether the driver \
      passes, fails, or says that its scheduler lacks the ability.

      EXAMPLES
        tailrace drivers check celery
        tailrace drivers check ./my-driver

      EXIT STATUS
        0 nothing failed; 2 a test failed
      """)

  @Argument(help: "The driver's name, or the path of a program.", completion: .file())
  var driver: String
  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    let catalog = Composition.drivers
    let isPath = driver.contains("/")
    guard
      let system = isPath
        ? StreamedSystem(named: driver.hasPrefix(StreamedSystem.prefix) ? driver : StreamedSystem.prefix + driver)
        : catalog.system(named: driver)
    else { throw Refusal.usage(DriverPlace.unknown(driver, in: catalog)) }
    if let obstacle = system.obstacle { throw Refusal.usage(obstacle) }
    let stop = Interruption.ask()
    let verdicts = await DriverCheck(system).run(interruption: stop) { verdict in
      guard !json else { return }
      Terminal.output.write(
        "\(verdict.state.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0))"
          + "\(verdict.ability.padding(toLength: 14, withPad: " ", startingAt: 0))\(verdict.words)\n")
    }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      Terminal.output.write(json: try encoder.encode(verdicts))
    }
    if stop.isSet { throw ExitCode(Tailrace.interruptedStatus) }
    if verdicts.contains(where: { $0.state == .failed }) { throw ExitCode(2) }
  }
}

/// Messages about drivers that are not there.
enum DriverPlace {
  static let missing =
    "the folder of the drivers was not found; run tailrace from a clone of its repository, or set TAILRACE_DRIVERS to "
    + "the path of the folder Drivers"

  /// The folder of a driver, by its own name or by that of one of its systems.
  static func driver(of name: String, in catalog: DriverCatalog) -> String? {
    catalog.drivers.contains(name) ? name : catalog.entries.first { $0.name == name }?.driver
  }

  static func unknown(_ name: String, in catalog: DriverCatalog) -> String {
    guard catalog.folder != nil else { return missing }
    let names = catalog.entries.map(\.name)
    return "unknown driver '\(name)'; \(didYouMean(name, among: names))drivers: \(names.joined(separator: ", "))"
  }
}
