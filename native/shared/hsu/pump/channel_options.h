#pragma once

// What is asked of a channel, and what it has counted.

#include <cstdint>
#include <string>

#include "hsu/pump/format.h"

namespace hsu::pump {

using ChannelId = uint64_t;

// The numbers are the contract with packages/native/src/pump.ts.
enum class Overflow : int { block = 0, drop_oldest = 1, drop_newest = 2 };
enum class Tap : int { none = 0, lose = 1, wait = 2 };

struct Rotation {
  uint64_t max_size = 0;   // 0: no bound
  uint32_t max_files = 0;  // rotated files kept
  uint32_t every = 0;      // seconds of local time; 86400 is at midnight; 0: not by time
};

struct ChannelOptions {
  std::string fifo;  // the path of the channel's file
  std::string file;  // empty: none, its bytes are only counted and tapped
  Rotation rotation;
  Overflow overflow = Overflow::block;
  Format format = Format::plain;
  Labels labels;

  // Through a spool, where there are spools: lines that are formatted, and what must not wait for a disk.
  bool spooled() const { return !file.empty() && (format != Format::plain || overflow != Overflow::block); }
};

struct Counts {
  uint64_t bytes, lines, dropped_bytes, dropped_lines, tap_lost;
};

}  // namespace hsu::pump
