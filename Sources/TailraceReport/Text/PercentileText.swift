import TailraceCore
import TailraceMeasurement

/// Histograms in HdrHistogram's text format, which its plotters read: values in milliseconds.
///
/// Source: `AbstractHistogram.outputPercentileDistribution` of HdrHistogram for Java, with a value unit scaling ratio
/// of 1,000,000 and 5 steps per half distance. That library prints the upper end of the largest sample's bin; this
/// prints the largest sample itself, as all other files do.
enum PercentileText {
  static func render(_ samples: Distribution) -> String {
    var text = "\(padded("Value", 12)) \(padded("Percentile", 14)) \(padded("TotalCount", 10)) 1/(1-Percentile)\n\n"
    for step in samples.percentileSteps() {
      let share = step.percentile / 100
      text += "\(value(step.value)) \(padded(HumanUnits.fixed(share, decimals: 12), 14)) \(padded("\(step.count)", 10))"
      if step.percentile < 100 { text += " \(padded(HumanUnits.fixed(1 / (1 - share), decimals: 2), 14))" }
      text += "\n"
    }
    let buckets = max(1, 64 - Int(max(samples.bins.last?.highest ?? 0, 2_047).leadingZeroBitCount) - 10)
    text +=
      "#[Mean    = \(value(samples.mean.rawValue)), StdDeviation   = \(value(samples.standardDeviation.rawValue))]\n"
    text += "#[Max     = \(value(samples.max.rawValue)), Total count    = \(padded("\(samples.count)", 12))]\n"
    text += "#[Buckets = \(padded("\(buckets)", 12)), SubBuckets     = \(padded("2048", 12))]\n"
    return text
  }

  private static func value(_ nanoseconds: some BinaryInteger) -> String {
    padded(HumanUnits.fixed(Double(nanoseconds) / 1e6, decimals: 6), 12)
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
