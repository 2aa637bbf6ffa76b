// Child processes and their descendants: tracked, found and killed.
//
// A child leads a process group, which is stored in a table. Processes that leave the group (setsid, a daemon) are
// found by an environment variable that they inherit, which names the process that started them. The keeper, a process
// with the table in shared memory, waits until this process has ended in any way, and kills what is left.
//
// PR_SET_PDEATHSIG would reach direct children only, requires a step between fork and exec that swift-subprocess does
// not offer on Linux (an intermediate program would cost every job an exec), and is sent when a thread ends rather than
// the process.
//
// Where the program asks for it, it adopts orphans (PR_SET_CHILD_SUBREAPER): a process whose parents have ended becomes
// a child of this process instead of init's, so that it is found even if it has cleared its environment. The program
// then reaps the ended ones; children that the library waits for are those in the table.
#define _GNU_SOURCE
#include "CPlatform.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/// The maximum number of workers in both pools.
#define GROUP_PLACES 131072
/// Maximum number of processes that a search examines.
#define PROCESS_ROOM 131072
#define TABLE_MAGIC 0x7461696c72616365u
#define KEEPER "TAILRACE_KEEPER_OF"
/// The keeper's descriptors of the table and of the pipe.
#define KEEPER_TABLE 3
#define KEEPER_PIPE 4

/// Shared with the keeper.
struct table {
  uint64_t magic;
  /// The beginning of its marks: `:PID.START.NAMESPACE.`
  char own_mark[64];
  /// Whether this process has ended normally, so that nothing is left to do.
  atomic_int is_done;
  _Atomic(pid_t) groups[GROUP_PLACES];
};

static struct table *table;
static atomic_uint group_hint;
static char marks[2048];
static pid_t keeper;
static int keeper_pipe = -1;
static int keeper_problem;
/// Whether orphans become children of this process.
static atomic_int adopts;
/// Children that are starting now, and whether no other may start.
static atomic_int starting;
static atomic_int is_closed;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

// MARK: - /proc, async-signal-safe

