import Foundation

/// Maps values to positions on an axis, from 0 at its start to 1 at its end.
struct Scale {
  enum Kind { case linear, logarithmic, percentile }
  struct Tick: Equatable {
    var value: Double
    var label: String
  }
  let kind: Kind
  let low: Double
  let high: Double
  let ticks: [Tick]

  /// A value's position; values beyond an end are placed at the end.
  func place(_ value: Double) -> Double {
    let place =
      switch kind {
      case .linear: (value - low) / (high - low)
      case .logarithmic: log10(max(value, low) / low) / log10(high / low)
      case .percentile: Self.stretch(value) / Self.stretch(high)
      }
    return place.isFinite ? min(1, max(0, place)) : 0
  }

  /// From 0 to a round number at or above `most`.
  ///
  /// - Parameters:
  ///   - count: The approximate number of steps.
  ///   - isOpen: Whether the axis ends at `most` rather than at a round number.
  static func linear(
    from least: Double = 0, to most: Double, count: Int = 4, isOpen: Bool = false, isTime: Bool = false,
    label: (Double) -> String
  ) -> Scale {
    let most = most > least && most.isFinite ? most : least + 1
    let step = isTime ? timeStep((most - least) / Double(count)) : niceStep((most - least) / Double(count))
    let low = (least / step).rounded(.down) * step
    let high = isOpen ? most : (most / step - 1e-9).rounded(.up) * step
    let steps = Int(((high - low) / step + 1e-9).rounded(.down))
    let ticks = (0...max(0, steps)).map { index in
      let value = low + Double(index) * step
      return Tick(value: value, label: label(value))
    }
    return Scale(kind: .linear, low: low, high: high, ticks: ticks)
  }

  /// A linear axis of nanoseconds.
  static func time(from least: Double = 0, to most: Double, count: Int = 4, isOpen: Bool = false) -> Scale {
    linear(from: least, to: most, count: count, isOpen: isOpen, isTime: true, label: shortTime)
  }

  /// A linear axis of nanoseconds with exactly these ends. Its labels are distances from the start: `+1.5 ms`.
  static func elapsed(from low: Double, to high: Double, count: Int) -> Scale {
    let length = max(1, high - low)
    let ticks = stride(from: 0, through: length * (1 + 1e-9), by: timeStep(length / Double(count)))
    return Scale(
      kind: .linear, low: low, high: low + length,
      ticks: ticks.map { Tick(value: low + $0, label: "+\(shortTime($0))") })
  }

  /// Decades, or 1–2–5 steps if there are few decades; the ends are steps too.
  static func logarithmic(from least: Double, to most: Double, label: (Double) -> String) -> Scale {
    let least = max(least, .leastNormalMagnitude)
    let most = max(most, least * 1.01)
    let round: [Double] = [1, 2, 5]
    func steps(around value: Double) -> [Double] {
      let decade = pow(10, log10(value).rounded(.down))
      return round.map { $0 * decade } + [10 * decade]
    }
    let low = steps(around: least).last { $0 <= least * (1 + 1e-9) } ?? least
    let high = steps(around: most).first { $0 >= most * (1 - 1e-9) } ?? most
    let decades = log10(high / low)
    let mantissas = decades <= 1.7 ? round : [1]
    let every = max(1, Int((decades / 6).rounded(.up)))
    var ticks: [Tick] = []
    var exponent = Int(log10(low).rounded(.down))
    while pow(10, Double(exponent)) <= high * (1 + 1e-9) {
      for mantissa in mantissas {
        let value = mantissa * pow(10, Double(exponent))
        if value >= low * (1 - 1e-9), value <= high * (1 + 1e-9), exponent % every == 0 {
          ticks.append(Tick(value: value, label: label(value)))
        }
      }
      exponent += 1
    }
    return Scale(kind: .logarithmic, low: low, high: high, ticks: ticks)
  }

  /// HdrHistogram's percentile axis: the distance to 100 % on a logarithmic scale, so that 90 %, 99 % and 99.9 % are
  /// evenly spaced.
  ///
  /// - Parameter samples: The number of samples, which determines the axis's end.
  static func percentile(samples: UInt64) -> Scale {
    let high = max(90, percentileOfGreatest(samples))
    var ticks = [Tick(value: 50, label: "50 %")]
    var (distance, label) = (10.0, "90 %")
    while 100 - distance <= high * (1 + 1e-12) {
      ticks.append(Tick(value: 100 - distance, label: label))
      label = distance == 10 ? "99 %" : distance == 1 ? "99.9 %" : "\(label.dropLast(2))9 %"
      distance /= 10
    }
    return Scale(kind: .percentile, low: 0, high: high, ticks: ticks)
  }

  /// The expected percentile of the maximum of n samples: n ÷ (n + 1).
  static func percentileOfGreatest(_ samples: UInt64) -> Double { 100 * Double(samples) / Double(samples + 1) }

  private static func stretch(_ percentile: Double) -> Double { -log10(max(1e-15, 1 - percentile / 100)) }

  /// The smallest of 1, 2 and 5 times a power of ten that is at least `step`.
  static func niceStep(_ step: Double) -> Double {
    let decade = pow(10, log10(step).rounded(.down))
    return ([1, 2, 5, 10].first { $0 * decade >= step * (1 - 1e-9) } ?? 10) * decade
  }

  /// The same for nanoseconds; from half a minute on, round minutes and hours.
  static func timeStep(_ step: Double) -> Double {
    let seconds: [Double] = [30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400]
    guard step > 20e9 else { return niceStep(step) }
    return seconds.map { $0 * 1e9 }.first { $0 >= step } ?? niceStep(step / 86_400e9) * 86_400e9
  }

  /// A time as an axis label: `1.5 s`, without insignificant digits.
  static func shortTime(_ nanoseconds: Double) -> String { withoutZeros(HumanUnits.time(nanoseconds)) }

  /// A number as an axis label.
  static func shortNumber(_ value: Double) -> String { withoutZeros(HumanUnits.digits(value)) }

  private static func withoutZeros(_ text: String) -> String {
    let words = text.split(separator: " ", maxSplits: 1)
    guard let number = words.first, number.contains(".") else { return text }
    var digits = number
    while digits.last == "0" { digits.removeLast() }
    if digits.last == "." { digits.removeLast() }
    return ([digits] + words.dropFirst()).joined(separator: " ")
  }
}
