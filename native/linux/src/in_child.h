#pragma once

// What every step between clone and exec needs. It runs in the child, which shares memory and thread-local storage
// with the spawner thread: nothing here may allocate, lock, touch errno or return early.

#include <fcntl.h>

#include "launch.h"
#include "raw_syscall.h"

// Sanitizers and stack protectors keep state that belongs to the spawner thread.
#define IN_CHILD __attribute__((no_sanitize("address", "undefined", "thread"), no_stack_protector))

namespace hsu::child {

inline long at(const void* pointer) { return reinterpret_cast<long>(pointer); }

[[noreturn]] IN_CHILD inline void leave() {
  for (;;) raw(SYS_exit_group, 127);
}

[[noreturn]] IN_CHILD inline void fail(Launch* launch, Step step, long result) {
  launch->failed_error.store(static_cast<int>(-result), std::memory_order_relaxed);
  launch->failed_step.store(step, std::memory_order_relaxed);
  leave();
}

IN_CHILD inline void need(Launch* launch, Step step, long result) {
  if (result < 0) fail(launch, step, result);
}

struct Written {
  bool opened;
  long result;
};

IN_CHILD inline Written write_file(const char* path, const char* text) {
  long length = 0;
  while (text[length]) ++length;
  long fd = raw(SYS_openat, AT_FDCWD, at(path), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return {false, fd};
  long result = raw(SYS_write, fd, at(text), length);
  raw(SYS_close, fd);
  return {true, result};
}

// Settings of child_limits.cc, in the order in which the child comes to them.
void join_groups(Launch* launch);
void take_limits(Launch* launch);
void renounce_privileges(Launch* launch);

}  // namespace hsu::child