struct linux_entry {
  uint64_t number;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

/// Parses a process number; 0: not a number.
static pid_t number_of(const char *name) {
  pid_t number = 0;
  for (; *name >= '0' && *name <= '9'; name++) number = number * 10 + (*name - '0');
  return *name == 0 ? number : 0;
}

/// Writes `PID/name`. Replaces snprintf, which is not async-signal-safe.
static void path_of(pid_t pid, const char *name, char *path) {
  char digits[16];
  int count = 0;
  for (unsigned rest = (unsigned)pid; rest > 0; rest /= 10) digits[count++] = (char)('0' + rest % 10);
  while (count > 0) *path++ = digits[--count];
  *path++ = '/';
  while (*name != 0) *path++ = *name++;
  *path = 0;
}

/// Reads the beginning of a file of a process. Returns the length, or -1.
static ssize_t read_file(int proc, pid_t process, const char *name, char *text, size_t room) {
  char path[64];
  path_of(process, name, path);
  int file = openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  size_t done = 0;
  while (done < room) {
    ssize_t got = read(file, text + done, room - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += (size_t)got;
  }
  close(file);
  return (ssize_t)done;
}

struct process {
  pid_t pid, parent, group;
  /// Whether it is a zombie.
  char has_ended;
  /// Whether its first thread has ended and others continue, as in Swift programs.
  char is_headless;
  char is_kin;
  /// In clock ticks since boot.
  uint64_t start;
};

/// Reads `/proc/PID/stat`. Returns whether there is such a process.
static int read_process(int proc, pid_t pid, struct process *process) {
  char text[1024];
  ssize_t length = read_file(proc, pid, "stat", text, sizeof text - 1);
  if (length <= 0) return 0;
  text[length] = 0;
  // The name is in parentheses and may contain any character.
  char *at = NULL;
  for (ssize_t i = length - 1; i > 0 && at == NULL; i--)
    if (text[i] == ')') at = text + i;
  if (at == NULL || at[1] != ' ') return 0;
  at += 2;
  *process = (struct process){.pid = pid};
  char state = *at;
  uint64_t threads = 0;
  // The state is field 3; fields 4, 5, 20 and 22 are needed.
  for (int field = 3; field <= 22; field++) {
    uint64_t number = 0;
    for (char *digit = at; *digit >= '0' && *digit <= '9'; digit++) number = number * 10 + (uint64_t)(*digit - '0');
    if (field == 4) process->parent = (pid_t)number;
    if (field == 5) process->group = (pid_t)number;
    if (field == 20) threads = number;
    if (field == 22) process->start = number;
    while (*at != ' ' && *at != 0) at++;
    if (*at == 0) break;
    at++;
  }
  process->is_headless = state == 'Z' && threads > 1;
  process->has_ended = state == 'X' || (state == 'Z' && threads <= 1);
  return process->start > 0;
}

/// Calls `found` with the value of the mark of a thread, if any. Returns its result, else 0.
static int with_mark_of(int proc, pid_t pid, int (*found)(const char *value, void *context), void *context) {
  static const char name[] = CPLATFORM_MARK "=";
  char text[8192 + 1], path[64];
  path_of(pid, "environ", path);
  int file = openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  size_t kept = 0;
  int result = 0, skips = 0, is_at_end = 0;
  while (!is_at_end && !result) {
    ssize_t got = read(file, text + kept, sizeof text - 1 - kept);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      is_at_end = 1;
      got = 0;
      if (kept == 0) break;
      text[kept] = 0;
      kept++;
    }
    size_t end = kept + (size_t)got, begin = 0;
    for (size_t i = begin; i < end; i++) {
      if (text[i] != 0) continue;
      if (!skips && i - begin > sizeof name - 1) {
        const char *entry = text + begin;
        size_t match = 0;
        while (match < sizeof name - 1 && entry[match] == name[match]) match++;
        if (match == sizeof name - 1) result = found(entry + match, context);
      }
      skips = 0;
      begin = i + 1;
      if (result) break;
    }
    // An incomplete entry is kept for the next read; an entry that fills the buffer is not a mark.
    kept = end - begin;
    if (kept >= sizeof text - 1) {
      kept = 0;
      skips = 1;
    } else {
      for (size_t i = 0; i < kept; i++) text[i] = text[begin + i];
    }
  }
  close(file);
  return result;
}

/// Like `with_mark_of`, for any thread of a process: an ended thread has no environment.
static int with_mark(int proc, const struct process *process, int (*found)(const char *value, void *context),
                     void *context) {
  if (process->has_ended) return 0;
  if (!process->is_headless) return with_mark_of(proc, process->pid, found, context);
  char path[32];
  path_of(process->pid, "task", path);
  int tasks = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (tasks < 0) return 0;
  _Alignas(8) char buffer[1024];
  int result = 0;
  for (;;) {
    long length = syscall(SYS_getdents64, tasks, buffer, sizeof buffer);
    if (length <= 0) break;
    for (long at = 0; at < length && !result;) {
      struct linux_entry *entry = (struct linux_entry *)(buffer + at);
      at += entry->length;
      pid_t thread = number_of(entry->name);
      if (thread > 1 && thread != process->pid) result = with_mark_of(proc, thread, found, context);
    }
  }
  close(tasks);
  return result;
}

static int contains(const char *value, void *context) {
  const char *wanted = context;
  for (; *value != 0; value++) {
    size_t match = 0;
    while (wanted[match] != 0 && value[match] == wanted[match]) match++;
    if (wanted[match] == 0) return 1;
  }
  return 0;
}

/// Lists all processes. Returns how many.
static int list_processes(int proc, struct process *all, int room) {
  _Alignas(8) char buffer[8192];
  int count = 0;
  lseek(proc, 0, SEEK_SET);
  while (count < room) {
    long length = syscall(SYS_getdents64, proc, buffer, sizeof buffer);
    if (length <= 0) break;
    for (long at = 0; at < length && count < room;) {
      struct linux_entry *entry = (struct linux_entry *)(buffer + at);
      at += entry->length;
      pid_t pid = number_of(entry->name);
      if (pid > 1 && read_process(proc, pid, &all[count])) count++;
    }
  }
  return count;
}

/// The buffers of a search, which are too large for the stack.
struct search {
  struct process all[PROCESS_ROOM];
  /// Indices in `all` of the processes to kill, in order of discovery.
  int kin[PROCESS_ROOM];
  pid_t groups[GROUP_PLACES];
};

/// Lists the added groups. Returns how many.
static int list_groups(pid_t *groups) {
  int count = 0;
  for (unsigned place = 0; place < GROUP_PLACES; place++) {
    pid_t group = atomic_load_explicit(&table->groups[place], memory_order_relaxed);
    if (group > 1) groups[count++] = group;
  }
  return count;
}

static int is_among(pid_t group, const pid_t *groups, int count) {
  for (int i = 0; i < count; i++)
    if (groups[i] == group) return 1;
  return 0;
}

/// Lists processes with a mark or in one of the groups, children of `parent` (0: nobody's), and the descendants of all
/// of them. Returns how many.
static int find_kin(int proc, struct search *search, int groups, const char *mark, pid_t parent) {
  pid_t self = getpid();
  int count = list_processes(proc, search->all, PROCESS_ROOM), kin = 0;
  for (int i = 0; i < count; i++) {
    struct process *one = &search->all[i];
    if (one->pid == self || one->pid == keeper || one->has_ended) continue;
    one->is_kin = (parent > 0 && one->parent == parent) || is_among(one->group, search->groups, groups) ||
                  with_mark(proc, one, contains, (void *)mark);
    if (one->is_kin) search->kin[kin++] = i;
  }
  // Processes that cleared their environment are found by their parents.
  for (int next = 0; next < kin; next++) {
    pid_t parent = search->all[search->kin[next]].pid;
    for (int i = 0; i < count; i++) {
      struct process *one = &search->all[i];
      if (one->is_kin || one->parent != parent || one->pid == self || one->pid == keeper || one->has_ended) continue;
      one->is_kin = 1;
      search->kin[kin++] = i;
    }
  }
  return kin;
}

/// Kills processes with a mark, and their descendants, until none is left; `kills_all`: also those in an added group,
/// and what this process has adopted.
static int kill_kin(const char *mark, int kills_all, int64_t limit_ns) {
  int64_t deadline = cplatform_monotonic_ns() + limit_ns;
  int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct search *search =
      mmap(NULL, sizeof *search, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  int killed = 0;
  while (search != MAP_FAILED) {
    int groups = kills_all ? list_groups(search->groups) : 0;
    pid_t parent = kills_all && atomic_load(&adopts) ? getpid() : 0;
    int kin = proc < 0 ? 0 : find_kin(proc, search, groups, mark, parent);
    for (int i = 0; i < groups; i++) kill(-search->groups[i], SIGKILL);
    for (int i = 0; i < kin; i++) kill(search->all[search->kin[i]].pid, SIGKILL);
    if (killed == 0) killed = kin;
    // Killed processes take a moment to end, and may have started others just before.
    int is_starting = kills_all && atomic_load(&is_closed) && atomic_load(&starting) > 0;
    if ((kin == 0 && !is_starting) || cplatform_monotonic_ns() > deadline) break;
    struct timespec pause = {.tv_nsec = 500000};
    nanosleep(&pause, NULL);
  }
  if (search != MAP_FAILED) munmap(search, sizeof *search);
  if (proc >= 0) close(proc);
  return killed;
}

// MARK: - The table and the keeper

static uint64_t start_of(pid_t pid) {
  int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0) return 0;
  struct process process;
  int found = read_process(proc, pid, &process);
  close(proc);
  return found && !process.has_ended ? process.start : 0;
}

uint64_t cplatform_process_start(pid_t process) { return start_of(process); }

uint64_t cplatform_process_namespace(void) {
  struct stat status;
  return stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

/// Normal exit: nothing is left to the keeper.
static void end_children(void) {
  if (table == NULL) return;
  cplatform_children_close();
  cplatform_children_kill(2000000000);
  if (keeper <= 0) return;
  atomic_store(&table->is_done, 1);
  close(keeper_pipe);
  for (int turn = 0; turn < 400; turn++) {
    if (waitpid(keeper, NULL, WNOHANG) != 0) break;
    usleep(2500);
  }
}

/// Starts the keeper: this program, in which `keep` runs before anything else.
static int start_keeper(int memory) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  // Moves the descriptors above the numbers that the keeper uses.
  int high_memory = fcntl(memory, F_DUPFD_CLOEXEC, 16), high_pipe = fcntl(ends[0], F_DUPFD_CLOEXEC, 16);
  int count = 0, kept = 0, result = 0;
  while (environ[count] != NULL) count++;
  char owner[64];
  snprintf(owner, sizeof owner, KEEPER "=%d", getpid());
  char **variables = calloc((size_t)count + 2, sizeof *variables);
  if (variables == NULL || high_memory < 0 || high_pipe < 0) result = errno;
  if (result == 0) {
    for (int i = 0; i < count; i++)
      if (strncmp(environ[i], CPLATFORM_MARK "=", sizeof CPLATFORM_MARK) != 0) variables[kept++] = environ[i];
    variables[kept++] = owner;
    char name[64];
    snprintf(name, sizeof name, "keeper-of-%d", getpid());
    char *arguments[] = {name, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, 0, 2);
    posix_spawn_file_actions_adddup2(&actions, high_memory, KEEPER_TABLE);
    posix_spawn_file_actions_adddup2(&actions, high_pipe, KEEPER_PIPE);
    // A new session, so that signals to this process group and its terminal do not reach the keeper.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    result = posix_spawn(&keeper, "/proc/self/exe", &actions, &attributes, arguments, variables);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  free(variables);
  if (high_memory >= 0) close(high_memory);
  if (high_pipe >= 0) close(high_pipe);
  close(ends[0]);
  if (result != 0) {
    keeper = 0;
    close(ends[1]);
  } else {
    keeper_pipe = ends[1];
  }
  return result;
}

/// Whether a value consists of characters of marks.
static int is_mark(const char *value) {
  size_t length = 0;
  for (; value[length] != 0; length++)
    if (value[length] != ':' && value[length] != '.' && (value[length] < '0' || value[length] > '9')) return 0;
  return length > 1 && length < sizeof marks - 128 && value[0] == ':' && value[length - 1] == ':';
}

static void prepare(void) {
  char own[64];
  uint64_t start = start_of(getpid());
  snprintf(own, sizeof own, ":%d.%llu.%llu.", getpid(), (unsigned long long)start,
           (unsigned long long)cplatform_process_namespace());
  const char *outer = getenv(CPLATFORM_MARK);
  // Both have a colon at the boundary.
  snprintf(marks, sizeof marks, "%s%s", outer != NULL && is_mark(outer) ? outer : "",
           outer != NULL && is_mark(outer) ? own + 1 : own);
  int memory = memfd_create("tailrace-children", MFD_CLOEXEC);
  struct table *made = MAP_FAILED;
  if (memory >= 0 && ftruncate(memory, sizeof(struct table)) == 0)
    made = mmap(NULL, sizeof(struct table), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (made == MAP_FAILED) {
    keeper_problem = errno;
    // Without the keeper, groups are still tracked.
    made = mmap(NULL, sizeof(struct table), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED) return;
  }
  made->magic = TABLE_MAGIC;
  memcpy(made->own_mark, own, sizeof own);
  table = made;
  if (keeper_problem == 0) keeper_problem = start_keeper(memory);
  if (memory >= 0) close(memory);
  atexit(end_children);
}

int cplatform_children_prepare(void) {
  pthread_once(&prepared, prepare);
  return keeper_problem;
}

const char *cplatform_children_mark(void) { return marks; }

pid_t cplatform_children_keeper(void) { return keeper; }

/// The keeper's main function. Runs before the program's own start, and ends the process.
__attribute__((constructor)) static void keep(void) {
  const char *owner = getenv(KEEPER);
  if (owner == NULL) return;
  struct stat status;
  if (fstat(KEEPER_TABLE, &status) != 0 || status.st_size != sizeof(struct table)) return;
  struct table *shared =
      mmap(NULL, sizeof(struct table), PROT_READ | PROT_WRITE, MAP_SHARED, KEEPER_TABLE, 0);
  if (shared == MAP_FAILED || shared->magic != TABLE_MAGIC) return;
  table = shared;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  prctl(PR_SET_NAME, "keeper", 0, 0, 0);
#if defined(SYS_close_range)
  syscall(SYS_close_range, KEEPER_PIPE + 1, ~0u, 0);
#endif
  close(KEEPER_TABLE);
  if (chdir("/") != 0) _exit(1);
  char byte;
  // Nothing is ever written: the read returns when the last process with the other end has ended.
  while (read(KEEPER_PIPE, &byte, 1) < 0 && errno == EINTR) {
  }
  if (atomic_load(&table->is_done)) _exit(0);
  kill_kin(table->own_mark, 1, 10000000000);
  _exit(0);
}

// MARK: - Starting

int cplatform_child_begin(void) {
  atomic_fetch_add(&starting, 1);
  if (!atomic_load(&is_closed)) return 0;
  atomic_fetch_sub(&starting, 1);
  return ECANCELED;
}

void cplatform_child_started(void) { atomic_fetch_sub(&starting, 1); }

void cplatform_children_close(void) { atomic_store(&is_closed, 1); }

// MARK: - Adopted orphans

void cplatform_children_adopt(void) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0) atomic_store(&adopts, 1);
}

void cplatform_children_reap(void) {
  if (table == NULL || !atomic_load(&adopts)) return;
  for (;;) {
    siginfo_t ended = {0};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid <= 1) return;
    // The library waits for those in the table, and does so soon.
    for (unsigned place = 0; place < GROUP_PLACES; place++)
      if (atomic_load_explicit(&table->groups[place], memory_order_relaxed) == ended.si_pid) return;
    if (waitpid(ended.si_pid, NULL, WNOHANG) <= 0) return;
  }
}

