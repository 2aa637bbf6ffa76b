/// Limits and share of the jobs that have the same tenant, such as one customer or tenant.
public struct TenantSettings: Hashable, Sendable, Codable {
  /// Maximum jobs of the key running at once; 1 or more; nil: no limit per key.
  public var concurrency: Int?
  /// Maximum rate at which attempts of its jobs start; nil: unlimited.
  public var rate: RateLimit?
  /// Share under the policy `fair(by: .tenant)`, relative to the other keys with jobs waiting; 0.001 to 1,000.
  public var weight: Double
  /// Creates the settings of one tenant.
  public init(concurrency: Int? = nil, rate: RateLimit? = nil, weight: Double = 1) {
    self.concurrency = concurrency
    self.rate = rate
    self.weight = weight
  }
}

/// Settings for tenants: a default for each key, and overrides for named keys.
public struct TenantConfiguration: Hashable, Sendable, Codable {
  /// The settings of each key that is not in ``named``. Each key has its own limits.
  public var each: TenantSettings
  /// Overrides by key.
  public var named: [String: TenantSettings]
  /// Creates settings for tenants. Without limits and weights, keys have no effect on scheduling.
  public init(each: TenantSettings = TenantSettings(), named: [String: TenantSettings] = [:]) {
    self.each = each
    self.named = named
  }

  /// Whether any key has a limit.
  var limits: Bool {
    func limits(_ settings: TenantSettings) -> Bool { settings.concurrency != nil || settings.rate != nil }
    return limits(each) || named.values.contains(where: limits)
  }
}

/// Identifies a lane among those of one tenant.
struct LaneKind: Hashable {
  let type: UInt16
  let pool: PoolID
  let priority: Priority

  init(_ type: UInt16, _ pool: PoolID, _ priority: Priority) {
    (self.type, self.pool, self.priority) = (type, pool, priority)
  }
}

/// The scheduler's data about one tenant.
struct TenantState {
  let name: String
  let concurrency: Int
  /// Index of its rate limit, or -1.
  let gate: Int32
  /// Virtual-time increment per start under `fair(by: .tenant)`.
  let step: Int64
  /// Unsettled jobs that have the key.
  var live = 0
  /// Attempts handed out and not yet reported as ended.
  var running = 0
  /// Lanes closed by its own limits.
  var gatedLanes: ContiguousArray<UInt32> = []
  /// All its lanes.
  var lanes: ContiguousArray<UInt32> = []
  /// The same lanes by kind; used if there are many.
  var laneIndex: [LaneKind: UInt32] = [:]
  /// Its account in each pool, if keys have shares.
  var shares: ContiguousArray<UInt32> = []
  var isFree = false
  /// Whether it is listed as idle.
  var isNotedIdle = false
}

/// The known tenants, and the key of each job.
///
/// Keys are looked up by name and by slot only. An unused key is forgotten once the state of its limits and share no
/// longer matters.
struct TenantTable: ~Copyable {
  /// A sentinel: no key.
  static let none = UInt16.max
  /// Maximum known keys.
  static let most = 60_000

  var states = OwnedArray<TenantState>()
  private var places: [String: UInt16] = [:]
  private var free: ContiguousArray<UInt16> = []
  /// By job slot.
  private var keys = OwnedArray<UInt16>()
  /// The number of known keys at which unused ones are swept.
  var sweepAt = 256
  /// Keys that became unused, each once; the first at ``idleHead``.
  private var idle: ContiguousArray<UInt16> = []
  private var idleHead = 0

  var known: Int { places.count }

  func place(of name: String) -> UInt16? { places[name] }

  @inline(__always)
  func key(of slot: UInt32) -> UInt16 { Int(slot) < keys.count ? keys[Int(slot)] : Self.none }

  mutating func assign(_ key: UInt16, to slot: UInt32) {
    while keys.count <= Int(slot) { keys.append(Self.none) }
    keys[Int(slot)] = key
    if key != Self.none { states[Int(key)].live += 1 }
  }

  /// Lists a key as idle if it is unused.
  @inline(__always)
  mutating func noteIfIdle(_ key: UInt16) {
    if states[Int(key)].live == 0, states[Int(key)].running == 0, !states[Int(key)].isNotedIdle { noteIdle(key) }
  }

  private mutating func noteIdle(_ key: UInt16) {
    states[Int(key)].isNotedIdle = true
    idle.append(key)
  }

