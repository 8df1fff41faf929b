#pragma once

// Who reads a FIFO that nobody has opened for writing yet finds it ended, on this system. So between its making and the birth of its
// worker we hold it open for writing ourselves.

#include <string>

#include "hsu/fd.h"

namespace hsu {

void add_keeper(const std::string& fifo, Fd writer);
void release_keeper(const std::string& fifo);  // nothing where there is none

}  // namespace hsu
