// Goal: response times over time are those of the jobs that settled then, however long the run and however many
// recorders; results of older versions are still read.

import Foundation
import TailraceCore
import Testing

@testable import TailraceMeasurement

struct ResponseOverTimeTests {
  @Test func everyTimeFallsIntoTheBinThatHoldsIt() {
    var value: UInt64 = 1
    while value < 1 << 62 {
      for candidate in [value, value + value / 3, value * 2 - 1] {
        let bin = ResponseGrid.bin(of: candidate)
        #expect(ResponseGrid.lowest(of: bin) <= candidate, "\(candidate)")
        if bin < ResponseGrid.binCount - 1 {
          #expect(candidate < ResponseGrid.lowest(of: bin + 1), "\(candidate)")
          let middle = Double(ResponseSeries.Bin(index: bin, count: 1).middle)
          if candidate >= 1_024 { #expect(abs(middle / Double(candidate) - 1) < 0.0626, "\(candidate)") }
        }
      }
      value *= 2
    }
  }

  /// Jobs of 1 to 10 ms over ten seconds: many times as long as the first slots reach.
  private let jobs = (0..<5_000).map { index in
    makeRecord(UInt64(index), intended: Int64(index) * 2_000, service: 1_000 + Int64(index * 7_919 % 9_000))
  }

  @Test func slotsHoldTheJobsThatSettledInThem() throws {
    let series = try #require(measure(jobs).responseOverTime)
    #expect(series.slots.count <= 128 && series.slots.count > 64)
    #expect(series.slots.reduce(0) { $0 + $1.count } == 5_000)
    for (index, slot) in series.slots.enumerated() {
      let width = series.width.rawValue
      let inside = jobs.filter { $0.finished.nanoseconds / width == Int64(index) }.map { ($0.finished - $0.intended) }
      #expect(slot.count == UInt64(inside.count))
      #expect(slot.max == inside.max() ?? .zero)
      let sum = inside.reduce(0) { $0 + $1.rawValue }
      #expect(slot.mean == (inside.isEmpty ? nil : Double(sum) / Double(inside.count)))
    }
  }

  @Test func percentilesAreNearlyThoseOfTheSamples() throws {
    let measurement = measure(jobs)
    let whole = try #require(measurement.responseOverTime).widened(by: 128)
    #expect(whole.slots.count == 1)
    let exact = try #require(measurement.all[.response])
    for percentile in [50.0, 90, 99] {
      let near = try #require(whole.slots[0].percentile(percentile)).seconds
      let wanted = try #require(exact.percentile(percentile)).seconds
      #expect(abs(near / wanted - 1) < 0.07, "p\(percentile): \(near) for \(wanted)")
    }
    let few = try #require(measure(Array(jobs[..<20])).responseOverTime).widened(by: 128)
    #expect(few.slots[0].percentile(50) != nil && few.slots[0].percentile(99) == nil, "20 samples hold no p99")
  }

  @Test func manyRecordersSayWhatOneSays() {
    let whole = measure(jobs)
    let shards = RecorderShards(count: 3, settings: Recorder.RecorderSettings(types: ["a", "b"], attemptLimit: 1_000))
    for (index, record) in jobs.enumerated() {
      // One shard sees the short beginning only, so that its slots are finer than the others'.
      let shard = index < 100 ? 2 : index % 2
      withUnsafePointer(to: record) { shards.record(UnsafeBufferPointer(start: $0, count: 1), shard: shard) }
    }
    let merged = shards.merged().measurement(RunFacts(intended: jobs.count))
    #expect(merged.responseOverTime == whole.responseOverTime)
  }

  @Test func refusedJobsGiveNoSample() throws {
    let series = try #require(measure([makeRejected(0), makeRecord(1)]).responseOverTime)
    #expect(series.slots.reduce(0) { $0 + $1.count } == 1)
  }

  @Test func resultsSurviveJSONAndOlderOnesAreRead() throws {
    for records in [jobs, Array(jobs[..<300])] {
      let measurement = measure(records)
      let json = try JSONEncoder().encode(measurement)
      #expect(try JSONDecoder().decode(RunMeasurement.self, from: json) == measurement)
      var old = try #require(JSONSerialization.jsonObject(with: json) as? [String: Any])
      old["responseOverTime"] = nil
      old["timeline"] = nil
      let read = try JSONDecoder().decode(RunMeasurement.self, from: JSONSerialization.data(withJSONObject: old))
      #expect(read.responseOverTime == nil && read.timeline == nil)
      #expect(read.throughput == measurement.throughput)
    }
  }

  @Test(arguments: ["1", "1 2 3", "1 2 0:0", "-1 2 1:1", "1 2 5:1,0:1", "1 2 9999:1", "1 2 -1:1"])
  func aSlotThatIsNoneIsRefused(_ text: String) {
    let json = Data("{\"width\": 8, \"slots\": [\"\(text)\"]}".utf8)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(ResponseSeries.self, from: json) }
  }
}
