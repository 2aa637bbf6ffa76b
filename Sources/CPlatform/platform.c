#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int cplatform_sleep_until_ns(int64_t deadline_ns) {
  struct timespec t = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000};
  return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

int cplatform_set_timer_slack_ns(unsigned long slack_ns) { return prctl(PR_SET_TIMERSLACK, slack_ns, 0, 0, 0); }

int cplatform_set_fifo(void) {
  struct sched_param param = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
  return pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
}

int cplatform_thread_id(void) { return (int)syscall(SYS_gettid); }

int64_t cplatform_peak_resident_bytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (int64_t)usage.ru_maxrss * 1024;
}
