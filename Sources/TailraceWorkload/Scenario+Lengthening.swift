import TailraceCore

extension Scenario {
  /// The scenario with more of the same load: arrivals go on for `length`, and streams that are limited by a number of
  /// arrivals get as many more. A fifth of it, at least, is warm-up, since a run begins with an empty queue.
  ///
  /// - Returns: nil where the rate changes by design, so that a longer run would be another load.
  package func lengthened(to length: Nanoseconds) -> Scenario? {
    guard hasSteadyRate, let own = arrivalLength, own > .zero, length >= own, length <= .longest
    else { return nil }
    let factor = length.seconds / own.seconds
    var longer = self
    longer.duration = length
    longer.warmup = max(warmup, length.scaled(by: 0.2))
    longer.streams = streams.map { stream in
      var stream = stream
      if stream.duration != nil { stream.duration = length - stream.start }
      stream.count = stream.count.map { Int((Double($0) * factor).rounded(.up)) }
      return stream
    }
    return longer
  }
}
