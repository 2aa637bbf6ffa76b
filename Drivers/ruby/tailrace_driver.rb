# frozen_string_literal: true

# What all drivers in Ruby share: the conversation with Tailrace (docs/driver-protocol.md), the work that runs in the
# scheduler's workers, and the processes and folders of a driver.

require "fileutils"
require "json"
require "securerandom"
require "socket"
require "tmpdir"
require "uri"

module Tailrace
  # From the most to the least urgent.
  PRIORITIES = %w[critical high normal low batch].freeze
  SECOND = 1_000_000_000

  # The driver cannot run. The text says why and what to do, for people.
  class Unable < StandardError; end

  # Tailrace wants the driver to end.
  class Ended < SystemExit; end

  def self.now
    Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
  end

  def self.log(text)
    warn "tailrace driver: #{text}"
  end

  # The pipe to Tailrace, which the driver and its workers share. Linux keeps writes of at most 4,096 bytes apart, so
  # the processes need no lock between them.
  class Pipe
    LIMIT = 4096
    # Where worker processes find the pipe.
    DESCRIPTOR = 200

    def initialize(io)
      @io = io
      @lines = +""
    end

    attr_reader :io

    def write(lines)
      @io.syswrite(lines)
    rescue IO::WaitWritable
      @io.wait_writable
      retry
    end

    # Keeps a line for the next flush, to save system calls. For one thread only.
    def add(line)
      flush if @lines.bytesize + line.bytesize > LIMIT
      @lines << line
    end

    def flush
      return if @lines.empty?

      lines = @lines
      @lines = +""
      write(lines)
    end
  end

  # What runs in the scheduler's workers: an attempt's work, and its report.
  module Work
    # The attempt fails, as planned.
    class Failed < StandardError
      def initialize(plan, attempt)
        super("attempt #{attempt} of job #{plan[0]} fails as planned")
        # A trace would only fill the log.
        set_backtrace([])
        @plan = plan
        @attempt = attempt
      end

      # How many seconds after this failure the next attempt starts.
      def retry_delay
        Work.retry_delay(@plan, @attempt)
      end
    end

    # The attempt fails, and no other one may follow.
    class FailedPermanently < Failed; end

    OUTCOMES = { "succeeds" => "succeeded", "fails" => "failed", "fails_permanently" => "failed_permanently" }.freeze

    # What the worker must know of a job: a list of JSON values, for any serializer.
    def self.plan(job, type)
      [job["job"], job["attempts"], type["retries"] || 0, type["retry_delay_ns"] || 0, type["retry_factor"] || 1]
    end

    def self.retry_delay(plan, attempt)
      plan[3] * plan[4]**(attempt - 1) / SECOND.to_f
    end

    # Names the process's slots, each of which runs one attempt at a time. Called before the first attempt.
    def self.prepare(slots)
      @process = ENV.fetch("TAILRACE_PROCESS")
      @pipe = Pipe.new(IO.for_fd(Pipe::DESCRIPTOR, "w", autoclose: false))
      @reports_starts = ENV["TAILRACE_REPORT_STARTS"] == "1"
      @slots = Queue.new
      slots.times { |number| @slots << "#{@process}/#{number + 1}" }
    end

    # Does the work of `attempt` (from 1), reports it, and ends as planned. Raises Failed or FailedPermanently if the
    # plan says so.
    def self.perform(plan, attempt)
      slot = @slots.pop(true)
      begin
        return warm_up(-plan[0], slot) if plan[0].negative?

        started = Tailrace.now
        service_ns, ending = plan[1][attempt - 1] || plan[1].last
        head = %("job":#{plan[0]},"attempt":#{attempt},"worker":"#{slot}","process":"#{@process}",) +
               %("started_ns":#{started})
        @pipe.write(%({"type":"started",#{head}}\n)) if @reports_starts
        wait(started, service_ns, ending)
        finished = Tailrace.now
      ensure
        @slots << slot
      end
      settles = ending != "fails" || attempt > plan[2]
      @pipe.write(%({"type":"attempt",#{head},"finished_ns":#{finished},"outcome":"#{OUTCOMES[ending]}") +
                  %(#{',"settles":true' if settles}}\n))
      raise Failed.new(plan, attempt) if ending == "fails"
      raise FailedPermanently.new(plan, attempt) if ending == "fails_permanently"
    end

    def self.wait(started, service_ns, ending)
      sleep if ending == "hangs"
      while (rest = started + service_ns - Tailrace.now).positive?
        sleep(rest / SECOND.to_f)
      end
    end
    private_class_method :wait

    # Marks that the slot works, and waits for the others, so that each one gets a job.
    def self.warm_up(number, slot)
      slots, folder = ENV.fetch("TAILRACE_WARM_UP").split(":", 2)
      FileUtils.touch("#{folder}/runs/#{slot.tr('/', '_')}")
      finish = Tailrace.now + 3 * SECOND
      sleep(0.005) while Dir.children("#{folder}/runs").size < slots.to_i && Tailrace.now < finish
      FileUtils.touch("#{folder}/done/#{number}")
    end
    private_class_method :warm_up
  end

  # Starts, replaces and ends workers and servers, and deletes folders.
  class Processes
    # When the pipe to this script closes, whatever the reason, it deletes the folders. The processes end by
    # themselves with the driver: Linux kills them.
    GUARDIAN = <<~'SH'
      trap '' HUP INT TERM
      while IFS= read -r folder; do set -- "$@" "$folder"; done
      for trial in 1 2 3 4 5; do rm -rf "$@" 2>/dev/null && exit; sleep 0.2; done
    SH

    Child = Struct.new(:role, :name, :command, :environment, :folder, :ready, :pid) do
      def message
        { role: role, name: name, pid: pid }
      end
    end

    def initialize(driver, pipe)
      @driver = driver
      @pipe = pipe
      @all = {}
      @folders = []
      reader, @guardian = IO.pipe
      @guardian_pid = spawn("sh", "-c", GUARDIAN, "guardian", in: reader, out: :err, pgroup: true)
      reader.close
    end

    # A new folder, which is deleted at the end whatever happens.
    def folder(name)
      path = Dir.mktmpdir("tailrace-#{@driver}-#{name}-")
      @folders << path
      @guardian.puts(path)
      path
    end

    # Starts a process that lives as long as the driver, and waits until the block is true. Only the main thread may
    # call it: Linux ends a process with the thread that started it.
    def start(role, name, command, environment = {}, folder: Dir.pwd, &ready)
      launch(@all[name] = Child.new(role, name, command, environment, folder, ready))
    end

    # Replaces a process that was killed, as a supervisor of services would.
    def restart(name)
      process = @all.fetch(name)
      kill(process)
      launch(process)
    end

    # Fails if a process has ended by itself.
    def check
      @all.each_value { |process| check_one(process) }
    end

    def messages
      @all.values.map(&:message)
    end

    # All data is thrown away, so nothing needs to end in good order.
    def finish
      @all.values.reverse_each { |process| kill(process) }
      FileUtils.rm_rf(@folders)
    end

    def dismiss_guardian
      @guardian.close
      Process.wait(@guardian_pid)
    end

    private

    def launch(process)
      environment = { "TAILRACE_PROCESS" => process.name }.merge(process.environment)
      streams = { in: File::NULL, out: :err, chdir: process.folder }
      streams[Pipe::DESCRIPTOR] = @pipe.io unless process.role == "broker"
      process.pid = spawn(environment, "setpriv", "--pdeathsig", "KILL", "--", *process.command, streams)
      finish = Tailrace.now + 30 * SECOND
      until process.ready.nil? || process.ready.call
        check_one(process)
        raise Unable, "#{process.name} did not start in 30 s" if Tailrace.now > finish

        sleep(0.01)
      end
      process
    end

    def kill(process)
      return unless process.pid

      Process.kill(:KILL, process.pid)
      Process.wait(process.pid)
      process.pid = nil
    end

    def check_one(process)
      return unless process.pid && Process.wait(process.pid, Process::WNOHANG)

      process.pid = nil
      raise Unable, "#{process.name} ended while the driver prepared; its log tells why"
    end
  end

  # The driver's side of the conversation. A driver defines `name`, `version`, `lacks`, `start` and `submit`.
  class Driver
    # A driver that is busy still shows at least this often what it did.
    FLUSH_NS = 5_000_000

    def self.main
      exit!(new.run)
    end

    # `settings` is what a reader must know to repeat the measurement, `notes` are sentences for the report.
    attr_reader :workers, :hello, :settings, :notes, :processes

    def initialize
      # Whatever a library prints lands in the log instead of the conversation.
      @pipe = Pipe.new($stdout.dup)
      $stdout.reopen($stderr)
      @input = $stdin.dup.binmode
      $stdin.reopen(File::NULL)
      @rest = "".b
      @lines = []
      @settings = {}
      @notes = []
      @undo = []
      @warm_ups = 0
    end

    # What must be undone at the end, after all processes have ended.
    attr_reader :undo

    # How long the driver waits for the warm-up before it submits it again.
    def warm_up_patience
      10
    end

    def run
      %w[TERM INT HUP].each { |name| trap(name) { raise Ended unless @cleaning } }
      status = converse
      clean_up
      processes&.dismiss_guardian
      say(type: "done") if status.zero?
      status
    rescue Errno::EPIPE
      1
    end

    # Starts a private Redis, or claims an empty database of the one that TAILRACE_REDIS names. Returns its URL.
    def start_redis
      require "redis"
      url = ENV.key?("TAILRACE_REDIS") ? claim_redis(ENV["TAILRACE_REDIS"]) : start_private_redis
      settings["redis"] = with_redis(url) { |redis| redis.info("server")["redis_version"] }
      url
    end

    # The path of a program that a Debian package of the driver contains.
    def program(name)
      folders = [*ENV.fetch("PATH", "").split(":"), "/usr/bin", "/usr/sbin"]
      found = folders.map { |folder| "#{folder}/#{name}" }.find { |path| File.file?(path) && File.executable?(path) }
      found || raise(Unable, "#{name} is not installed; run: tailrace drivers install #{self.name}")
    end

    private

    def clean_up
      undo.reverse_each do |action|
        action.call
      rescue StandardError => error
        Tailrace.log("could not clean up: #{error.message}")
      end
    end

    def converse
      begin
        read_hello
        start
        warm_up
        say_ready
        serve
      ensure
        @cleaning = true
        processes&.finish
      end
    rescue Ended
      0
    rescue Unable => error
      say(type: "unable", reason: error.message)
      0
    rescue Errno::EPIPE
      1
    rescue StandardError, LoadError => error
      Tailrace.log(error.full_message(highlight: false))
      say(type: "unable", reason: "#{error.class}: #{error.message}") unless @ready
      1
    end

    def say(message)
      @pipe.flush
      @pipe.write("#{JSON.generate(message)}\n")
    end

    def read
      @rest << @input.readpartial(65_536)
      *lines, @rest = @rest.split("\n", -1)
      @lines.concat(lines)
    rescue EOFError
      raise Ended
    end

    def read_hello
      read while @lines.empty?
      @hello = JSON.parse(@lines.shift)
      if hello["type"] != "hello" || hello["version"] != 1
        raise Unable, "the driver speaks version 1 of the contract, but the first message was another"
      end

      @workers = hello["workers"]
      @types = hello["job_types"].to_h { |type| [type["name"], type] }
      @processes = Processes.new(name, @pipe)
      ENV["TAILRACE_REPORT_STARTS"] = "1" if hello["report_starts"]
    end

    # Sends a job through each slot. Their numbers are negative.
    def warm_up
      finish = Tailrace.now + 90 * SECOND
      until warm?
        raise Unable, "the workers did not run a first job within 90 s; the log tells why" if Tailrace.now > finish

        workers.times do
          submit({ "job" => -(@warm_ups += 1), "attempts" => [[0, "succeeds"]], "priority" => "normal" }, {})
        end
        patience = Tailrace.now + warm_up_patience * SECOND
        until warm? || Tailrace.now > patience
          processes.check
          read if @input.wait_readable(0.01)
          raise Ended if @lines.any? { |line| JSON.parse(line)["type"] == "stop" }
        end
      end
    end

    # The folder in which slots mark that they work. Workers must be started after the first call.
    def warm_up_folder
      @warm_up_folder ||= processes.folder("warm-up").tap do |folder|
        %w[runs done].each { |name| Dir.mkdir("#{folder}/#{name}") }
        ENV["TAILRACE_WARM_UP"] = "#{workers}:#{folder}"
      end
    end

    def warm?
      runs, done = %w[runs done].map { |name| Dir.children("#{warm_up_folder}/#{name}").size }
      @warm_ups.positive? && runs >= workers && done >= @warm_ups
    end

    def say_ready
      say(type: "ready", name: name, scheduler_version: version, settings: settings, lacks: lacks, notes: notes,
          processes: processes.messages)
      @ready = true
      @last_flush = Tailrace.now
    end

    def serve
      loop do
        while (line = @lines.shift)
          handle(JSON.parse(line))
        end
        @pipe.flush
        @last_flush = Tailrace.now
        read
      end
    end

    def handle(message)
      case message["type"]
      when "job" then take(message)
      when "stop" then raise Ended
      when "restart"
        say({ type: "process" }.merge(processes.restart(message["process"]).message))
      end
    end

    def take(job)
      number = job["job"]
      type = @types.fetch(job["job_type"])
      job["priority"] ||= type["priority"]
      before = Tailrace.now
      begin
        submit(job, type)
      rescue StandardError => error
        return refuse(number, error)
      end
      after = Tailrace.now
      @pipe.add(%({"type":"accepted","job":#{number},"submitted_ns":#{before},"accepted_ns":#{after}}\n))
      return if after - @last_flush < FLUSH_NS

      @pipe.flush
      @last_flush = after
    end

    # The scheduler did not take the job. In a crash test, this happens while its broker is away.
    def refuse(number, error)
      @pipe.add(%({"type":"settled","job":#{number},"cause":"rejected","settled_ns":#{Tailrace.now}}\n))
      complain(number, error)
      # The order to start the broker again goes before jobs that would fail without it.
      read while @input.wait_readable(0)
      orders, @lines = @lines.partition { |line| line.include?('"restart"') || line.include?('"stop"') }
      orders.each { |line| handle(JSON.parse(line)) }
    end

    # Says the same only once.
    def complain(number, error)
      return if error.class == @complaint

      @complaint = error.class
      Tailrace.log("the scheduler did not take job #{number}: #{error.class}: #{error.message}")
    end

    def with_redis(url)
      redis = Redis.new(url: url, timeout: 5, reconnect_attempts: 0)
      yield redis
    ensure
      redis&.close
    end

    def start_private_redis(trials = 3)
      executable = program("redis-server")
      folder = processes.folder("redis")
      port = Addrinfo.tcp("127.0.0.1", 0).bind { |socket| socket.local_address.ip_port }
      # Other users of the machine can reach the port, and schedulers trust what they read.
      password = SecureRandom.hex(16)
      url = "redis://:#{password}@127.0.0.1:#{port}/0"
      File.write("#{folder}/redis.conf", <<~CONFIGURATION, perm: 0o600)
        bind 127.0.0.1
        port #{port}
        requirepass #{password}
        dir #{folder}
        daemonize no
        loglevel warning
        appendonly yes
        appendfsync everysec
        save ""
        maxmemory-policy noeviction
        tcp-backlog 128
      CONFIGURATION
      processes.start("broker", "redis", [executable, "#{folder}/redis.conf"]) do
        with_redis(url, &:ping)
      rescue Redis::BaseError
        false
      end
      settings.merge!("appendonly" => "yes", "appendfsync" => "everysec", "redis_transport" => "TCP on 127.0.0.1")
      url
    rescue Unable
      # Somebody else may have taken the port in the meantime.
      folder && (trials -= 1).positive? ? retry : raise
    end

    def claim_redis(url)
      uri = URI(url)
      raise Unable, "TAILRACE_REDIS must be a URL such as redis://127.0.0.1:6379, not #{url}" if uri.scheme != "redis"

      named = uri.path.delete("/")
      (named.empty? ? 15.downto(1) : [named]).each do |database|
        uri.path = "/#{database}"
        # The claim and the test are one step, since other drivers may try the same.
        claim = "local n = redis.call('dbsize') if n == 0 then redis.call('set', KEYS[1], '1') end return n"
        next unless with_redis(uri.to_s) { |redis| redis.eval(claim, keys: ["tailrace:claimed"]) }.zero?

        claimed = uri.to_s
        undo << -> { with_redis(claimed, &:flushdb) }
        settings["redis_server"] = "named by TAILRACE_REDIS"
        notes << "The Redis server is not private; its settings are unknown."
        return claimed
      rescue Redis::CommandError => error
        raise unless named.empty? && error.message.include?("out of range")
      end
      raise Unable, "TAILRACE_REDIS: no database is empty; name an empty one in the URL, such as /7"
    rescue Redis::BaseError => error
      raise Unable, "TAILRACE_REDIS: #{error.message}"
    end
  end
end
