#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
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

uint32_t cplatform_file_system(int file) {
  struct statfs status;
  return fstatfs(file, &status) == 0 ? (uint32_t)status.f_type : 0;
}

int cplatform_thread_id(void) { return (int)syscall(SYS_gettid); }

int64_t cplatform_peak_resident_bytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (int64_t)usage.ru_maxrss * 1024;
}

void cplatform_lock_init(cplatform_lock_t *lock) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
  pthread_mutex_init(&lock->mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

void cplatform_lock_acquire_slowly(cplatform_lock_t *lock) {
  int64_t end = cplatform_monotonic_ns() + 20000;
  do {
    for (int turn = 0; turn < 50; turn++) cplatform_pause();
    if (pthread_mutex_trylock(&lock->mutex) == 0) return;
  } while (cplatform_monotonic_ns() < end);
  pthread_mutex_lock(&lock->mutex);
}

void cplatform_lock_destroy(cplatform_lock_t *lock) { pthread_mutex_destroy(&lock->mutex); }

void cplatform_parker_init(cplatform_parker_t *parker) {
  pthread_condattr_t attributes;
  pthread_mutex_init(&parker->mutex, NULL);
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&parker->condition, &attributes);
  pthread_condattr_destroy(&attributes);
  parker->woken = 0;
}

void cplatform_parker_destroy(cplatform_parker_t *parker) {
  pthread_cond_destroy(&parker->condition);
  pthread_mutex_destroy(&parker->mutex);
}

void cplatform_parker_wait(cplatform_parker_t *parker, int64_t deadline_ns) {
  struct timespec t = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000};
  int result = 0;
  pthread_mutex_lock(&parker->mutex);
  while (!parker->woken && result != ETIMEDOUT) {
    if (deadline_ns == INT64_MAX)
      pthread_cond_wait(&parker->condition, &parker->mutex);
    else
      result = pthread_cond_timedwait(&parker->condition, &parker->mutex, &t);
  }
  parker->woken = 0;
  pthread_mutex_unlock(&parker->mutex);
}

void cplatform_parker_wake(cplatform_parker_t *parker) {
  pthread_mutex_lock(&parker->mutex);
  parker->woken = 1;
  pthread_cond_signal(&parker->condition);
  pthread_mutex_unlock(&parker->mutex);
}

static _Thread_local void *thread_mark;

void *cplatform_thread_mark(void *mark) {
  void *before = thread_mark;
  thread_mark = mark;
  return before;
}

// Places are reused for other threads and never freed, because any thread may read one at any time.
typedef struct turn_place {
  _Atomic uint64_t count;
  struct turn_place *next;
} turn_place_t;

static _Thread_local turn_place_t *turns;
static turn_place_t *free_turn_places;
static pthread_mutex_t turns_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t turns_key;
static pthread_once_t turns_once = PTHREAD_ONCE_INIT;

static void turns_end(void *argument) {
  turn_place_t *place = argument;
  turns = NULL;
  atomic_fetch_add_explicit(&place->count, 1, memory_order_relaxed);
  pthread_mutex_lock(&turns_lock);
  place->next = free_turn_places;
  free_turn_places = place;
  pthread_mutex_unlock(&turns_lock);
}

static void turns_prepare(void) { pthread_key_create(&turns_key, turns_end); }

static turn_place_t *turns_begin(void) {
  pthread_once(&turns_once, turns_prepare);
  pthread_mutex_lock(&turns_lock);
  turn_place_t *place = free_turn_places;
  if (place) free_turn_places = place->next;
  pthread_mutex_unlock(&turns_lock);
  if (!place) place = calloc(1, sizeof *place);
  if (place) pthread_setspecific(turns_key, place);
  return turns = place;
}

const void *cplatform_thread_turn(uint64_t *turn) {
  turn_place_t *place = turns ? turns : turns_begin();
  if (place) *turn = atomic_fetch_add_explicit(&place->count, 1, memory_order_relaxed) + 1;
  return place;
}

uint64_t cplatform_turns_at(const void *place) {
  return atomic_load_explicit(&((turn_place_t *)place)->count, memory_order_relaxed);
}

static _Thread_local int locks_held;

