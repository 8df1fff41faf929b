#include "job.h"

#include <cmath>
#include <cstddef>

namespace hsu {

namespace {

// Of newer systems; not every header has it.
struct MemoryUsage {
  ULONGLONG memory, peak_memory;
};
constexpr auto kMemoryUsage = static_cast<JOBOBJECTINFOCLASS>(28);

struct NetRate {
  DWORD64 max_bandwidth;
  DWORD flags;
  BYTE dscp_tag;
};
constexpr auto kNetRate = static_cast<JOBOBJECTINFOCLASS>(32);
constexpr DWORD kNetEnable = 1, kNetMaxBandwidth = 2;

struct CpuRate {
  DWORD flags;
  DWORD value;
};
constexpr auto kCpuRate = static_cast<JOBOBJECTINFOCLASS>(15);

DWORD last_error(BOOL ok) { return ok ? 0 : ::GetLastError(); }

SystemError failure(const char* call) { return {call, static_cast<int>(::GetLastError())}; }

double count(LONGLONG value) { return static_cast<double>(value); }
double milliseconds(const LARGE_INTEGER& value) { return static_cast<double>(value.QuadPart) / 10000; }

}  // namespace

Result<Job> Job::create(const std::wstring& name) {
  Handle handle(::CreateJobObjectW(nullptr, name.empty() ? nullptr : name.c_str()));
  if (!handle) return failure("CreateJobObject");
  if (!name.empty() && ::GetLastError() == ERROR_ALREADY_EXISTS)
    return SystemError{"CreateJobObject", ERROR_ALREADY_EXISTS};
  return Job(std::move(handle));
}

Result<Job> Job::open(const std::wstring& name) {
  Handle handle(::OpenJobObjectW(JOB_OBJECT_ALL_ACCESS, FALSE, name.c_str()));
  if (!handle) return failure("OpenJobObject");
  return Job(std::move(handle));
}

DWORD Job::limit(const JobLimits& limits) const {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION wanted = {};
  auto& basic = wanted.BasicLimitInformation;
  basic.LimitFlags = limits.flags;
  basic.PerProcessUserTimeLimit.QuadPart = static_cast<LONGLONG>(limits.process_time);
  basic.PerJobUserTimeLimit.QuadPart = static_cast<LONGLONG>(limits.job_time);
  basic.MinimumWorkingSetSize = static_cast<SIZE_T>(limits.least_working_set);
  basic.MaximumWorkingSetSize = static_cast<SIZE_T>(limits.most_working_set);
  basic.ActiveProcessLimit = limits.active_processes;
  basic.Affinity = static_cast<ULONG_PTR>(limits.affinity);
  basic.PriorityClass = limits.priority_class;
  basic.SchedulingClass = limits.scheduling_class;
  wanted.ProcessMemoryLimit = static_cast<SIZE_T>(limits.process_memory);
  wanted.JobMemoryLimit = static_cast<SIZE_T>(limits.job_memory);
  return last_error(
      ::SetInformationJobObject(get(), JobObjectExtendedLimitInformation, &wanted, sizeof wanted));
}

DWORD Job::limit_cpu(DWORD flags, DWORD value) const {
  CpuRate wanted = {flags, value};
  return last_error(::SetInformationJobObject(get(), kCpuRate, &wanted, sizeof wanted));
}

DWORD Job::limit_ui(DWORD restrictions) const {
  JOBOBJECT_BASIC_UI_RESTRICTIONS wanted = {restrictions};
  return last_error(::SetInformationJobObject(get(), JobObjectBasicUIRestrictions, &wanted, sizeof wanted));
}

DWORD Job::limit_network(uint64_t bytes_per_second) const {
  NetRate wanted = {bytes_per_second, bytes_per_second == 0 ? 0 : kNetEnable | kNetMaxBandwidth, 0};
  return last_error(::SetInformationJobObject(get(), kNetRate, &wanted, sizeof wanted));
}

DWORD Job::tell(HANDLE port, ULONG_PTR key) const {
  constexpr auto kPort = JobObjectAssociateCompletionPortInformation;
  JOBOBJECT_ASSOCIATE_COMPLETION_PORT wanted = {reinterpret_cast<PVOID>(key), port}, none = {};
  if (::SetInformationJobObject(get(), kPort, &wanted, sizeof wanted)) return 0;
  // It has another’s port, which newer systems let one take away.
  ::SetInformationJobObject(get(), kPort, &none, sizeof none);
  return last_error(::SetInformationJobObject(get(), kPort, &wanted, sizeof wanted));
}

DWORD Job::assign(HANDLE process) const { return last_error(::AssignProcessToJobObject(get(), process)); }

DWORD Job::terminate(UINT code) const { return last_error(::TerminateJobObject(get(), code)); }

Result<std::vector<DWORD>> Job::pids() const {
  constexpr size_t kHead = offsetof(JOBOBJECT_BASIC_PROCESS_ID_LIST, ProcessIdList);
  for (size_t room = 64;; room *= 4) {
    std::vector<char> buffer(kHead + room * sizeof(ULONG_PTR));
    auto list = reinterpret_cast<JOBOBJECT_BASIC_PROCESS_ID_LIST*>(buffer.data());
    bool ok = ::QueryInformationJobObject(get(), JobObjectBasicProcessIdList, list,
                                          static_cast<DWORD>(buffer.size()), nullptr);
    if (!ok && ::GetLastError() != ERROR_MORE_DATA) return failure("QueryInformationJobObject");
    if (!ok || list->NumberOfProcessIdsInList < list->NumberOfAssignedProcesses) {
      // Somebody may have ended in between; a list that is not full holds them all.
      if (list->NumberOfProcessIdsInList >= room || !ok) continue;
    }
    std::vector<DWORD> pids;
    for (DWORD at = 0; at < list->NumberOfProcessIdsInList; ++at)
      pids.push_back(static_cast<DWORD>(list->ProcessIdList[at]));
    return pids;
  }
}

JobUsage Job::usage() const {
  JobUsage usage = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION both = {};
  if (::QueryInformationJobObject(get(), JobObjectBasicAndIoAccountingInformation, &both, sizeof both, nullptr)) {
    usage.read_ops = count(static_cast<LONGLONG>(both.IoInfo.ReadOperationCount));
    usage.write_ops = count(static_cast<LONGLONG>(both.IoInfo.WriteOperationCount));
    usage.read_bytes = count(static_cast<LONGLONG>(both.IoInfo.ReadTransferCount));
    usage.write_bytes = count(static_cast<LONGLONG>(both.IoInfo.WriteTransferCount));
  }
  JOBOBJECT_BASIC_ACCOUNTING_INFORMATION basic = {};
  if (::QueryInformationJobObject(get(), JobObjectBasicAccountingInformation, &basic, sizeof basic, nullptr)) {
    usage.user_ms = milliseconds(basic.TotalUserTime);
    usage.kernel_ms = milliseconds(basic.TotalKernelTime);
    usage.total_processes = basic.TotalProcesses;
    usage.active_processes = basic.ActiveProcesses;
    usage.terminated_processes = basic.TotalTerminatedProcesses;
  }
  MemoryUsage memory = {};
  if (::QueryInformationJobObject(get(), kMemoryUsage, &memory, sizeof memory, nullptr)) {
    usage.memory = static_cast<double>(memory.memory);
    usage.peak_memory = static_cast<double>(memory.peak_memory);
  }
  return usage;
}

DWORD Job::park(HANDLE process) const {
  HANDLE remote = nullptr;
  return last_error(::DuplicateHandle(::GetCurrentProcess(), get(), process, &remote, JOB_OBJECT_ALL_ACCESS, FALSE, 0));
}

}  // namespace hsu
