#include "process_glue.h"

#include <algorithm>

#include "ask.h"
#include "hsu/arguments.h"
#include "identity.h"
#include "look.h"
#include "ntdll.h"
#include "privilege.h"
#include "proctable.h"
#include "sockets.h"
#include "wide_glue.h"

namespace hsu {

namespace {

using glue::boolean;
using glue::integer;
using glue::wide_text;

template <class Value>
Napi::Value number(Napi::Env env, Value value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

// Rows, and the names that go with them.
Napi::Value process_table(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto table = read_process_table();
  if (!table) throw glue::system_error(env, table.error().call, table.error().error);
  constexpr size_t kWidth = sizeof(ProcessRow) / sizeof(double);
  auto rows = Napi::Float64Array::New(env, table->rows.size() * kWidth);
  std::copy_n(reinterpret_cast<const double*>(table->rows.data()), rows.ElementLength(), rows.Data());
  std::wstring names;
  for (const std::wstring& name : table->names) names.append(name).push_back(L'\0');
  return glue::tuple(env, {rows, glue::wide_value(env, names)});
}

// The start time of the living process with this pid; null: there is none. Else the error: it may not be opened.
Napi::Value identify(const Napi::CallbackInfo& info) {
  uint64_t start_time = 0;
  auto process = open_living(integer<DWORD>(info[0], "pid"), 0, start_time);
  if (process) return number(info.Env(), start_time);
  int error = process.error().error;
  if (error == ERROR_NOT_FOUND || error == ERROR_INVALID_PARAMETER) return info.Env().Null();
  return number(info.Env(), -error);
}

// Of each that was asked for its text, or the error; undefined: not asked for.
Napi::Value write_text(Napi::Env env, const LookText& found) {
  if (found.text) return glue::wide_value(env, *found.text);
  return found.error ? number(env, found.error) : env.Undefined();
}

// Start time, command line, image, directory, environment, user.
Napi::Value look(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto bits = integer<unsigned>(info[1], "fields");
  LookQuery query = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0};
  Look found = look_at(integer<DWORD>(info[0], "pid"), query);
  return glue::tuple(env, {number(env, found.start_time), write_text(env, found.command_line),
                           write_text(env, found.image), write_text(env, found.directory),
                           write_text(env, found.environment), write_text(env, found.user)});
}

// Pid, protocol and port of each; and their addresses, each followed by a blank.
Napi::Value listeners(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto found = read_listeners();
  if (!found) throw glue::system_error(env, found.error().call, found.error().error);
  auto numbers = Napi::Float64Array::New(env, found->size() * 3);
  double* at = numbers.Data();
  std::string addresses;
  for (const Listener& listener : *found) {
    *at++ = listener.pid;
    *at++ = listener.protocol;
    *at++ = listener.port;
    addresses += listener.address + ' ';
  }
  return glue::tuple(env, {numbers, Napi::String::New(env, addresses)});
}

Napi::Value connections(const Napi::CallbackInfo& info) {
  auto found = read_connections();
  if (!found) throw glue::system_error(info.Env(), found.error().call, found.error().error);
  auto numbers = Napi::Float64Array::New(info.Env(), found->size());
  std::copy(found->begin(), found->end(), numbers.Data());
  return numbers;
}

Napi::Value terminate(const Napi::CallbackInfo& info) {
  return number(info.Env(),
                terminate_process(integer<DWORD>(info[0], "pid"), integer<uint64_t>(info[1], "startTime"),
                                  integer<UINT>(info[2], "code")));
}

Napi::Value suspend(const Napi::CallbackInfo& info) {
  return number(info.Env(), suspend_process(integer<DWORD>(info[0], "pid"), integer<uint64_t>(info[1], "startTime"),
                                            boolean(info[2], "suspended")));
}

Napi::Value may_end(const Napi::CallbackInfo& info) {
  return number(info.Env(), may_terminate(integer<DWORD>(info[0], "pid"), integer<uint64_t>(info[1], "startTime")));
}

Napi::Value close_all_windows(const Napi::CallbackInfo& info) {
  return number(info.Env(), close_windows(glue::integers<DWORD>(info[0], "pids")));
}

Napi::Value pids_of_console(const Napi::CallbackInfo& info) {
  auto pids = console_pids();
  auto numbers = Napi::Float64Array::New(info.Env(), pids.size());
  std::copy(pids.begin(), pids.end(), numbers.Data());
  return numbers;
}

Napi::Value repair(const Napi::CallbackInfo& info) {
  return number(info.Env(), repair_console(integer<DWORD>(info[0], "pid")));
}

Napi::Value enable(const Napi::CallbackInfo& info) {
  return number(info.Env(), enable_privilege(wide_text(info[0], "privilege")));
}

Napi::Value boot_id(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), read_boot_id()); }

Napi::Value system_of(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  result.Set("isWine", Napi::Boolean::New(info.Env(), ntdll().is_wine));
  result.Set("isElevated", Napi::Boolean::New(info.Env(), is_elevated()));
  result.Set("processors", number(info.Env(), ::GetActiveProcessorCount(ALL_PROCESSOR_GROUPS)));
  return result;
}

}  // namespace

void define_processes(Napi::Env env, Napi::Object exports) {
  exports.Set("processTable", Napi::Function::New<process_table>(env));
  exports.Set("identify", Napi::Function::New<identify>(env));
  exports.Set("look", Napi::Function::New<look>(env));
  exports.Set("listeners", Napi::Function::New<listeners>(env));
  exports.Set("connections", Napi::Function::New<connections>(env));
  exports.Set("terminate", Napi::Function::New<terminate>(env));
  exports.Set("suspend", Napi::Function::New<suspend>(env));
  exports.Set("mayEnd", Napi::Function::New<may_end>(env));
  exports.Set("closeWindows", Napi::Function::New<close_all_windows>(env));
  exports.Set("consolePids", Napi::Function::New<pids_of_console>(env));
  exports.Set("repairConsole", Napi::Function::New<repair>(env));
  exports.Set("enablePrivilege", Napi::Function::New<enable>(env));
  exports.Set("bootId", Napi::Function::New<boot_id>(env));
  exports.Set("system", Napi::Function::New<system_of>(env));
}

}  // namespace hsu
