#pragma once

// One output stream of one run.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hsu/fd.h"
#include "hsu/pump/channel_options.h"
#include "hsu/pump/format.h"
#include "hsu/pump/tail.h"
#include "clock.h"
#include "log_file.h"
#include "spool.h"

namespace hsu::pump {

struct Channel {
  explicit Channel(ChannelId id, ChannelOptions&& given) : id(id), options(std::move(given)), spooled(options.spooled()) {}

  const ChannelId id;
  const ChannelOptions options;
  Fd fifo;
  LogFile* file = nullptr;

  // Between the pump's thread and that of the disk.
  std::optional<Spool> spool;
  std::optional<Formatter> formatter;
  std::atomic<bool> at_end{false};   // nobody holds it any more, all is in the spool
  std::atomic<bool> full{false};     // the pump waits for room in the spool
  std::atomic<bool> held_up{false};  // by an outage of its file
  bool queued = false;               // under the writer's mutex

  // Of the pump's thread.
  bool spooled;
  size_t capacity = 64 * 1024;
  bool grown = false;
  bool spool_failed = false;
  bool polled = false;    // in the thread's epoll
  std::vector<Channel*> predecessors;  // of the same worker, stream and file; what they hold comes first
  bool preceded = false;               // the above is known
  Milliseconds unfinished = 0;  // since when it has only a part of a line, or waits for that of another
  int looks = 0;            // how often it was looked for its rest: on a busy machine time alone tells nothing
  bool skipping = false;  // the rest of a line whose beginning was lost
  bool emptied = false;   // what was in the spool is written, or given up
  bool forgotten = false;
  bool ended = false;
  bool told = false;      // of its end
  bool letting_go = false;
  uint64_t until = 0;     // its end is told when so many bytes were taken

  uint64_t taken() const { return bytes + dropped_bytes; }

  // Written by that thread, read by any.
  std::atomic<uint64_t> bytes{0}, lines{0}, dropped_bytes{0}, dropped_lines{0}, tap_lost{0};
  std::atomic<Tap> tap{Tap::none};
  Tail tail;  // under the pump's mutex
  bool in_line = false;
};

}  // namespace hsu::pump
