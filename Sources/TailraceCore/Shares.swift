/// How much one job type, or one tag key, has had in one pool under the policy `fair`.
struct ShareAccount {
  /// Marks a lane without one.
  static let none = UInt32.max
  /// How far a start moves it on.
  var step: Int64
  var virtualTime: Int64 = 0
  /// Jobs in its lanes.
  var waiting = 0
  /// Place among the accounts by how much waits, or -1.
  var heapPosition: Int32 = -1
  var lanes: ContiguousArray<UInt32> = []

  /// How much waits for its weight.
  var length: Double { Double(waiting) * Double(step) }
}

extension SchedulerCore {
  mutating func addShare(step: Int64) -> UInt32 {
    if let reused = freeShares.popLast() {
      shares[Int(reused)] = ShareAccount(step: step)
      return reused
    }
    assert(shares.count < Int(ShareAccount.none), "more shares than can be named")
    shares.append(ShareAccount(step: step))
    return UInt32(shares.count - 1)
  }

  /// A job comes to wait in a lane. Who had nothing waiting goes on where the pool is.
  mutating func join(_ lane: Int) {
    let share = Int(lanes[lane].share)
    if shares[share].waiting == 0 {
      let pool = Int(lanes[lane].pool.rawValue)
      shares[share].virtualTime = max(shares[share].virtualTime, pools[pool].virtualTime)
    }
    shares[share].waiting += 1
    if sheds { longestShares.update(UInt32(share), in: &shares) }
  }

  /// A job no longer waits in a lane.
  mutating func leave(_ lane: Int) {
    let share = lanes[lane].share
    shares[Int(share)].waiting -= 1
    if sheds { longestShares.update(share, in: &shares) }
  }

  /// A job of the lane starts: the pool is where its account was, and the account moves on.
  mutating func charge(_ lane: Int, of pool: Int) {
    let share = Int(lanes[lane].share)
    pools[pool].virtualTime = shares[share].virtualTime
    move(share, by: shares[share].step, but: lane)
  }

  /// A job that was handed out waits again.
  mutating func refund(_ lane: Int) {
    let share = Int(lanes[lane].share)
    move(share, by: -shares[share].step, but: lane)
  }

  /// Its other lanes that take part in dispatch move too; the caller sees to this one.
  private mutating func move(_ share: Int, by step: Int64, but lane: Int) {
    shares[share].virtualTime &+= step
    guard shares[share].lanes.count > 1 else { return }
    for position in shares[share].lanes.indices {
      let other = Int(shares[share].lanes[position])
      if other != lane, lanes[other].heapPosition >= 0 { headChanged(other) }
    }
  }

  /// Who makes room where jobs have shares: the youngest job of the account that has most waiting for its weight, if
  /// that is more than the submitted job's own has. Or none.
  mutating func youngestOfLongest(but own: UInt32?) -> UInt32 {
    guard let longest = longestShares.first, longest != own else { return JobSlot.none }
    if let own, shares[Int(own)].length >= shares[Int(longest)].length { return JobSlot.none }
    var youngest = JobSlot.none
    for lane in shares[Int(longest)].lanes {
      let tail = lanes[Int(lane)].jobs.tail
      if tail != JobSlot.none, youngest == JobSlot.none || isYounger(tail, than: youngest) { youngest = tail }
    }
    return youngest
  }
}