  /// Removes and returns the key that was listed first.
  mutating func takeIdle() -> UInt16? {
    guard idleHead < idle.count else { return nil }
    let key = idle[idleHead]
    idleHead += 1
    if idleHead >= 64, idleHead * 2 > idle.count {
      idle.removeFirst(idleHead)
      idleHead = 0
    }
    states[Int(key)].isNotedIdle = false
    return key
  }

  /// Rebuilds the list of idle keys from all known keys.
  mutating func noteAllIdle() {
    (idle, idleHead) = ([], 0)
    for key in states.indices {
      states[key].isNotedIdle = false
      if !states[key].isFree { noteIfIdle(UInt16(key)) }
    }
  }

  mutating func add(_ state: consuming TenantState) -> UInt16 {
    let name = state.name
    let place: UInt16
    if let reused = free.popLast() {
      states[Int(reused)] = state
      place = reused
    } else {
      states.append(state)
      place = UInt16(states.count - 1)
    }
    places[name] = place
    return place
  }

  mutating func remove(_ key: UInt16) {
    places[states[Int(key)].name] = nil
    states[Int(key)].isFree = true
    free.append(key)
  }
}

extension SchedulerCore {
  /// Tenants in use by a job or by an attempt that still occupies a worker; 0 at rest.
  package var tenantsInUse: Int {
    tenants.states.indices.reduce(0) {
      $0 + (tenants.states[$1].live > 0 || tenants.states[$1].running > 0 ? 1 : 0)
    }
  }

  /// Known tenants.
  package var tenantsKnown: Int { tenants.known }

  /// Whether the maximum number of keys is in use and this key is not one of them.
  @inline(__always)
  mutating func hasNoPlace(forKey name: String?) -> Bool {
    guard usesTenants, tenants.known >= tenants.sweepAt else { return false }
    return findsNoPlace(forKey: name)
  }

  @inline(never)
  private mutating func findsNoPlace(forKey name: String?) -> Bool {
    guard tenants.place(of: name ?? "") == nil else { return false }
    guard tenants.known >= TenantTable.most else {
      forgetTenants()
      return tenants.known >= TenantTable.most
    }
    // When all slots are taken, check only a few keys per call.
    for _ in 0..<64 {
      guard let key = tenants.takeIdle() else { return true }
      var released = Set<UInt32>()
      if !tenants.states[Int(key)].isFree { forgetIfPossible(Int(key), &released) }
      releaseLanes(released)
      if tenants.known < TenantTable.most { return false }
      if !tenants.states[Int(key)].isFree { tenants.noteIfIdle(key) }
    }
    return true
  }

  /// Stores a job's key. Under `fair(by: .tenant)` jobs without a key share the empty key.
  mutating func assignTenant(_ name: String?, to slot: UInt32) {
    let given = name == "" ? nil : name
    guard given != nil || traits.layout == .byKey else { return tenants.assign(TenantTable.none, to: slot) }
    let name = given ?? ""
    if let known = tenants.place(of: name) { return tenants.assign(known, to: slot) }
    // Jobs without a key share an account and have no limits.
    let settings =
      given == nil ? TenantSettings() : configuration.tenants.named[name] ?? configuration.tenants.each
    var state = TenantState(
      name: name, concurrency: settings.concurrency ?? .max, gate: settings.rate.map { addGate($0) } ?? -1,
      step: FairRule.step(weight: settings.weight))
    if traits.layout == .byKey { for _ in 0..<PoolID.count { state.shares.append(addShare(step: state.step)) } }
    let gate = state.gate
    let key = tenants.add(state)
    if gate >= 0 { gates[Int(gate)].tenant = key }
    tenants.assign(key, to: slot)
  }

  /// Forgets unused keys whose rate limit has recovered and whose share is at the pool's virtual time.
  private mutating func forgetTenants() {
    var released = Set<UInt32>()
    for key in tenants.states.indices where !tenants.states[key].isFree { forgetIfPossible(key, &released) }
    releaseLanes(released)
    tenants.noteAllIdle()
    tenants.sweepAt = min(TenantTable.most, max(256, tenants.known * 2))
  }

