/// The virtual time of one job type or tenant in one pool under the policy `fair`.
struct ShareAccount {
  /// Marks a lane without an account.
  static let none = UInt32.max
  /// Virtual-time increment per start (1/weight).
  var step: Int64
  var virtualTime: Int64 = 0
  /// Jobs in its lanes.
  var waiting = 0
  /// Position in the heap of accounts, or -1.
  var heapPosition: Int32 = -1
  var lanes: ContiguousArray<UInt32> = []

  /// Waiting jobs relative to the weight.
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

  /// Adds a waiting job to a lane. An account that had nothing waiting joins at the pool's virtual time.
  mutating func join(_ lane: Int) {
    let share = Int(lanes[lane].share)
    if shares[share].waiting == 0 {
      let pool = Int(lanes[lane].pool.rawValue)
      shares[share].virtualTime = max(shares[share].virtualTime, pools[pool].virtualTime)
    }
    shares[share].waiting += 1
    if sheds { longestShares.update(UInt32(share), in: &shares) }
  }

  /// Removes a waiting job from a lane.
  mutating func leave(_ lane: Int) {
    let share = lanes[lane].share
    shares[Int(share)].waiting -= 1
    if sheds { longestShares.update(share, in: &shares) }
  }

  /// Charges a start to the lane's account and sets the pool's virtual time to that of the start.
  mutating func charge(_ lane: Int, of pool: Int) {
    let share = Int(lanes[lane].share)
    pools[pool].virtualTime = shares[share].virtualTime
    move(share, by: shares[share].step, but: lane)
  }

  /// Reverts the charge for a job that waits again.
  mutating func refund(_ lane: Int) {
    let share = Int(lanes[lane].share)
    move(share, by: -shares[share].step, but: lane)
  }

  /// Updates the account's other open lanes; the caller updates `lane`.
  private mutating func move(_ share: Int, by step: Int64, but lane: Int) {
    shares[share].virtualTime &+= step
    guard shares[share].lanes.count > 1 else { return }
    for position in shares[share].lanes.indices {
      let other = Int(shares[share].lanes[position])
      if other != lane, lanes[other].heapPosition >= 0 { headChanged(other) }
    }
  }

  /// The job to shed under shares: the youngest of the account with the most waiting relative to its weight, if that is
  /// more than the submission's own account has; otherwise none.
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
