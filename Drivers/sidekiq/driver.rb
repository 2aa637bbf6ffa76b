# frozen_string_literal: true

# Submits Tailrace's jobs to Sidekiq.

require_relative "../ruby/tailrace_driver"

class SidekiqDriver < Tailrace::Driver
  # Sidekiq's default, and what the example for production in its documentation has.
  THREADS = 10

  def name
    "sidekiq"
  end

  def version
    Sidekiq::VERSION
  end

  def lacks
    %w[dependencies timeouts cancellation]
  end

  # A process first looks for due jobs 10 to 15 s after its start.
  def warm_up_patience
    25
  end

  def start
    load_sidekiq
    url = start_redis
    Sidekiq.configure_client { |config| config.redis = { url: url } }
    Sidekiq.logger.level = Logger::WARN
    warm_up_folder
    @polls = (%w[delays retries] & hello["needs"].to_a).any?
    folder = processes.folder("worker")
    shares.each_with_index do |threads, index|
      processes.start("worker", "worker-#{index + 1}", command(threads), { "REDIS_URL" => url }, folder: folder)
    end
    settings.merge!("processes" => shares.size.to_s, "concurrency" => shares.uniq.join(" and "),
                    "queues" => "one for each priority, strictly ordered", "log_level" => "warn",
                    "average_scheduled_poll_interval" => "5 s (default)")
    describe_polls if @polls
  end

  def submit(job, type)
    setter = AttemptJob.set(queue: job["priority"], retry: type["retries"] || 0)
    # Polls are part of what the warm-up must have seen.
    delay_ns = job["job"].negative? && @polls ? 1_000_000 : job["delay_ns"].to_i
    plan = Tailrace::Work.plan(job, type)
    delay_ns.zero? ? setter.perform_async(*plan) : setter.perform_in(delay_ns / 1e9, *plan)
  end

  private

  def load_sidekiq
    require "sidekiq"
    require_relative "worker"
    return if Sidekiq::VERSION.start_with?("6.4.")

    raise Tailrace::Unable, "the driver is for Sidekiq 6.4, but Ruby finds #{Sidekiq::VERSION}"
  rescue LoadError
    raise Tailrace::Unable, "Sidekiq is not installed; run: tailrace drivers install sidekiq"
  end

  # How many threads each process has: as few processes as possible, and equal shares.
  def shares
    count = (workers + THREADS - 1) / THREADS
    Array.new(count) { |index| workers / count + (index < workers % count ? 1 : 0) }
  end

  def command(threads)
    queues = Tailrace::PRIORITIES.flat_map { |priority| ["-q", priority] }
    [program("sidekiq"), "-e", "production", "-c", threads.to_s, *queues, "-r", File.expand_path("worker.rb", __dir__)]
  end

  def describe_polls
    notes << "Sidekiq looks every 5 s on average for delayed jobs and retries that are due."
    return unless hello["needs"].include?("retries")

    notes << "Sidekiq adds 0 to 9 s times the number of the retry to each retry's delay, which is at least 1 s."
  end
end

SidekiqDriver.main
