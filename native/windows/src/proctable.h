#pragma once

// All processes of the system in one call, with what they use.

#include <cstdint>
#include <string>
#include <vector>

#include "hsu/result.h"
#include "win.h"

namespace hsu {

// All numbers, in the order in which packages/native/src/windows/rows.ts takes them apart.
struct ProcessRow {
  double pid;
  double ppid;  // 0 where the parent has ended and its pid is another's by now
  double start_time;
  double state;  // a letter: R; T all of its threads are stopped; Z none is left
  double session;
  double threads;
  double handles;
  double user_ms;
  double kernel_ms;
  double working_set;
  double private_bytes;
  double virtual_bytes;
  double peak_working_set;
  double read_ops;
  double write_ops;
  double read_bytes;
  double write_bytes;
};

struct ProcessTable {
  std::vector<ProcessRow> rows;
  std::vector<std::wstring> names;  // of the image, without its directory; one for each row
};

Result<ProcessTable> read_process_table();

// Of the last start of the system, as text: two masters of one boot read the same.
std::string read_boot_id();

}  // namespace hsu
