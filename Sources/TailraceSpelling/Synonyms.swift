/// What other tools call things that have another name here.
///
/// One table for keys, metrics, statistics, priorities, policies, units, systems and options: only those of a word's
/// meanings are suggested that are known where it stands.
package enum Synonyms {
  /// The names here that a word of another tool may stand for, the likeliest first.
  package static func of(_ word: String) -> [String] { byWord[plainForm(word)] ?? [] }

  private static let byWord: [String: [String]] = {
    var table: [String: [String]] = [:]
    for (words, names) in metrics + statistics + units + keys + choices + options {
      for word in words.split(separator: " ") {
        table[String(word), default: []] += names.split(separator: " ").map(String.init)
      }
    }
    return table
  }()

  /// Words of others, names of ours; blanks separate.
  private typealias Table = [(words: String, names: String)]

  private static let metrics: Table = [
    (
      "latency latencies response_time responsetime rt rtt elapsed elapsed_time turnaround turnaround_time sojourn "
        + "end_to_end e2e http_req_duration request_duration job_duration duration total_time time",
      "response"
    ),
    ("wait waits wait_time waiting_time queue_time queueing queuing queue_wait queue_latency time_in_queue", "waiting"),
    (
      "service_time servicetime processing processing_time execution execution_time exec_time run_time runtime "
        + "work_time job_time",
      "service jobs.NAME.service"
    ),
    ("submit_time enqueue enqueue_time accept_time", "submission"),
    ("delay lag lateness schedule_delay", "submission_lag"),
    (
      "rate rps qps tps ops req_per_sec requests_per_second jobs_per_second throughput_rate bandwidth goodput",
      "throughput"
    ),
    (
      "errors error error_rate error_ratio err failures failure failure_rate fail_rate failed http_req_failed "
        + "availability success_rate success_ratio ok pass_rate reliability",
      "success"
    ),
    ("errors failures failed error_count failure_count dlq dead dead_letters deadletters exhausted", "dead_lettered"),
    ("timeouts timed_out timeout_rate", "dead_lettered"),
    ("requests request_count count total jobs sent offered issued started arrivals", "submitted"),
    ("succeeded successes done finished processed ok", "completed"),
    ("retries retry_count retry_rate attempts", "retried"),
    ("drops discarded skipped", "dropped"),
    ("refused rejections denied throttled", "rejected"),
    ("cpu cpu_usage cpu_time usage busy load occupancy", "utilization processor_time"),
    ("memory rss mem ram memory_usage max_rss heap", "peak_memory"),
    ("queue_length queue_size queue_depth backlog depth pending max_queue", "queue_depth_max"),
    ("concurrency in_flight inflight active running wip", "concurrency_max jobs_in_system"),
    ("missed_deadlines deadline_misses overdue deadline_miss", "late"),
    ("total_duration completion_time wall_time wallclock", "makespan"),
    ("steal cpu_steal", "host_steal"),
    ("arrival_rate request_rate offered_rps", "offered_rate"),
  ]

  private static let statistics: Table = [
    ("avg average arithmetic_mean", "mean"), ("median med p50th q50", "p50"),
    ("maximum highest peak worst p100", "max"),
    ("minimum lowest least best p0", "min"), ("std stdev sd sigma standard_deviation deviation", "stddev"),
    ("n number total samples size", "count"), ("p999", "p99.9"), ("p9999", "p99.99"),
    ("percentile quantile tail", "p99"), ("p90th q90 90th", "p90"), ("p95th q95 95th", "p95"),
    ("p99th q99 99th", "p99"),
  ]

  private static let units: Table = [
    ("sec secs second seconds", "s"), ("msec msecs millis millisecond milliseconds", "ms"),
    ("usec usecs micros microsecond microseconds", "us"), ("nsec nanos nanosecond nanoseconds", "ns"),
    ("mins minute minutes", "min"), ("hr hrs hour hours", "h"), ("day days", "d"),
    ("rps qps tps hz ps jobs/s req/s requests/s /sec /second per_second", "/s"),
    ("rpm /minute per_minute", "/min"), ("rph /hour per_hour", "/h"), ("percent pct per_cent", "%"),
    ("kb k", "kB"), ("mb m meg", "MB"), ("gb g gig", "GB"), ("b byte bytes", "B"), ("kib", "KiB"), ("mib", "MiB"),
    ("gib", "GiB"),
  ]

  private static let keys: Table = [
    (
      "rate rates rps qps tps arrival_rate arrivals_per_second throughput target_rate requests_per_second arrivals "
        + "constant_rate constant_arrival_rate",
      "poisson constant load.poisson load.constant"
    ),
    ("random exponential_arrivals", "poisson load.poisson"), ("uniform steady fixed even", "constant load.constant"),
    (
      "users vus virtual_users clients concurrent_users num_users user_count closed_loop",
      "clients closed load.closed.clients"
    ),
    ("think_time pause wait_time pacing sleep", "think load.closed.think"),
    (
      "concurrency threads parallelism worker worker_count num_workers pool_size processes servers max_workers "
        + "async_workers executors slots",
      "workers scheduler.workers"
    ),
    ("thread_pool thread_count", "thread_workers scheduler.thread_workers"),
    ("iterations requests n num_requests total_requests number limit max_jobs", "count load.count first"),
    ("ramp ramp_up rampup ramping ramping_rate ramping_arrival_rate phases steps", "stages load.stages"),
    ("burst bursts spike spikes on_off", "bursty load.bursty"),
    ("time length run_time test_duration hold_for for run_for", "duration"), ("target", "to targets"),
    ("duration over during", "for"), ("schedule crontab", "cron load.cron"), ("every period", "interval load.interval"),
    ("tz timezone", "time_zone"), ("replay log tracefile trace_file", "trace load.trace"),
    ("thresholds threshold assertions assertion slo slos sla checks criteria expectations passfail", "targets"),
    ("title id scenario", "name"), ("description desc about", "summary"), ("reference url link", "source"),
    ("comment comments note", "notes"), ("tasks task job job_types types workload workloads operations", "jobs"),
    ("dag workflow workflows pipelines pipeline", "graphs"),
    ("depends_on depends needs dependencies requires dependson upstream", "after"),
    ("warm_up ramp_time warmup_time", "warmup"), ("cooldown grace cool_down drain_time teardown", "drain"),
    ("start_time begin begins_at now date", "starts_at start"),
    ("settings config configuration options system sched", "scheduler"), ("chaos fault injections", "faults"),
    ("algorithm strategy discipline scheduling order queue_policy", "policy scheduler.policy"),
    ("size queue_size queue_capacity max_queue queue_limit buffer", "queue capacity scheduler.queue.capacity"),
    ("overflow on_full full when_overflow", "when_full scheduler.queue.when_full"),
    ("retry max_retries max_attempts attempts retry_policy", "retries limit scheduler.retries"),
    ("time_out max_time ttl attempt_timeout", "timeout scheduler.timeout"),
    ("latency response_time cost work_time", "service jobs.NAME.service"),
    ("error_rate errors failure_rate fail_rate failure fails", "failures jobs.NAME.failures"),
    ("mix weights share probability distribution ratio", "of load.of weight"), ("prio importance", "priority"),
    ("max_concurrency concurrent max_concurrent", "concurrency"), ("rate_limit throttle limit_rate", "rate"),
    ("mem ram memory_limit", "memory memory_budget scheduler.memory_budget"),
    ("base_delay initial initial_delay", "base"), ("max_delay max_backoff maximum", "cap"),
    ("multiplier exponent", "factor"), ("user tenant_id customer account", "tenants tenant"),
    ("submit arrival timestamp submit_at created_at start_at submission", "submitted"),
    ("type kind class job_name", "job_type"), ("status result state", "outcome"),
  ]

  private static let choices: Table = [
    ("urgent immediate highest emergency realtime real_time top p0 blocker max", "critical"),
    ("important elevated above_normal p1 major", "high"), ("medium default standard regular middle mid p2", "normal"),
    ("minor p3 below_normal lesser", "low"), ("background idle bulk lowest deferred p4 batched", "batch"),
    ("fcfs lifo in_order queue", "fifo"), ("sjf srpt shortest_job_first spt", "shortest"),
    ("edf earliest_deadline_first earliest_deadline", "deadline"),
    ("wfq fair_share round_robin rr drr fairness weighted_fair", "fair"),
    ("strict strict_priority prioritized priorities", "priority"), ("age", "aging"),
    ("constant static", "fixed"), ("expo exp", "exponential"), ("const deterministic degenerate", "constant"),
    ("normal gaussian gauss log_normal lognorm", "lognormal"), ("power_law zipf heavy_tail", "pareto"),
    ("mixture hyperexponential", "bimodal"), ("file samples histogram", "empirical"), ("quadratic", "polynomial"),
    ("drop refuse discard fail error", "reject"), ("wait backpressure", "block"), ("drop_oldest evict", "shed"),
    ("real local actual", "live"), ("sim simulate simulation simulator virtual", "simulated"),
    ("serial single one_by_one", "sequential"), ("gcd libdispatch dispatch_queue", "dispatch"),
    ("taskgroup structured", "task-group"), ("operationqueue nsoperationqueue operations", "operation-queue"),
    ("exec executable program binary external", "exec:PATH"), ("cpu compute cpu_bound busy burn", "spin"),
    ("wait idle io", "sleep"), ("sql database db", "sqlite"), ("process exec shell command", "subprocess"),
    ("parallel async_await tasks", "async"), ("threads threaded blocking", "thread"),
  ]

  private static let options: Table = [
    ("time length for run_time", "duration"), ("out report output_dir outdir", "output"),
    ("threshold assert slo expect", "target"), ("scale speed", "time-scale"),
    ("random_seed random", "seed"), ("silent", "quiet"), ("verbose debug", "progress"),
    ("backend engine mode", "system"), ("runs repeat repetitions", "rounds"),
    ("timeout", "budget"), ("override param env define", "set"), ("sweep grid range", "vary"),
    ("junit_xml xml", "junit"), ("base main", "against baseline"), ("simulate dry_run", "system"),
  ]
}
