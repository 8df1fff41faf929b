#include "proctable.h"

#include <unordered_map>

#include "ntdll.h"
#include "file_time.h"

namespace hsu {

namespace {

constexpr ULONG kProcessInformation = 5;
constexpr ULONG kTimeOfDayInformation = 3;
constexpr ULONG kWaiting = 5;
constexpr ULONG kSuspended = 5;
constexpr NTSTATUS kLengthMismatch = static_cast<NTSTATUS>(0xC0000004);

// SYSTEM_THREAD_INFORMATION; headers name only part of it.
struct SystemThread {
  LARGE_INTEGER kernel_time, user_time, create_time;
  ULONG wait_time;
  PVOID start_address;
  HANDLE process, thread;
  LONG priority, base_priority;
  ULONG context_switches, state, wait_reason;
};

// SYSTEM_PROCESS_INFORMATION, followed by its threads.
struct SystemProcess {
  ULONG next_entry, thread_count;
  LARGE_INTEGER private_working_set;
  ULONG hard_faults, most_threads;
  ULONGLONG cycles;
  LARGE_INTEGER create_time, user_time, kernel_time;
  UNICODE_STRING image;
  LONG base_priority;
  HANDLE pid, ppid;
  ULONG handle_count, session;
  ULONG_PTR unique_key;
  SIZE_T peak_virtual_size, virtual_size;
  ULONG page_faults;
  SIZE_T peak_working_set, working_set, quota[4], pagefile_usage, peak_pagefile_usage, private_bytes;
  LARGE_INTEGER read_ops, write_ops, other_ops, read_bytes, write_bytes, other_bytes;
};

double number(HANDLE value) { return static_cast<double>(reinterpret_cast<uintptr_t>(value)); }

char state_of(const SystemProcess& process) {
  if (process.thread_count == 0) return 'Z';
  auto threads = reinterpret_cast<const SystemThread*>(&process + 1);
  for (ULONG at = 0; at < process.thread_count; ++at) {
    if (threads[at].state != kWaiting || threads[at].wait_reason != kSuspended) return 'R';
  }
  return 'T';
}

ProcessRow row_of(const SystemProcess& process) {
  return {
      number(process.pid),
      number(process.ppid),
      static_cast<double>(start_time_of(static_cast<uint64_t>(process.create_time.QuadPart))),
      static_cast<double>(state_of(process)),
      static_cast<double>(process.session),
      static_cast<double>(process.thread_count),
      static_cast<double>(process.handle_count),
      milliseconds_of(static_cast<uint64_t>(process.user_time.QuadPart)),
      milliseconds_of(static_cast<uint64_t>(process.kernel_time.QuadPart)),
      static_cast<double>(process.working_set),
      static_cast<double>(process.private_bytes),
      static_cast<double>(process.virtual_size),
      static_cast<double>(process.peak_working_set),
      static_cast<double>(process.read_ops.QuadPart),
      static_cast<double>(process.write_ops.QuadPart),
      static_cast<double>(process.read_bytes.QuadPart),
      static_cast<double>(process.write_bytes.QuadPart),
  };
}

// A parent that began after its child is another's process with its pid.
void forget_false_parents(std::vector<ProcessRow>& rows) {
  std::unordered_map<double, double> started;
  for (const ProcessRow& row : rows) started[row.pid] = row.start_time;
  for (ProcessRow& row : rows) {
    auto parent = started.find(row.ppid);
    if (parent != started.end() && parent->second > row.start_time) row.ppid = 0;
  }
}

}  // namespace

Result<ProcessTable> read_process_table() {
  const auto& nt = ntdll();
  if (!nt.query_system) return SystemError{"NtQuerySystemInformation", ERROR_PROC_NOT_FOUND};
  // What it needs grows while it is asked, and is not always told.
  static thread_local size_t size = 256 * 1024;
  std::vector<char> buffer;
  NTSTATUS status = kLengthMismatch;
  for (int tries = 0; tries < 16 && status == kLengthMismatch; ++tries) {
    buffer.resize(size);
    ULONG needed = 0;
    status = nt.query_system(kProcessInformation, buffer.data(), static_cast<ULONG>(size), &needed);
    if (status == kLengthMismatch) size = needed > size ? needed + 64 * 1024 : 2 * size;
  }
  if (status < 0) return SystemError{"NtQuerySystemInformation", static_cast<int>(nt.error_of(status))};
  ProcessTable table;
  for (size_t at = 0;;) {
    auto process = reinterpret_cast<const SystemProcess*>(buffer.data() + at);
    // The idle process is none.
    if (process->pid) {
      table.rows.push_back(row_of(*process));
      table.names.emplace_back(process->image.Buffer ? process->image.Buffer : L"",
                               process->image.Buffer ? process->image.Length / sizeof(wchar_t) : 0);
    }
    if (process->next_entry == 0) break;
    at += process->next_entry;
  }
  forget_false_parents(table.rows);
  return table;
}

std::string read_boot_id() {
  // KUSER_SHARED_DATA, which every process has at this address; BootId counts the starts of the system.
  constexpr uintptr_t kBootId = 0x7FFE0000 + 0x2C4;
  ULONG count = *reinterpret_cast<const volatile ULONG*>(kBootId);
  if (count != 0) return "boot-" + std::to_string(count);
  struct {
    LARGE_INTEGER boot_time, current_time, bias;
    ULONG zone, reserved;
  } time = {};
  ULONG length = 0;
  const auto& nt = ntdll();
  if (!nt.query_system || nt.query_system(kTimeOfDayInformation, &time, sizeof time, &length) < 0) return "unknown";
  // To the minute: where there is no count the time may be worked out anew each time it is asked.
  constexpr uint64_t kMinute = 60ull * 1000 * 1000;
  uint64_t start = start_time_of(static_cast<uint64_t>(time.boot_time.QuadPart));
  return "time-" + std::to_string((start + kMinute / 2) / kMinute);
}

}  // namespace hsu
