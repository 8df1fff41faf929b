#pragma once

// Makes a process that has not begun: suspended, in its jobs, with the handles that it is to have and no others.

#include <string>
#include <vector>

#include "handle.h"

namespace hsu {

// The numbers are the contract with packages/native/src/windows/failure.ts.
enum class Step : int { none = -1, stdio = 0, channel = 1, create = 2, park = 3, gate = 4, attributes = 5, watch = 6 };

struct StepFailure {
  Step step = Step::none;
  DWORD error = 0;
  explicit operator bool() const { return step != Step::none; }
};

enum class Output : int { capture = 0, null = 1, inherit = 2, same = 3, channel = 4 };

// As it is to be; nothing is left to look up.
struct LaunchOptions {
  std::wstring application;   // path of the program
  std::wstring command_line;  // quoted
  std::wstring environment;   // variables that each end with a NUL, sorted
  std::wstring directory;     // empty: the master’s
  Output out = Output::null, err = Output::null;
  std::string out_channel, err_channel;
  DWORD console = 0;          // CREATE_NO_WINDOW, DETACHED_PROCESS or CREATE_NEW_PROCESS_GROUP
  std::vector<HANDLE> jobs;   // the outermost first
};

struct Launched {
  Handle process, thread;
  DWORD pid = 0;
  uint64_t start_time = 0;
  Handle out, err;  // read ends of what is captured, overlapped
};

StepFailure launch(LaunchOptions& options, Launched& launched);

}  // namespace hsu