  private mutating func forgetIfPossible(_ key: Int, _ released: inout Set<UInt32>) {
    guard tenants.states[key].live == 0, tenants.states[key].running == 0 else { return }
    let gate = Int(tenants.states[key].gate)
    if gate >= 0 {
      guard gates[gate].timerPosition < 0, gates[gate].unreported == 0, gates[gate].theoreticalArrival <= now else {
        return
      }
    }
    for (pool, share) in tenants.states[key].shares.enumerated() {
      guard shares[Int(share)].virtualTime <= pools[pool].virtualTime else { return }
    }
    released.formUnion(tenants.states[key].lanes)
    for share in tenants.states[key].shares { freeShares.append(share) }
    if gate >= 0 { freeGates.append(Int32(gate)) }
    tenants.states[key].lanes.removeAll()
    tenants.states[key].laneIndex = [:]
    tenants.states[key].gatedLanes.removeAll()
    tenants.states[key].shares.removeAll()
    tenants.remove(UInt16(key))
  }

  /// Removes released lanes from the lists of their types, each of which is walked once.
  private mutating func releaseLanes(_ released: Set<UInt32>) {
    guard !released.isEmpty else { return }
    var (gatedTypes, touchedShares) = (Set<UInt16>(), Set<UInt32>())
    for lane in released.sorted() {
      let (type, share) = (lanes[Int(lane)].type, lanes[Int(lane)].share)
      if type != Lane.shared, lanes[Int(lane)].gate != .open { gatedTypes.insert(type) }
      if share != ShareAccount.none { touchedShares.insert(share) }
      lanes[Int(lane)].gate = .open
      freeLanes.append(lane)
    }
    for type in gatedTypes { types[Int(type)].gatedLanes.removeAll { released.contains($0) } }
    for share in touchedShares { shares[Int(share)].lanes.removeAll { released.contains($0) } }
  }

  /// The lane for jobs of a key that also share type, pool and priority.
  mutating func lane(ofKey key: UInt16, type: UInt16, pool: PoolID, priority: Priority) -> Int {
    let laneType = types[Int(type)].hasOwnLanes ? type : Lane.shared
    let priority = traits.layout == .byPriority ? priority : .critical
    // Most keys have few lanes; if there are many, use the index.
    if tenants.states[Int(key)].lanes.count <= Self.fewLanes {
      for lane in tenants.states[Int(key)].lanes {
        let known = lanes[Int(lane)]
        if known.type == laneType, known.pool == pool, known.priority == priority { return Int(lane) }
      }
    } else if let known = tenants.states[Int(key)].laneIndex[LaneKind(laneType, pool, priority)] {
      return Int(known)
    }
    var lane = Lane(pool: pool, priority: priority, type: laneType, key: key)
    switch traits.layout {
    case .byPriority: break
    case .byType: lane.share = lanes[self.lane(type: type, pool: pool, priority: priority)].share
    case .byKey: lane.share = tenants.states[Int(key)].shares[Int(pool.rawValue)]
    }
    let place = addLane(lane)
    tenants.states[Int(key)].lanes.append(UInt32(place))
    noteManyLanes(ofKey: Int(key))
    return place
  }

  /// The number of lanes up to which they are searched linearly.
  private static var fewLanes: Int { 16 }

  private mutating func noteManyLanes(ofKey key: Int) {
    let count = tenants.states[key].lanes.count
    guard count > Self.fewLanes else { return }
    let first = tenants.states[key].laneIndex.isEmpty ? 0 : count - 1
    for place in first..<count {
      let lane = tenants.states[key].lanes[place]
      let kind = LaneKind(lanes[Int(lane)].type, lanes[Int(lane)].pool, lanes[Int(lane)].priority)
      tenants.states[key].laneIndex[kind] = lane
    }
  }

  /// Reopens the lanes of a key that were closed for this reason.
  mutating func openLanes(ofKey key: UInt16, gate: LaneGate) {
    var kept = 0
    for position in 0..<tenants.states[Int(key)].gatedLanes.count {
      let lane = tenants.states[Int(key)].gatedLanes[position]
      if lanes[Int(lane)].gate == gate {
        open(Int(lane))
      } else {
        tenants.states[Int(key)].gatedLanes[kept] = lane
        kept += 1
      }
    }
    tenants.states[Int(key)].gatedLanes.removeLast(tenants.states[Int(key)].gatedLanes.count - kept)
  }

  /// Handles the end of an attempt of a job with a key.
  mutating func releaseTenant(of token: AttemptToken) {
    let key = token.tenant
    guard key != TenantTable.none else { return }
    tenants.states[Int(key)].running -= 1
    tenants.noteIfIdle(key)
    if !tenants.states[Int(key)].gatedLanes.isEmpty { openLanes(ofKey: key, gate: .keyConcurrency) }
  }
}