int cplatform_count_locks(int change) {
  locks_held += change;
  return locks_held;
}

int64_t cplatform_children_cpu_ns(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_CHILDREN, &usage) != 0) return 0;
  return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
         ((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static _Atomic int64_t ended_run_delay;

int64_t cplatform_ended_run_delay_ns(void) { return atomic_load(&ended_run_delay); }

/// Adds the time that the calling, ending thread waited for a CPU: the second number of its schedstat.
static void note_run_delay(void) {
  char text[128];
  int file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return;
  text[length] = 0;
  char *second = NULL;
  strtoll(text, &second, 10);
  int64_t delay = strtoll(second, NULL, 10);
  if (delay > 0) atomic_fetch_add(&ended_run_delay, delay);
}

struct thread_start {
  void (*body)(void *);
  void *context;
};

static void *thread_main(void *argument) {
  struct thread_start start = *(struct thread_start *)argument;
  free(argument);
  start.body(start.context);
  note_run_delay();
  return NULL;
}

int cplatform_thread_start(pthread_t *thread, void (*body)(void *), void *context) {
  struct thread_start *start = malloc(sizeof *start);
  if (start == NULL) return ENOMEM;
  start->body = body;
  start->context = context;
  int result = pthread_create(thread, NULL, thread_main, start);
  if (result != 0) free(start);
  return result;
}

static void *probe_main(void *argument) {
  pthread_mutex_t *all_started = argument;
  pthread_mutex_lock(all_started);
  pthread_mutex_unlock(all_started);
  return NULL;
}

int cplatform_threads_probe(int count, int *started) {
  pthread_mutex_t all_started = PTHREAD_MUTEX_INITIALIZER;
  int result = 0;
  *started = 0;
  pthread_t *threads = malloc((size_t)(count > 0 ? count : 1) * sizeof *threads);
  if (threads == NULL) return ENOMEM;
  pthread_mutex_lock(&all_started);
  while (result == 0 && *started < count) {
    result = pthread_create(&threads[*started], NULL, probe_main, &all_started);
    if (result == 0) *started += 1;
  }
  pthread_mutex_unlock(&all_started);
  for (int index = 0; index < *started; index++) pthread_join(threads[index], NULL);
  pthread_mutex_destroy(&all_started);
  free(threads);
  return result;
}

int cplatform_descriptors_probe(int descriptor, int count) {
  int descriptors[64];
  int opened = 0;
  int result = 0;
  if (count > 64) count = 64;
  while (result == 0 && opened < count) {
    descriptors[opened] = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (descriptors[opened] < 0)
      result = errno;
    else
      opened++;
  }
  while (opened > 0) close(descriptors[--opened]);
  return result;
}

uint64_t cplatform_descriptors_raise(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return 0;
  uint64_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? before : 0;
}

int cplatform_descriptors_limit(pid_t process, uint64_t soft) {
  struct rlimit limit;
  if (prlimit(process, RLIMIT_NOFILE, NULL, &limit) != 0) return errno;
  if (soft > limit.rlim_max) return EINVAL;
  limit.rlim_cur = soft;
  return prlimit(process, RLIMIT_NOFILE, &limit, NULL) == 0 ? 0 : errno;
}

static sem_t signal_arrivals;
static atomic_uint signal_counts[CPLATFORM_SIGNALS];

static void signal_arrived(int number) {
  int saved = errno;
  atomic_fetch_add(&signal_counts[number], 1);
  sem_post(&signal_arrivals);
  errno = saved;
}

void cplatform_signals_init(void) { sem_init(&signal_arrivals, 0, 0); }

int cplatform_signal_catch(int number, struct sigaction *before) {
  struct sigaction action = {.sa_handler = signal_arrived, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  return sigaction(number, &action, before);
}

int cplatform_signal_restore(int number, const struct sigaction *before) { return sigaction(number, before, NULL); }

unsigned cplatform_signal_take(int number) { return atomic_exchange(&signal_counts[number], 0); }

void cplatform_signals_wait(void) {
  while (sem_wait(&signal_arrivals) != 0) {
  }
}

int cplatform_pipe(int *ends, int size) {
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  fcntl(ends[1], F_SETPIPE_SZ, size);
  return 0;
}

int cplatform_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }
