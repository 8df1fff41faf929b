#pragma once

// A channel of Windows: a pipe whose read end is also kept in the worker, so that it outlives the master. It is known by the path of a
// small file, which names the process and the handle by which the next master gets at it.

#include <cstdint>
#include <string>

#include "../handle.h"
#include "hsu/result.h"

namespace hsu::pump {

// What a channel's file says. Without a process it has none yet.
struct ChannelRecord {
  std::string pipe;  // without \\.\pipe\ before it
  DWORD pid = 0;
  uint64_t start_time = 0;
  uint64_t handle = 0;  // of the read end, in that process
};

// For what makes processes. The write end, inheritable: the caller closes it once the process has it.
HANDLE open_writer(const std::string& path, DWORD& error);

// Before the process may run: leaves the read end with it. 0 or an error. The write end is given away by this.
DWORD park_reader(const std::string& path, HANDLE process, DWORD pid, uint64_t start_time);

// For the pump. Makes the pipe and its file, `ERROR_FILE_EXISTS` where there is one.
Result<Handle> make_channel(const std::string& path);

// The read end of one that an earlier process has made; nothing where nobody holds it any more.
Result<Handle> find_channel(const std::string& path);

// Nobody will be given the write end: who waits for its end gets it.
void drop_writer(const std::string& path);

// The path is no channel's any more; its file is removed with `remove`.
void forget_channel(const std::string& path, bool remove);

// How many bytes wait in it.
size_t held_by(HANDLE reader);

}  // namespace hsu::pump
