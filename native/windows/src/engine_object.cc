#include "engine_object.h"

#include "hsu/arguments.h"
#include "identity.h"
#include "wide_glue.h"

namespace hsu {

using glue::boolean;
using glue::integer;
using glue::text;
using glue::wide_text;

namespace {

Napi::Value number(Napi::Env env, double value) { return Napi::Number::New(env, value); }

// A number of ours, or the call that failed and its error.
Napi::Value number_or_failure(Napi::Env env, Result<uint64_t>&& result) {
  if (result) return number(env, static_cast<double>(*result));
  const auto& [call, error] = result.error();
  return glue::tuple(env, {Napi::String::New(env, call), number(env, error)});
}

template <class Row>
Napi::Float64Array numbers_of(Napi::Env env, const Row& row) {
  static_assert(sizeof(Row) % sizeof(double) == 0);
  auto numbers = Napi::Float64Array::New(env, sizeof(Row) / sizeof(double));
  std::copy_n(reinterpret_cast<const double*>(&row), numbers.ElementLength(), numbers.Data());
  return numbers;
}

}  // namespace

Napi::Function EngineObject::define(Napi::Env env) {
  return DefineClass(env, "Engine",
                     {
                         InstanceMethod<&EngineObject::create_job>("createJob"),
                         InstanceMethod<&EngineObject::open_job>("openJob"),
                         InstanceMethod<&EngineObject::close_job>("closeJob"),
                         InstanceMethod<&EngineObject::limit_job>("limitJob"),
                         InstanceMethod<&EngineObject::limit_job_cpu>("limitJobCpu"),
                         InstanceMethod<&EngineObject::limit_job_ui>("limitJobUi"),
                         InstanceMethod<&EngineObject::limit_job_network>("limitJobNetwork"),
                         InstanceMethod<&EngineObject::assign>("assign"),
                         InstanceMethod<&EngineObject::park_job>("parkJob"),
                         InstanceMethod<&EngineObject::terminate_job>("terminateJob"),
                         InstanceMethod<&EngineObject::job_pids>("jobPids"),
                         InstanceMethod<&EngineObject::job_usage>("jobUsage"),
                         InstanceMethod<&EngineObject::spawn>("spawn"),
                         InstanceMethod<&EngineObject::release>("release"),
                         InstanceMethod<&EngineObject::terminate>("terminate"),
                         InstanceMethod<&EngineObject::watch>("watch"),
                         InstanceMethod<&EngineObject::unwatch>("unwatch"),
                         InstanceMethod<&EngineObject::detach_output>("detachOutput"),
                         InstanceMethod<&EngineObject::acknowledge>("acknowledge"),
                         InstanceMethod<&EngineObject::close>("close"),
                     });
}

EngineObject::EngineObject(const Napi::CallbackInfo& info) : LivingObject(info) {
  begin(info[0], [](const Napi::Object& options, std::function<void()> wake) {
    return Engine::open(integer<size_t>(options.Get("maxUnacknowledgedBytes"), "maxUnacknowledgedBytes"), std::move(wake));
  });
}

// The first argument is its number.
const Job* EngineObject::job_of(const Napi::CallbackInfo& info) {
  const Job* job = living().job(integer<uint64_t>(info[0], "job"));
  if (!job) throw Napi::RangeError::New(info.Env(), "there is no such job");
  return job;
}

Napi::Value EngineObject::create_job(const Napi::CallbackInfo& info) {
  return number_or_failure(info.Env(), living().create_job(wide_text(info[0], "name")));
}

Napi::Value EngineObject::open_job(const Napi::CallbackInfo& info) {
  return number_or_failure(info.Env(), living().open_job(wide_text(info[0], "name")));
}

void EngineObject::close_job(const Napi::CallbackInfo& info) {
  living().close_job(integer<uint64_t>(info[0], "job"));
}

Napi::Value EngineObject::limit_job(const Napi::CallbackInfo& info) {
  auto given = glue::object(info[1], "limits");
  JobLimits limits;
  auto large = [&](const char* name) { return integer<uint64_t>(given.Get(name), name); };
  auto small = [&](const char* name) { return integer<DWORD>(given.Get(name), name); };
  limits.flags = small("flags");
  limits.process_time = large("processTime");
  limits.job_time = large("jobTime");
  limits.least_working_set = large("leastWorkingSet");
  limits.most_working_set = large("mostWorkingSet");
  limits.active_processes = small("activeProcesses");
  limits.priority_class = small("priorityClass");
  limits.scheduling_class = small("schedulingClass");
  limits.affinity = large("affinityLow") | (large("affinityHigh") << 32);
  limits.process_memory = large("processMemory");
  limits.job_memory = large("jobMemory");
  return number(info.Env(), job_of(info)->limit(limits));
}

Napi::Value EngineObject::limit_job_cpu(const Napi::CallbackInfo& info) {
  const Job* job = job_of(info);
  return number(info.Env(), job->limit_cpu(integer<DWORD>(info[1], "flags"), integer<DWORD>(info[2], "value")));
}

Napi::Value EngineObject::limit_job_ui(const Napi::CallbackInfo& info) {
  const Job* job = job_of(info);
  return number(info.Env(), job->limit_ui(integer<DWORD>(info[1], "restrictions")));
}

Napi::Value EngineObject::limit_job_network(const Napi::CallbackInfo& info) {
  const Job* job = job_of(info);
  return number(info.Env(), job->limit_network(integer<uint64_t>(info[1], "bytesPerSecond")));
}

Napi::Value EngineObject::assign(const Napi::CallbackInfo& info) {
  const Job* job = job_of(info);
  auto process = open_process(integer<DWORD>(info[1], "pid"), integer<uint64_t>(info[2], "startTime"),
                              PROCESS_SET_QUOTA | PROCESS_TERMINATE);
  return number(info.Env(), process ? job->assign(process->get()) : static_cast<double>(process.error().error));
}

Napi::Value EngineObject::park_job(const Napi::CallbackInfo& info) {
  const Job* job = job_of(info);
  auto process = open_process(integer<DWORD>(info[1], "pid"), integer<uint64_t>(info[2], "startTime"), PROCESS_DUP_HANDLE);
  return number(info.Env(), process ? job->park(process->get()) : static_cast<double>(process.error().error));
}

Napi::Value EngineObject::terminate_job(const Napi::CallbackInfo& info) {
  const Job* job = job_of(info);
  return number(info.Env(), job->terminate(integer<UINT>(info[1], "code")));
}

// Pids, or an error.
Napi::Value EngineObject::job_pids(const Napi::CallbackInfo& info) {
  auto pids = job_of(info)->pids();
  if (!pids) return number(info.Env(), pids.error().error);
  auto numbers = Napi::Float64Array::New(info.Env(), pids->size());
  std::copy(pids->begin(), pids->end(), numbers.Data());
  return numbers;
}

Napi::Value EngineObject::job_usage(const Napi::CallbackInfo& info) {
  return numbers_of(info.Env(), job_of(info)->usage());
}

// Handle, pid and start time; or step and error.
Napi::Value EngineObject::spawn(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto given = glue::object(info[0], "options");
  LaunchOptions options;
  options.application = wide_text(given.Get("application"), "application");
  options.command_line = wide_text(given.Get("commandLine"), "commandLine");
  options.environment = wide_text(given.Get("environment"), "environment");
  options.directory = wide_text(given.Get("directory"), "directory");
  options.out = static_cast<Output>(integer<int>(given.Get("stdout"), "stdout"));
  options.err = static_cast<Output>(integer<int>(given.Get("stderr"), "stderr"));
  options.out_channel = text(given.Get("stdoutChannel"), "stdoutChannel");
  options.err_channel = text(given.Get("stderrChannel"), "stderrChannel");
  options.console = integer<DWORD>(given.Get("console"), "console");
  // A block that holds nothing takes two terminators; one comes with the string.
  if (options.environment.empty()) options.environment.push_back(L'\0');
  auto jobs = glue::integers<uint64_t>(given.Get("jobs"), "jobs");
  auto spawned = living().spawn(std::move(options), jobs);
  if (spawned.failure)
    return glue::tuple(env, {number(env, static_cast<int>(spawned.failure.step)), number(env, spawned.failure.error)});
  return glue::tuple(env, {number(env, static_cast<double>(spawned.handle)), number(env, spawned.pid),
                           number(env, static_cast<double>(spawned.start_time))});
}

// Step and error of what failed; a step of -1: nothing.
Napi::Value EngineObject::release(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto failure = living().release(integer<uint64_t>(info[0], "handle"), boolean(info[1], "go"),
                                   integer<UINT>(info[2], "code"));
  return glue::tuple(env, {number(env, static_cast<int>(failure.step)), number(env, failure.error)});
}

Napi::Value EngineObject::terminate(const Napi::CallbackInfo& info) {
  return number(info.Env(),
                living().terminate(integer<uint64_t>(info[0], "handle"), integer<UINT>(info[1], "code")));
}

Napi::Value EngineObject::watch(const Napi::CallbackInfo& info) {
  return number_or_failure(
      info.Env(), living().watch(integer<DWORD>(info[0], "pid"), integer<uint64_t>(info[1], "startTime")));
}

void EngineObject::unwatch(const Napi::CallbackInfo& info) {
  living().unwatch(integer<uint64_t>(info[0], "watch"));
}

void EngineObject::detach_output(const Napi::CallbackInfo& info) {
  living().detach_output(integer<uint64_t>(info[0], "handle"));
}

void EngineObject::acknowledge(const Napi::CallbackInfo& info) {
  living().acknowledge(integer<size_t>(info[0], "bytes"));
}

}  // namespace hsu
