import Benchmark
import TailraceBenchmarkHooks
import TailraceJemalloc
import TailraceRuntime
import Workbench

/// Bytes allocated for each operation, exact, from jemalloc's counters. Times are shown but never gated: they are the
/// machine's as much as the program's.
private let allocated = BenchmarkMetric.custom(
  "Allocated bytes/op", polarity: .prefersSmaller, useScalingFactor: false)
/// Bytes that a waiting job takes up.
private let memory = BenchmarkMetric.custom(
  "Live bytes/queued job", polarity: .prefersSmaller, useScalingFactor: false)

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, allocated], warmupIterations: 1, scalingFactor: .kilo,
    maxDuration: .seconds(2), maxIterations: 200,
    thresholds: [allocated: .init(absolute: [.p90: 1])])
  coreBenchmarks()
  liveBenchmarks()
  workloadBenchmarks()
}

private func coreBenchmarks() {
  Benchmark("core.submit-start-end") { benchmark in
    var loop = CoreLoop(capacity: 10_000)
    loop.run(jobs: 1_000)
    let count = benchmark.scaledIterations.count
    benchmark.startMeasurement()
    let bytes = bytesAllocated { loop.run(jobs: count) }
    benchmark.stopMeasurement()
    if let bytes { benchmark.measurement(allocated, bytes / count) }
  }

  Benchmark(
    "core.million-queued",
    configuration: .init(
      metrics: [.wallClock, memory], warmupIterations: 1, scalingFactor: .mega,
      maxDuration: .seconds(5), maxIterations: 5, thresholds: [memory: .init(absolute: [.p90: 1])])
  ) { benchmark in
    let count = benchmark.scaledIterations.count
    let before = AllocationCounters.liveBytes()
    var loop = CoreLoop(capacity: count)
    loop.queue(jobs: count)
    let after = AllocationCounters.liveBytes()
    blackHole(loop.drain())
    if let before, let after { benchmark.measurement(memory, Int(after - before) / count) }
  }
}

private func liveBenchmarks() {
  Benchmark(
    "live.one-by-one",
    configuration: .init(
      metrics: [.wallClock], scalingFactor: .mega, maxDuration: .seconds(5), maxIterations: 3, thresholds: [:])
  ) { benchmark in
    blackHole(await Submitting.live.run(jobs: benchmark.scaledIterations.count))
  }

  Benchmark(
    "live.await-each",
    configuration: .init(
      metrics: [.wallClock, allocated], scalingFactor: .kilo, maxDuration: .seconds(3), maxIterations: 100,
      thresholds: [:])
  ) { benchmark in
    let scheduler = LiveScheduler.make(capacity: 10_000)
    let count = benchmark.scaledIterations.count
    await scheduler.submitAndAwait(jobs: 100)
    let before = ThreadAllocationLedger.allocatedBytes()
    benchmark.startMeasurement()
    await scheduler.submitAndAwait(jobs: count)
    benchmark.stopMeasurement()
    let after = ThreadAllocationLedger.allocatedBytes()
    if let before, let after { benchmark.measurement(allocated, Int(after - before) / count) }
    await scheduler.shutdown()
  }
}

private func workloadBenchmarks() {
  let drawing = TapeDrawing(
    scenario: """
      name: drawing
      jobs:
        short: {service: exponential(mean: 20ms)}
        long: {service: "lognormal(median: 40ms, p99: 900ms)", failures: 1%}
      load: {poisson: 1000/s, of: {short: 4, long: 1}, count: 1_000_000}
      """)
  Benchmark("tape.draw") { benchmark in
    let count = benchmark.scaledIterations.count
    var sum: Int64 = 0
    let bytes = bytesAllocated { sum = drawing.draw(jobs: count) }
    blackHole(sum)
    if let bytes { benchmark.measurement(allocated, bytes / count) }
  }

  Benchmark("histogram.record") { benchmark in
    let recording = SampleRecording()
    let count = benchmark.scaledIterations.count
    benchmark.startMeasurement()
    let bytes = bytesAllocated { recording.recordSamples(count) }
    benchmark.stopMeasurement()
    blackHole(recording)
    if let bytes { benchmark.measurement(allocated, bytes / count) }
  }

  Benchmark(
    "recorder.settle",
    configuration: .init(
      metrics: [.wallClock, allocated], scalingFactor: .mega, maxDuration: .seconds(3), maxIterations: 10,
      thresholds: [allocated: .init(absolute: [.p90: 1])])
  ) { benchmark in
    let recording = SampleRecording()
    let count = benchmark.scaledIterations.count
    benchmark.startMeasurement()
    let bytes = bytesAllocated { blackHole(recording.recordTimelines(count)) }
    benchmark.stopMeasurement()
    if let bytes { benchmark.measurement(allocated, bytes / count) }
  }
}
