#pragma once

// What happens between clone and exec, in the child. It shares memory, and thread-local storage, with the
// master's spawner thread, so nothing here may allocate, lock, touch errno or return.

#include "launch.h"

namespace hsu {

void run_child(void* launch);

// Closes every open descriptor from `first` up to and including `last` without close_range, for kernels before
// 5.9 and filters that refuse the call. Declared here for its test.
long close_by_listing(unsigned first, unsigned last);

}  // namespace hsu