// MARK: - Groups and families

int cplatform_group_add(pid_t group) {
  if (table == NULL) return -1;
  unsigned start = atomic_fetch_add(&group_hint, 1);
  for (unsigned step = 0; step < GROUP_PLACES; step++) {
    unsigned place = (start + step) % GROUP_PLACES;
    pid_t empty = 0;
    if (atomic_compare_exchange_strong(&table->groups[place], &empty, group)) return (int)place;
  }
  return -1;
}

void cplatform_group_remove(int place) {
  if (place >= 0 && table != NULL) atomic_store(&table->groups[place], 0);
}

int cplatform_family_kill(unsigned family, int64_t limit_ns) {
  if (table == NULL) return 0;
  char mark[96];
  snprintf(mark, sizeof mark, "%s%u:", table->own_mark, family);
  return kill_kin(mark, 0, limit_ns);
}

int cplatform_children_kill(int64_t limit_ns) {
  if (table == NULL) return 0;
  int saved = errno;
  int killed = kill_kin(table->own_mark, 1, limit_ns);
  errno = saved;
  return killed;
}

// MARK: - Orphans of other processes

/// Whether all processes named by a mark have ended.
static int is_orphaned(const char *value, void *context) {
  cplatform_marked_t *found = context;
  while (*value == ':' && value[1] != 0) {
    char *end = NULL;
    long pid = strtol(value + 1, &end, 10);
    if (end == NULL || *end != '.' || pid <= 1) return 0;
    uint64_t start = strtoull(end + 1, &end, 10);
    if (*end != '.') return 0;
    // In another namespace, process numbers have other meanings.
    if (strtoull(end + 1, &end, 10) != cplatform_process_namespace() || *end != '.') return 0;
    strtoul(end + 1, &end, 10);
    if (*end != ':' && *end != 0) return 0;
    // A live process takes care of its own descendants.
    if (start_of((pid_t)pid) == start) return 0;
    found->owner = (pid_t)pid;
    found->owner_start = start;
    value = end;
  }
  return found->owner != 0;
}

int cplatform_find_orphans(cplatform_marked_t *found, int room) {
  int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0) return 0;
  struct process *all = calloc(PROCESS_ROOM, sizeof *all);
  int count = all == NULL ? 0 : list_processes(proc, all, PROCESS_ROOM), kept = 0;
  for (int i = 0; i < count && kept < room; i++) {
    char path[32];
    struct stat status;
    snprintf(path, sizeof path, "%d", all[i].pid);
    if (all[i].pid == getpid() || all[i].has_ended) continue;
    if (fstatat(proc, path, &status, 0) != 0 || status.st_uid != geteuid()) continue;
    found[kept] = (cplatform_marked_t){.process = all[i].pid};
    if (with_mark(proc, &all[i], is_orphaned, &found[kept])) kept++;
  }
  free(all);
  close(proc);
  return kept;
}
