// What Node, libstdc++ and libgcc_s, as they are built for glibc, want of it and musl does not have: so that the pinned Node runs on
// musl, with which our binaries for musl are tried. Nothing that is released has anything of it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>

char __libc_single_threaded = 0;
void *__libc_stack_end = 0;

uint32_t arc4random(void) {
  uint32_t number = 0;
  getrandom(&number, sizeof number, 0);
  return number;
}

size_t __strftime_l(char *text, size_t most, const char *format, const struct tm *time, locale_t locale) {
  return strftime_l(text, most, format, time, locale);
}

int fcntl64(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  return fcntl(fd, command, argument);
}

const char *gnu_get_libc_version(void) { return "2.36"; }
unsigned long __getauxval(unsigned long type) { return getauxval(type); }

int getcontext(void *context) { return (void)context, errno = ENOSYS, -1; }
int setcontext(const void *context) { return (void)context, errno = ENOSYS, -1; }
void makecontext(void *context, void (*entry)(void), int count, ...) { (void)context, (void)entry, (void)count; }

int backtrace(void **frames, int most) { return (void)frames, (void)most, 0; }
char **backtrace_symbols(void *const *frames, int count) { return (void)frames, (void)count, (char **)0; }
void backtrace_symbols_fd(void *const *frames, int count, int fd) { (void)frames, (void)count, (void)fd; }

int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *handle) {
  (void)handle;
  return pthread_atfork(prepare, parent, child);
}

// Its presence tells code that was compiled for old versions of glibc that threads can be made.
int __pthread_key_create(pthread_key_t *key, void (*destroy)(void *)) { return pthread_key_create(key, destroy); }

int __cpu_indicator_init(void) { return 0; }
struct {
  unsigned vendor, type, subtype, features[1];
} __cpu_model = {1, 1, 1, {0}};

// Destructors of thread-local objects.
struct ending {
  void (*run)(void *);
  void *object;
  struct ending *next;
};
static pthread_key_t endings;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void run_endings(void *given) {
  for (struct ending *ending = given; ending;) {
    struct ending *next = ending->next;
    ending->run(ending->object);
    free(ending);
    ending = next;
  }
}
static void make_key(void) { pthread_key_create(&endings, run_endings); }

int __cxa_thread_atexit_impl(void (*run)(void *), void *object, void *library) {
  (void)library;
  pthread_once(&once, make_key);
  struct ending *ending = malloc(sizeof *ending);
  ending->run = run;
  ending->object = object;
  ending->next = pthread_getspecific(endings);
  pthread_setspecific(endings, ending);
  return 0;
}

// For the unwinder: glibc 2.35 and newer.
struct dl_find_object {
  unsigned long long flags;
  void *start, *end;
  struct link_map *map;
  void *eh_frame;
  unsigned long long reserved[7];
};
struct search {
  uintptr_t pc;
  struct dl_find_object *found;
  int ok;
};

static int look_at_object(struct dl_phdr_info *info, size_t size, void *given) {
  (void)size;
  struct search *search = given;
  uintptr_t low = ~(uintptr_t)0, high = 0;
  void *eh_frame = 0;
  int inside = 0;
  for (int at = 0; at < info->dlpi_phnum; at++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[at];
    uintptr_t address = info->dlpi_addr + header->p_vaddr;
    if (header->p_type == PT_LOAD) {
      if (search->pc >= address && search->pc < address + header->p_memsz) inside = 1;
      if (address < low) low = address;
      if (address + header->p_memsz > high) high = address + header->p_memsz;
    }
    if (header->p_type == PT_GNU_EH_FRAME) eh_frame = (void *)address;
  }
  if (!inside) return 0;
  search->found->flags = 0;
  search->found->start = (void *)low;
  search->found->end = (void *)high;
  search->found->map = 0;
  search->found->eh_frame = eh_frame;
  search->ok = eh_frame != 0;
  return 1;
}

int _dl_find_object(void *pc, struct dl_find_object *found) {
  struct search search = {(uintptr_t)pc, found, 0};
  dl_iterate_phdr(look_at_object, &search);
  return search.ok ? 0 : -1;
}
